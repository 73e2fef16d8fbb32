"""Picture files to arrays of one size, by Pillow (the extra `images`)."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data.media import Media, sides_of
from threestep.devices import side_by_side
from threestep.errors import DataError
from threestep.settings import Files

_LONGEST_SIDE = 64  # pixels: what a CPU learns from in minutes
_SHOWN = 200  # files that are looked at to see whether they have colours
_GREY = ("1", "L", "LA", "I", "I;16", "I;16B", "F")
_SAME = 2  # steps of 256 by which the channels of a grey picture saved in colours may differ


def pillow() -> Any:
    """Pillow's module of images.

    Raises
    ------
    DataError
        It is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError("pictures need Pillow to be read", "pip install 'threestep[images]'") from error
    return Image


def picture_media(files: Sequence[Path], how: Files = Files()) -> Media:
    """The size that all pictures are brought to: as asked for, else the middle one, but no side longer than
    64; and whether there are colours.

    Raises
    ------
    DataError
        Pillow is not installed, or no file is a picture.
    """
    image = pillow()
    sizes = [size for size in side_by_side(lambda file: _size_of(image, file), files) if size is not None]
    if not sizes:
        raise DataError(f"{files[0].parent}: none of its {len(files)} pictures can be read")
    (height, width), n_most = Counter(sizes).most_common(1)[0]
    if n_most * 2 <= len(sizes):
        height, width = (int(np.median(sides)) for sides in zip(*sizes, strict=True))
    scale = min(1.0, _LONGEST_SIDE / max(height, width))
    wanted = None if how.picture_size is None else sides_of(how.picture_size)
    height, width = wanted or (max(1, round(height * scale)), max(1, round(width * scale)))
    step = max(1, len(files) // _SHOWN)
    has_colours = any(side_by_side(lambda file: _has_colours(image, file), files[::step]))
    return Media("picture", height, width, 3 if has_colours else 1)


def _size_of(image: Any, file: Path) -> tuple[int, int] | None:
    """Height and width as it is looked at; None if it is no picture."""
    try:
        with image.open(file) as opened:
            width, height = opened.size
            turned = opened.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # EXIF's orientation: on its side
            return (width, height) if turned else (height, width)
    except Exception:  # whatever a decoder may raise; the file is told of when it is read
        return None


def _has_colours(image: Any, file: Path) -> bool:
    try:
        with image.open(file) as opened:
            if opened.mode in _GREY:
                return False
            small = opened.convert("RGB").resize((32, 32))
    except Exception:
        return False
    pixels = np.asarray(small, np.int16)
    return bool((pixels.max(axis=2) - pixels.min(axis=2) > _SAME).any())


def picture_array(file: Path, media: Media) -> NDArray:
    """One picture, of the shape of `media`, uint8: turned as its EXIF says, on white where it is
    transparent, the first of an animation.

    Raises
    ------
    Exception
        Whatever a decoder raises where a file is damaged.
    """
    from PIL import ImageOps

    image = pillow()
    with image.open(file) as opened:
        opened.draft("RGB", (2 * media.width, 2 * media.height))  # a JPEG is decoded no larger than needed
        turned = ImageOps.exif_transpose(opened)
        mode = "L" if media.channels == 1 else "RGB"
        flat = _flat(image, turned, mode)
        return np.asarray(flat.resize((media.width, media.height), image.Resampling.BILINEAR), np.uint8)


def _flat(image: Any, picture: Any, mode: str) -> Any:
    """In grey or colours, of 8 bits, without transparency."""
    if picture.mode in ("I;16", "I;16B", "I"):  # 16 bits
        pixels = np.asarray(picture).astype(np.float64)
        largest = 65535.0 if pixels.max(initial=0) > 255 else 255.0
        picture = image.fromarray((pixels * (255.0 / largest)).clip(0, 255).astype(np.uint8))
    elif picture.mode == "F":
        picture = image.fromarray(np.asarray(picture).clip(0, 255).astype(np.uint8))
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = image.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = image.alpha_composite(white, picture)
    return picture.convert(mode)
