"""From the text of a label to the code of one cylinder.

A label may carry a bare code, a city platform's URL with the code in its path or query, a GS1 Digital
Link, or a GS1 element string; a scanner may add an AIM prefix, GS characters and line ends, and a Chinese
input method may turn digits full-width. All of these are read here, on the station and on the server alike.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

import biip
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_messages import GS1Message

from cylinder_trace.contract.errors import ContractError

Scheme = Literal["registration", "device", "grai", "giai", "plain"]

LONGEST_LABEL = 512
"""Characters; the longest URL seen on a bottle has 120."""

GS = "\x1d"
_AIM_PREFIX = re.compile(r"^\][A-Za-z][0-9A-Za-z]")
_UNPRINTED = re.compile(r"(?:[^\S\x1d]|[\x00-\x1c\x1e-\x1f\x7f\u200b-\u200f\u2060\ufeff])+")
"""All but GS, which Python counts as white space (and which separates GS1 elements)."""
_PLAIN = re.compile(r"[0-9A-Z](?:[0-9A-Z]|[-./_](?=[0-9A-Z])){5,39}")
_REGISTRATION = re.compile(r"[1-6](?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5])[0-9]{7,13}")
_DEVICE = re.compile(r"[0-9A-Z]{18}")
_FEWEST_DIGITS = 4
_KEYS_THAT_NAME_A_CODE = ("code", "c", "qr", "qrcode", "no", "id", "sn", "gpbm", "qpbm", "bm")
"""Query names in order of trust; gpbm/qpbm/bm are 钢瓶编码/气瓶编码/编码 in pinyin."""
_CANONICAL_GS1 = re.compile(r"(8003|8004):(.+)", re.DOTALL)
_DIGITAL_LINK = re.compile(
    r"/(?:800[34]/|(?:01/[0-9]{14}|00/[0-9]{18}|41[47]/[0-9]{13}|402/[0-9]{17}|25[35]/[0-9]{13}[^/]*"
    r"|80(?:06|17|18)/[0-9]{18})(?:/|$))"
)
"""The other keys are of products, parcels, places, papers and people: such a link names no single cylinder."""
_SHORT_NAMES = {"/grai/": "/8003/", "/giai/": "/8004/"}
"""Digital Links of before 2022 could name a key by a word."""
_GS1_CHARACTERS = re.compile(r"[!\"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+")


class NotACylinderCode(ContractError):
    """The text of a label names no cylinder.

    Attributes: `text` is what was read, `reason` says what is wrong with it, in English.
    """

    def __init__(self, text: str, reason: str) -> None:
        self.text = text
        self.reason = reason
        super().__init__(
            f"{text[:80]!r} is not a cylinder code: {reason}. Scan the label again or type the code below it."
        )


@dataclass(frozen=True, slots=True)
class CylinderCode:
    """One cylinder's code. `text` is canonical: equal texts are one code, and `parse_code(text)` gives it back.

    registration: 使用登记代码 (TSG R5001-2005: species digit, province, unit, six-digit serial); device: the
    18-character 设备代码; grai and giai: GS1 `8003:` and `8004:` keys; plain: stamp or station number.
    """

    text: str
    scheme: Scheme

    def __str__(self) -> str:
        return self.text


@lru_cache(maxsize=65_536)
def parse_code(text: str) -> CylinderCode:
    """Read a label's text in any of the forms above; the same label always gives the same code.

    Raises NotACylinderCode, and nothing else, for any text that names no single cylinder.
    """
    if len(text) > LONGEST_LABEL:
        raise NotACylinderCode(text, f"it has {len(text)} characters, a label has at most {LONGEST_LABEL}")
    cleaned = _clean(text)
    if not cleaned:
        raise NotACylinderCode(text, "it is empty")
    if re.match(r"https?:/", cleaned, re.IGNORECASE):
        return _from_url(cleaned, text)
    code = _bare(cleaned, text)
    if code is None:
        raise NotACylinderCode(
            text,
            "a code has 6 to 40 letters A-Z, digits or single - . / _ between them,"
            f" at least {_FEWEST_DIGITS} of them digits",
        )
    return code


def gs1_check_digit_is_right(digits: str) -> bool:
    """True where the last digit is the modulo-10 check digit of the others (GS1 General Specifications 7.9)."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits)))
    return total % 10 == 0


def _clean(text: str) -> str:
    # NFKC turns full-width digits and letters, and the ideographic space, into their ASCII forms.
    cleaned = unicodedata.normalize("NFKC", text)
    cleaned = _UNPRINTED.sub("", cleaned)
    cleaned = _AIM_PREFIX.sub("", cleaned)
    return cleaned.rstrip(GS)


def _bare(cleaned: str, text: str) -> CylinderCode | None:
    """The code of a text that is no URL; None where it is neither GS1 data nor a plain code."""
    if canonical := _CANONICAL_GS1.fullmatch(cleaned):
        return _gs1_key(canonical[1], canonical[2], text)
    if (cleaned.startswith(("(", "8003", "8004")) or GS in cleaned) and (
        found := _from_element_string(cleaned, text)
    ):
        return found
    return _plain(cleaned.lstrip(GS))


def _bare_in_url(part: str) -> CylinderCode | None:
    # Read as the same text on a label is read, so that the code found is the one its own text gives.
    try:
        return _bare(_clean(part), part)
    except NotACylinderCode:
        return None


def _plain(cleaned: str) -> CylinderCode | None:
    upper = cleaned.upper()
    # Asked before upper(), which makes SS of a sharp s.
    if not cleaned.isascii() or not _PLAIN.fullmatch(upper):
        return None
    if sum(character.isdigit() for character in upper) < _FEWEST_DIGITS:
        return None
    if _REGISTRATION.fullmatch(upper):
        return CylinderCode(upper, "registration")
    if _DEVICE.fullmatch(upper):
        return CylinderCode(upper, "device")
    return CylinderCode(upper, "plain")


def _from_url(url: str, text: str) -> CylinderCode:
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, max_num_fields=50)
    except ValueError as error:
        raise NotACylinderCode(text, f"it is a broken URL ({error})") from None
    path = parts.path
    for name, number in _SHORT_NAMES.items():
        path = re.sub(f"{name}(?=[0-9])", number, path, flags=re.IGNORECASE)
    if _DIGITAL_LINK.search(path):
        return _from_digital_link(urlunsplit(parts._replace(path=path)), text)
    if (parts.hostname or "").endswith("gs1.org"):
        # A compressed link looks like a code; only GS1's own resolver is sure not to mean one.
        raise NotACylinderCode(
            text, "it is a GS1 link, compressed or of another key; print an uncompressed one"
        )
    named = {key.lower(): value for key, value in reversed(query)}
    in_query = [named[key] for key in _KEYS_THAT_NAME_A_CODE if key in named]
    for candidate in in_query:
        if code := _bare_in_url(candidate):
            return code
    others = {code for _, value in query if (code := _bare_in_url(value))}
    segments = [unquote(segment) for segment in parts.path.split("/") if segment]
    if not others and segments and (code := _bare_in_url(segments[-1])):
        return code
    if len(others) == 1:
        return others.pop()
    reason = "its query names several codes" if others else "neither its path nor its query carries a code"
    raise NotACylinderCode(text, f"it is a URL, but {reason}")


def _from_digital_link(url: str, text: str) -> CylinderCode:
    try:
        link = GS1DigitalLinkURI.parse(url)
    except (biip.ParseError, ValueError, IndexError) as error:
        raise NotACylinderCode(text, f"it looks like a GS1 Digital Link but is none ({error})") from None
    for element in link.element_strings:
        if element.ai.ai in {"8003", "8004"}:
            return _gs1_key(element.ai.ai, unquote(element.value), text)
    raise NotACylinderCode(text, "the GS1 Digital Link carries no GRAI (8003) and no GIAI (8004)")


def _from_element_string(cleaned: str, text: str) -> CylinderCode | None:
    try:
        message = (
            GS1Message.parse_hri(cleaned) if cleaned.startswith("(") else GS1Message.parse(cleaned.lstrip(GS))
        )
    except (biip.ParseError, ValueError, IndexError) as error:
        bare = cleaned.lstrip(GS)
        if bare.isdigit() or (bare != cleaned and GS not in bare and not bare.startswith(("8003", "8004"))):
            return None  # a bare number that happens to begin like a GS1 key, or a code behind a stray GS
        raise NotACylinderCode(text, f"it looks like GS1 data but is none ({error})") from None
    for element in message.element_strings:
        if element.ai.ai in {"8003", "8004"}:
            return _gs1_key(element.ai.ai, element.value, text)
    raise NotACylinderCode(text, "the GS1 data carry no GRAI (8003) and no GIAI (8004)")


def _gs1_key(identifier: str, value: str, text: str) -> CylinderCode:
    if not _GS1_CHARACTERS.fullmatch(value):
        raise NotACylinderCode(text, "it has characters that GS1 keys do not allow")
    if identifier == "8004":
        if len(value) > 30 or not value[:4].isdigit():
            raise NotACylinderCode(text, "a GIAI begins with a company prefix and has at most 30 characters")
        return CylinderCode(f"8004:{value}", "giai")
    asset_type, serial = value[:14], value[14:]
    if not re.fullmatch(r"0[0-9]{13}", asset_type):
        raise NotACylinderCode(text, "a GRAI begins with 0 and a 13-digit asset type")
    if not gs1_check_digit_is_right(asset_type):
        raise NotACylinderCode(text, f"the check digit of asset type {asset_type[1:]} is wrong")
    if not serial or len(serial) > 16:
        raise NotACylinderCode(text, "a GRAI names one cylinder only with a serial of 1 to 16 characters")
    return CylinderCode(f"8003:{value}", "grai")
