"""HTML as text, with everything that comes from the data escaped."""

import re
from collections.abc import Iterable
from html import escape
from itertools import zip_longest

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
    """A table with one line of headings; the first cell of each row is its heading. Words begin at the left,
    numbers end at the right."""
    rows = [list(row) for row in rows]
    kinds = ["text" if _has_words(column) else "" for column in zip(*rows, strict=True)]
    names = [_cell("th", cell, kind, scope="col") for cell, kind in zip_longest(head, kinds, fillvalue="")]
    heads, lines = join(names), []
    for first, *others in rows:
        cells = (_cell("td", cell, kind) for cell, kind in zip(others, kinds[1:], strict=True))
        lines.append(tag("tr", _cell("th", first, "", scope="row"), *cells))
    inside = tag("table", tag("thead", tag("tr", heads)), tag("tbody", *lines), class_=class_)
    return tag("div", inside, class_="scroll", tabindex=0)


def _has_words(cells: Iterable[object]) -> bool:
    """Whether one of the cells does not begin as a number does."""
    texts = (_text(cell) for cell in cells)
    return any(text and not re.match(r"[\d\u2212+<\u2013-]", text) for text in texts)


def _text(content: object) -> str:
    return re.sub("<[^>]*>", "", str(content))


def _cell(name: str, content: object, kind: str, **attributes: object) -> Markup:
    """A cell; of a long text one that may have several lines."""
    classes = " ".join(filter(None, ("long" if len(_text(content)) > _LONG else "", kind)))
    return tag(name, content, **attributes, **({"class_": classes} if classes else {}))
