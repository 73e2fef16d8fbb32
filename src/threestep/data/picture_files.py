"""Picture files to arrays of one size, by Pillow (the extra `images`)."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data.media import PICTURE_BITS, Media, sides_of
from threestep.devices import side_by_side
from threestep.errors import DataError
from threestep.settings import Files

_LONGEST_SIDE = 64  # pixels: what a CPU learns from in minutes
_SHOWN = 200  # files that are looked at to see whether they have colours
_DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")  # Pillow's names of grey with more than 8 bits
_GREY = ("1", "L", "LA", *_DEEP)
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


def picture_media(files: Sequence[Path], how: Files = Files()) -> Media | None:
    """The size that all pictures are brought to: as asked for, else the middle one, but no side longer than
    64; whether there are colours; and how many bits grey of more than 8 has. None: no file is a picture.

    Raises
    ------
    DataError
        Pillow is not installed.
    """
    image = pillow()
    facts = side_by_side(lambda file: _facts_of(image, file), files)
    sizes = [each[:2] for each in facts if each is not None]
    if not sizes:
        return None
    (height, width), n_most = Counter(sizes).most_common(1)[0]
    if n_most * 2 <= len(sizes):
        height, width = (int(np.median(sides)) for sides in zip(*sizes, strict=True))
    scale = min(1.0, _LONGEST_SIDE / max(height, width))
    wanted = None if how.picture_size is None else sides_of(how.picture_size)
    height, width = wanted or (max(1, round(height * scale)), max(1, round(width * scale)))
    step = max(1, len(files) // _SHOWN)
    has_colours = any(side_by_side(lambda file: _has_colours(image, file), files[::step]))
    modes = {file: each[2] for file, each in zip(files, facts, strict=True) if each and each[2] in _DEEP}
    return Media("picture", height, width, 3 if has_colours else 1, bits=_bits_of(image, modes))


def _facts_of(image: Any, file: Path) -> tuple[int, int, str] | None:
    """Height and width as it is looked at, and Pillow's mode; None if it is no picture."""
    try:
        with image.open(file) as opened:
            width, height = opened.size
            turned = opened.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # EXIF's orientation: on its side
            return (width, height, opened.mode) if turned else (height, width, opened.mode)
    except Exception:  # whatever a decoder may raise; the file is told of when it is read
        return None


def _bits_of(image: Any, modes: Mapping[Path, str]) -> int:
    """How many bits the brightest of all pictures of more than 8 needs; 0 as in `Media`. It must
    not be seen from each picture by itself: a dark one would become a bright one."""
    if not modes:
        return 0
    largest = max(side_by_side(lambda file: _brightest(image, file), modes))
    bits = next((bits for bits in PICTURE_BITS if largest < 2**bits), PICTURE_BITS[-1])
    return 0 if bits == PICTURE_BITS[-1] and "F" not in modes.values() else bits


def _brightest(image: Any, file: Path) -> float:
    try:
        with image.open(file) as opened:
            return float(np.nan_to_num(np.asarray(opened)).max(initial=0))
    except Exception:  # damaged
        return 0.0


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
    with _opened(image, file) as opened:
        opened.draft("RGB", (2 * media.width, 2 * media.height))  # a JPEG is decoded no larger than needed
        turned = ImageOps.exif_transpose(opened)
        flat = _flat(image, turned, media)
        return np.asarray(flat.resize((media.width, media.height), image.Resampling.BILINEAR), np.uint8)


def _opened(image: Any, file: Path) -> Any:
    """An open picture, or why not in a few words, where Pillow's are about something else.

    Raises
    ------
    ValueError
    """
    from PIL import UnidentifiedImageError

    try:
        return image.open(file)
    except UnidentifiedImageError:
        raise ValueError("no picture that Pillow knows") from None
    except image.DecompressionBombError as error:
        n_pixels, most = (int(n) / 1e6 for n in re.findall(r"\d+", str(error))[:2])
        raise ValueError(f"{n_pixels:.0f} million pixels; at most {most:.0f} million are read") from None


def _flat(image: Any, picture: Any, media: Media) -> Any:
    """In grey or colours, of 8 bits, without transparency."""
    if picture.mode in _DEEP:
        largest = 2 ** (media.bits or (8 if picture.mode == "F" else 16)) - 1
        pixels = np.nan_to_num(np.asarray(picture).astype(np.float64)) * (255.0 / largest)
        picture = image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = image.new("RGBA", picture.size, (255, 255, 255, 255))
        picture = image.alpha_composite(white, picture)
    return picture.convert("L" if media.channels == 1 else "RGB")
