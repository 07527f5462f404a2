"""Which language a visitor reads."""

from flask import session

LANGUAGES = ("zh", "en")


def language() -> str:
    """The language of this visitor: Chinese unless switched."""
    chosen = session.get("lang", "zh")
    return chosen if chosen in LANGUAGES else "zh"


def switch(lang: str) -> None:
    """Remember the visitor's language; one that we do not speak changes nothing."""
    if lang in LANGUAGES:
        session["lang"] = lang
