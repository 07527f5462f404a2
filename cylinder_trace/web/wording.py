"""The words of the pages, in Chinese and English."""

from cylinder_trace.web.words import (
    cases,
    draws,
    duties,
    events,
    figures,
    handling,
    outbox,
    pages,
    scanning,
    trials,
)

WORDS: dict[str, tuple[str, str]] = (
    pages.WORDS
    | handling.WORDS
    | cases.WORDS
    | duties.WORDS
    | events.WORDS
    | figures.WORDS
    | draws.WORDS
    | outbox.WORDS
    | trials.WORDS
    | scanning.WORDS
)


def say(key: str, lang: str, **facts: object) -> str:
    """The word for `key` in `zh` or `en`, with its facts filled in; an unknown key is a KeyError."""
    zh, en = WORDS[key]
    return (zh if lang == "zh" else en).format(**facts)
