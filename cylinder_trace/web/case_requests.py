"""A step as a form sends it, and how a no is told: the pages and the API read and answer alike."""

from datetime import date
from typing import Any

from werkzeug.datastructures import FileStorage, MultiDict

from cylinder_trace.exchange.attachments import LARGEST_TOGETHER_BYTES, MOST_FILES, NotAccepted
from cylinder_trace.judging.handling.cases import Refused
from cylinder_trace.store.cases import Taken
from cylinder_trace.web.case_steps import Asked, NoSuchCase, Quicker
from cylinder_trace.web.wording import WORDS

No = (Refused, NotAccepted, NoSuchCase, Quicker, Taken)
"""What a step can be answered with instead of being done."""
LARGEST_UPLOAD_BYTES = LARGEST_TOGETHER_BYTES + 1024 * 1024
"""The files together, and the rest of the form."""
_NEWEST = 2**31 - 1


def asked_of(step: str, form: MultiDict[str, str], files: MultiDict[str, FileStorage]) -> Asked:
    """A step as a form asks for it."""
    # A browser sends an empty part where no file was chosen.
    sent = [one for one in files.getlist("files") if one.filename][: MOST_FILES + 1]
    version = form.get("version", -1, type=int)
    return Asked(
        step=step,
        version=version if -1 <= version <= _NEWEST else -1,
        why=_text(form.get("why", "")),
        due_day=day_of(form.get("due_day", "")),
        facts=_text(form.get("facts", "")),
        demands=_text(form.get("demands", "")),
        is_serious=form.get("is_serious", "") in {"yes", "true", "1", "on"},
        fingerprints=[_text(one) for one in form.getlist("fingerprint")],
        files=[(one.filename or "", one.stream.read()) for one in sent],
    )


def day_of(said: str) -> int | None:
    """A day written as YYYY-MM-DD; None for anything else."""
    try:
        return date.fromisoformat(said).toordinal() if said else None
    except ValueError:
        return None


def refused_as(error: Exception) -> tuple[int, str, str, str]:
    """How a no is told: HTTP status, word, and the sentence in Chinese and in English."""
    match error:
        case NoSuchCase():
            return 404, "not_found", "没有这个案件。", "there is no such case"
        case Quicker():
            return 409, "quicker", *WORDS["case.quicker"]
        case Taken():
            return 409, "taken", *WORDS["case.taken"]
        case NotAccepted():
            return 413 if error.too_large else 415, "file_not_accepted", error.zh, error.en
        case Refused():
            return 403 if error.word in {"not_yours", "of_another"} else 422, error.word, error.zh, error.en
    raise error


def _text(said: str) -> str:
    return said.replace("\0", "").replace("\r\n", "\n")


def standing(error: Exception) -> dict[str, Any] | None:
    """How the case stands now, where that is why the step was not taken."""
    return error.row if isinstance(error, Quicker) else None
