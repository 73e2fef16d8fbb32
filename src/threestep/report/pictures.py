"""Samples and weights as small pictures."""

import base64
import struct
import zlib
from collections.abc import Sequence

from threestep.report.html import Markup, tag

_FAINTEST = 0.04  # of the strongest: what is fainter is not drawn
_ABOVE, _BELOW = (66, 112, 232), (222, 96, 32)  # seen on light and dark ground
_MOST_RECTANGLES = 24 * 24  # pixels of what is drawn as shapes, in the page's own ink


def picture(rows: Sequence[Sequence], label: str = "") -> Markup:
    """A small picture, grey (0, no ink, to 255) or of colours (red, green, blue, 0 to 255); without a label
    where what stands beside it says what it is."""
    if isinstance(rows[0][0], Sequence) or len(rows) * len(rows[0]) > _MOST_RECTANGLES:
        return _image(rows, label)
    parts = []
    for y, row in enumerate(rows):
        x = 0
        while x < len(row):  # equal neighbours in a row become one rectangle
            end = x
            while end < len(row) and row[end] == row[x]:
                end += 1
            if row[x] > 0:
                opacity = f"{row[x] / 255:.2f}".rstrip("0").rstrip(".")
                parts.append(tag("rect", x=x, y=y, width=end - x, height=1, opacity=opacity))
            x = end
    return _drawing(parts, rows, label, "picture")


def signed_picture(rows: Sequence[Sequence[float]], label: str = "") -> Markup:
    """A small picture of numbers: one colour above zero, another below, the stronger the farther."""
    largest = max((abs(value) for row in rows for value in row), default=0.0) or 1.0
    if len(rows) * len(rows[0]) > _MOST_RECTANGLES:
        strength = [[round(255 * abs(value) / largest) for value in row] for row in rows]
        return _image(
            [
                [(*(_ABOVE if value > 0 else _BELOW), own) for value, own in zip(row, each, strict=True)]
                for row, each in zip(rows, strength, strict=True)
            ],
            label,
        )
    parts = []
    for y, row in enumerate(rows):
        for x, value in enumerate(row):
            share = abs(value) / largest
            if share >= _FAINTEST:
                kind = "above" if value > 0 else "below"
                parts.append(tag("rect", x=x, y=y, width=1, height=1, opacity=f"{share:.2f}", class_=kind))
    return _drawing(parts, rows, label, "picture signed")


def _drawing(parts: Sequence[Markup], rows: Sequence[Sequence], label: str, class_: str) -> Markup:
    known = {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    size = f"0 0 {len(rows[0])} {len(rows)}"
    return tag("svg", *parts, viewBox=size, class_=class_, shape_rendering="crispEdges", **known)


def _image(rows: Sequence[Sequence], label: str) -> Markup:
    """The pixels inside the page."""
    source = f"data:image/png;base64,{base64.b64encode(png(rows)).decode()}"
    return Markup(tag("img", src=source, alt=label, class_="picture").removesuffix("</img>"))


def png(rows: Sequence[Sequence]) -> bytes:
    """A picture as a PNG file (ISO/IEC 15948), 8 bits per channel: grey, of colours, or of colours and how
    opaque they are."""
    is_grey = not isinstance(rows[0][0], Sequence)
    kind_of_colour = 0 if is_grey else {3: 2, 4: 6}[len(rows[0][0])]
    lines = b"".join(
        b"\0" + bytes(row if is_grey else [value for pixel in row for value in pixel]) for row in rows
    )
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, kind_of_colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    written = (
        struct.pack(">I", len(own)) + kind + own + struct.pack(">I", zlib.crc32(kind + own))
        for kind, own in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)
