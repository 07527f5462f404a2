"""Which language a visitor reads."""

from flask import request, session

LANGUAGES = ("zh", "en")
"""The first one is read by whoever does not say."""


def language() -> str:
    """The language of this visitor: the one switched to, else the one the browser asks for first that we speak."""
    chosen = chosen_language()
    return chosen or request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def chosen_language() -> str | None:
    """What this visitor switched to; None where nothing was."""
    chosen = session.get("lang")
    return chosen if chosen in LANGUAGES else None


def switch(lang: str | None) -> None:
    """Remember the visitor's language; one that we do not speak changes nothing."""
    if lang in LANGUAGES:
        session["lang"] = lang
