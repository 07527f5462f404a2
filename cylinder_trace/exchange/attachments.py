"""Files that a station sends in: what they really are, under a name that harms nobody, and none too large."""

import re
import unicodedata
from collections.abc import Sequence

from cylinder_trace.store.cases import Attachment

LARGEST_BYTES = 10 * 1024 * 1024
MOST_FILES = 20
LARGEST_TOGETHER_BYTES = 60 * 1024 * 1024
"""Of one report; its photographs wait in memory together until they are in the database."""
LONGEST_NAME = 100

_ENDINGS = {"image/jpeg": (".jpg", ".jpeg"), "image/png": (".png",), "application/pdf": (".pdf",)}
_SEPARATORS = re.compile(r"[/\\\0]")
_UNWANTED = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]')


class NotAccepted(ValueError):
    """A file that is not taken; `zh` and `en` say why. `too_large` where its size is the reason."""

    def __init__(self, zh: str, en: str, *, too_large: bool = False) -> None:
        self.zh, self.en, self.too_large = zh, en, too_large
        super().__init__(en)


def accepted(files: Sequence[tuple[str, bytes]]) -> list[Attachment]:
    """Files (name, bytes) as they are kept. Raises NotAccepted."""
    if len(files) > MOST_FILES:
        raise NotAccepted(f"附件不得超过 {MOST_FILES} 个。", f"At most {MOST_FILES} files.")
    if sum(len(body) for _, body in files) > LARGEST_TOGETHER_BYTES:
        limit = LARGEST_TOGETHER_BYTES // 1024**2
        raise NotAccepted(f"附件合计不得超过 {limit} MB。", f"At most {limit} MB together.", too_large=True)
    return [_accepted(name, body) for name, body in files]


def media_type(body: bytes) -> str | None:
    """What a file is by its own bytes, if it is whole and one that is taken."""
    if body.startswith(b"\xff\xd8\xff"):
        return "image/jpeg" if b"\xff\xd9" in body[3:] else None
    if body.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"):
        return "image/png" if b"IEND\xaeB`\x82" in body else None
    if body.startswith(b"%PDF-"):
        return "application/pdf" if b"%%EOF" in body[-2048:] else None
    return None


def clean_name(said: str, kind: str) -> str:
    """A file's name without folders, control characters or tricks of writing direction, ending as what it is."""
    last = _SEPARATORS.split(unicodedata.normalize("NFC", said))[-1]
    stem = _UNWANTED.sub("", last).strip(" .")
    endings = _ENDINGS[kind]
    ending = next((one for one in endings if stem.lower().endswith(one)), None)
    stem = stem[: -len(ending)] if ending else stem
    return (stem[:LONGEST_NAME].strip(" .") or "file") + (ending or endings[0])


def _accepted(said: str, body: bytes) -> Attachment:
    shown = clean_name(said, "application/pdf").removesuffix(".pdf")
    if len(body) > LARGEST_BYTES:
        limit = LARGEST_BYTES // 1024**2
        raise NotAccepted(
            f"{shown}：单个附件不得超过 {limit} MB。",
            f"{shown}: a file has at most {limit} MB.",
            too_large=True,
        )
    kind = media_type(body)
    if kind is None:
        raise NotAccepted(
            f"{shown}：只收完整的 JPEG、PNG 图片和 PDF 文件。",
            f"{shown}: only whole JPEG and PNG pictures and PDF files are taken.",
        )
    return Attachment(clean_name(said, kind), kind, body)
