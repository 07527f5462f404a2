"""Reading a message strictly, and saying which field is wrong and what to send instead.

Strictly means that a number is no text and a text no number, as JSON has them: what was sent and what was read
must be the same evidence.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from cylinder_trace.contract.errors import ContractError
from cylinder_trace.contract.fields import IN_WORDS

MOST_PROBLEMS = 20
"""Named in one answer; a message can have a hundred thousand."""

_LONGEST_PLACE, _LONGEST_VALUE = 80, 60
_HALF = re.compile("[\ud800-\udfff]")
_AGAIN = " (given more than once)"


class Unreadable(ContractError):
    """A message that can not be read. `problems` names each field, what is wrong with it and what to send instead."""

    what = "message"

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(f"the {self.what} can not be read: " + "; ".join(problems))


def decoded(text: str | bytes) -> Any:
    """The value of a JSON text. Raises ValueError, as json.loads does.

    Readers differ in which of two members of one name they keep, so the sender's and the server's could differ
    too: such an object comes back with a member that no message has, so that its reading, and only its, fails.
    """
    if isinstance(text, bytes):
        text = text.decode()  # json.loads would guess at UTF-16
    return json.loads(text, object_pairs_hook=_each_once)


def read_strictly(
    adapter: TypeAdapter[Any], message: Mapping[str, Any] | str | bytes, tag: str, kinds: Sequence[str]
) -> Any:
    """Read a JSON text, or a decoded object by the same rules. Raises Unreadable, and nothing else.

    `tag` is the member that says which of `kinds` a message is.
    """
    try:
        value = decoded(message) if isinstance(message, str | bytes) else message
        # Through JSON, so that a decoded object is read by the same rules as its text (dates, UUIDs, tuples).
        return adapter.validate_json(json.dumps(value, ensure_ascii=False).encode(), strict=True)
    except ValidationError as error:
        problems = error.errors(include_url=False)
        said = [_said(problem, tag, kinds) for problem in problems[:MOST_PROBLEMS]]
        if len(problems) > len(said):
            said.append(f"and {len(problems) - len(said)} more")
        raise Unreadable(said) from None
    except UnicodeEncodeError:
        place = _half_character(value)[:_LONGEST_PLACE]
        raise Unreadable([f"{place}: has half a character (a lone surrogate); send whole ones"]) from None
    except UnicodeDecodeError as error:
        raise Unreadable([f"the message: is not UTF-8 at byte {error.start}; send JSON as UTF-8"]) from None
    except RecursionError:
        raise Unreadable(["the message: is nested too deep; send one flat object"]) from None
    except json.JSONDecodeError as error:
        raise Unreadable([f"the message: is no JSON ({error}); send one JSON object"]) from None
    except (TypeError, ValueError) as error:
        raise Unreadable([f"the message: {error}; send one JSON object"]) from None


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(members)
    if len(read) < len(members):
        seen: set[str] = set()
        again = next(name for name, _ in members if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        read[again + _AGAIN] = None
    return read


def _said(problem: Any, tag: str, kinds: Sequence[str]) -> str:
    context, sort, sent = problem.get("ctx", {}), problem["type"], problem["input"]
    loc = problem["loc"]
    if sort == "union_tag_invalid":
        return f"{tag}: {_short(context['tag'])} is unknown; known {tag}s are {', '.join(kinds)}"
    if sort == "union_tag_not_found":
        return f"{tag}: is missing; known {tag}s are {', '.join(kinds)}"
    # The first part is the kind the union chose; after it, a field may bear the name of a kind.
    chosen, loc = (loc[0], loc[1:]) if loc and loc[0] in kinds else ("the message", loc)
    place = ".".join(map(str, loc))[:_LONGEST_PLACE] or str(chosen)
    if sort == "extra_forbidden":
        if place.endswith(_AGAIN):
            return f"{place.removesuffix(_AGAIN)}: is given more than once; send it once"
        return f"{place}: is no field of {chosen}; leave it out, or put what it says into the note"
    if sort == "missing":
        return f"{place}: is missing; {chosen} needs it"
    if sort in {"value_error", "assertion_error"}:
        return f"{place}: {context['error']}"
    if sort == "string_pattern_mismatch":
        return f"{place}: {_short(sent)} is not right; send {IN_WORDS[context['pattern']]}"
    wrong = problem["msg"].removeprefix("Input ")
    return (
        f"{place}: {wrong}" if isinstance(sent, Mapping | list) else f"{place}: {wrong}, not {_short(sent)}"
    )


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= _LONGEST_VALUE else f"{said[:_LONGEST_VALUE]}…"


def _half_character(message: Any) -> str:
    """Where the first text with a lone surrogate is, as a path of member names."""
    left = [("", message)]
    while left:
        place, value = left.pop()
        if isinstance(value, str) and _HALF.search(value):
            return place
        if isinstance(value, Mapping):
            for name, inner in value.items():
                if _HALF.search(str(name)):
                    return f"{place} {name!a}".strip()
                left.append((f"{place}.{name}".lstrip("."), inner))
        elif isinstance(value, list | tuple):
            left += [(f"{place}.{number}", inner) for number, inner in enumerate(value)]
    return "the message"
