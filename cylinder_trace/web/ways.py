"""Where a visitor may be sent on to: only within this server."""

from urllib.parse import urlsplit


def own_path(goal: str) -> str | None:
    """`goal` where it is a path of ours; None for anything that a browser could take for another site's address.

    Browsers drop tabs and line ends from an address and read `\\` as `/`, so that `/\\evil` is `//evil`.
    """
    if not goal.startswith("/") or goal.startswith("//") or "\\" in goal:
        return None
    if any(ord(character) < 0x20 or ord(character) == 0x7F for character in goal):
        return None
    try:
        parts = urlsplit(goal)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else goal
