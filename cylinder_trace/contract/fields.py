"""The kinds of value an event's fields are made of: bounded, rounded and written one way only."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, PlainSerializer, StringConstraints

CylinderClass = Literal[
    "seamless_steel",
    "seamless_aluminium",
    "welded_steel",
    "lpg_bottle",
    "dme_bottle",
    "acetylene",
    "vehicle_cng",
    "vehicle_lpg",
    "vehicle_h2",
    "cryogenic",
    "breathing_composite",
    "mixture_shell",
]
"""气瓶品种; the keys of the law tables."""

PassFail = Literal["pass", "fail"]

_ID, _MEDIUM = r"^[\w.:@-]+$", r"^[a-z0-9][a-z0-9_+-]*$"
_SHA256, _ADCODE = r"^[0-9a-f]{64}$", r"^[0-9]{6}$"
OPENS, CLOSES = r"^([01][0-9]|2[0-3]):[0-5][0-9]$", r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"

IN_WORDS = {
    _ID: "letters, digits and . : @ _ - only, without spaces",
    _MEDIUM: "the code of a medium in small letters, as in lpg, o2 or ar+co2",
    _SHA256: "64 hexadecimal digits in small letters",
    _ADCODE: "the six digits of a district, as in 310115",
    OPENS: "a time of day from 00:00 to 23:59",
    CLOSES: "a time of day from 00:00 to 24:00",
}
"""What each pattern asks for."""

_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters but tab and line ends, and those that make text read otherwise than it is stored."""


def _one_spelling(text: str) -> str:
    # A Chinese input method turns letters full-width; two spellings of one id would be two stations.
    if text.isascii():
        return text
    plain = unicodedata.normalize("NFKC", text)
    if plain != text:
        raise ValueError(f"{text!r} has full-width or composed characters; send {plain!r}")
    return text


def _visible(text: str) -> str:
    if unseen := _UNSEEN.search(text):
        raise ValueError(f"has the invisible character U+{ord(unseen[0]):04X}; leave it out")
    return text


def _three_decimals(value: float) -> float:
    return round(value, 3) + 0.0  # -0.0 is 0.0


def _six_decimals(value: float) -> float:
    return round(value, 6) + 0.0


_MOMENT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt](?P<hour>\d\d):\d\d:(?P<second>\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_SHANGHAI = timezone(timedelta(hours=8))
_AS_IN = "send it as text with an offset, as in 2026-05-01T10:00:00+08:00"
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _read_moment(said: Any) -> datetime:
    """RFC 3339, the profile of ISO 8601 that leaves one reading; never a number, whose unit nobody can tell."""
    if isinstance(said, datetime):
        return said
    parts = _MOMENT.fullmatch(said) if isinstance(said, str) else None
    if parts is None:
        raise ValueError(f"is no time; {_AS_IN}")
    if parts["hour"] == "24":
        raise ValueError("has no hour 24; send 00:00:00 of the next day")
    if parts["second"] == "60":
        raise ValueError("is a leap second, which clocks here do not count; send second 59")
    try:
        return datetime.fromisoformat(parts[0].upper())
    except ValueError as error:
        raise ValueError(f"is no time ({error}); {_AS_IN}") from None


def _plausible_moment(moment: datetime) -> datetime:
    # In Shanghai too, where days are counted: the tables of the law begin with its year 1900.
    if not (1900 <= moment.year <= 2200 and 1900 <= moment.astimezone(_SHANGHAI).year <= 2200):
        raise ValueError("the year must lie between 1900 and 2200; set the device's clock")
    offset = moment.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        raise ValueError("give the time with an offset of whole minutes, as in +08:00")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _read_day(said: Any) -> date:
    if isinstance(said, date) and not isinstance(said, datetime):
        return said
    if not isinstance(said, str) or not _DAY.fullmatch(said):
        raise ValueError("is no day; send it as text, as in 2026-05-31")
    try:
        return date.fromisoformat(said)
    except ValueError as error:
        raise ValueError(f"is no day ({error}); send it as text, as in 2026-05-31") from None


Id = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=_ID), AfterValidator(_one_spelling)
]
"""An identifier somebody else gave out: letters (of any script), digits and . : @ _ -"""

Medium = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_MEDIUM)]
"""A medium's code in the law tables (`lpg`, `o2`, `c2h2`); a mixture is joined with + (`ar+co2`)."""

Text = Annotated[
    str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True), AfterValidator(_visible)
]
Sha256 = Annotated[str, StringConstraints(pattern=_SHA256)]
Adcode = Annotated[str, StringConstraints(pattern=_ADCODE)]
"""行政区划代码, GB/T 2260."""

Kg = Annotated[float, Field(ge=0, le=50_000, allow_inf_nan=False), AfterValidator(_three_decimals)]
Mpa = Annotated[float, Field(ge=0, le=200, allow_inf_nan=False), AfterValidator(_three_decimals)]
Litres = Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False), AfterValidator(_three_decimals)]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False), AfterValidator(_six_decimals)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False), AfterValidator(_six_decimals)]

Moment = Annotated[
    AwareDatetime,
    BeforeValidator(_read_moment),
    AfterValidator(_plausible_moment),
    PlainSerializer(
        lambda moment: moment.isoformat(timespec="milliseconds"), return_type=str, when_used="json"
    ),
]
"""A time with its offset, to the millisecond."""

Day = Annotated[date, BeforeValidator(_read_day), Field(ge=date(1900, 1, 1), le=date(2200, 12, 31))]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970 UTC of an aware datetime: the integer form of time used inside the server."""
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def moment_of(ms: int) -> datetime:
    """The aware UTC datetime of `ms` milliseconds since 1970: the way back from `epoch_ms`."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
