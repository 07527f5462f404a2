"""Elements of a drawing, escaped."""

from markupsafe import Markup, escape


def element(name: str, *inside: str | Markup, **attributes: object) -> Markup:
    """One element; `class_` and `text_anchor` become `class` and `text-anchor`; text is escaped, markup is not."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = "".join(str(escape(part)) for part in inside)
    return Markup(f"<{name}{written}>{content}</{name}>")


def drawing(width: float, height: float, title: str, *inside: Markup) -> Markup:
    """A whole picture that scales with its place; `title` is read to those who do not see it."""
    head = element("title", title)
    box = f"0 0 {_short(width)} {_short(height)}"
    # The name is written out: the element builder lowers no case.
    body = Markup("").join((head, *inside))
    return Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" class="drawing" role="img" viewBox="{}">{}</svg>'
    ).format(box, body)


def _short(value: object) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
