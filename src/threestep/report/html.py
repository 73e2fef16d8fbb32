"""HTML as text, with everything that comes from the data escaped."""

import re
from collections.abc import Iterable
from html import escape

_LONG = 40  # letters in a cell, in all languages together


class Markup(str):
    """Text that is HTML already; any other text is escaped when it enters a tag."""

    __slots__ = ()


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """An element. `class_` stands for class, other underscores in names for dashes.

    Examples
    --------
    >>> tag("p", "1 < 2", class_="note")
    '<p class="note">1 &lt; 2</p>'
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"' for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{join(content)}</{name}>")


def join(parts: Iterable[object]) -> Markup:
    """Parts one after the other, escaped unless they are markup."""
    return Markup("".join(part if isinstance(part, Markup) else escape(str(part)) for part in parts))


def table(head: Iterable[object], rows: Iterable[Iterable[object]], class_: str = "plain") -> Markup:
    """A table with one line of headings; the first cell of each row is its heading."""
    heads = join(_cell("th", cell, scope="col") for cell in head)
    lines = []
    for first, *others in rows:
        lines.append(tag("tr", _cell("th", first, scope="row"), *(_cell("td", cell) for cell in others)))
    inside = tag("table", tag("thead", tag("tr", heads)), tag("tbody", *lines), class_=class_)
    return tag("div", inside, class_="scroll", tabindex=0)


def _cell(name: str, content: object, **attributes: object) -> Markup:
    """A cell; of a long text one that may have several lines."""
    is_long = len(re.sub("<[^>]*>", "", str(content))) > _LONG
    return tag(name, content, **attributes, **({"class_": "long"} if is_long else {}))
