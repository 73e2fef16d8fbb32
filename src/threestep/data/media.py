"""Media: how files of pictures or sounds become arrays of one size; plain settings in the model file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PICTURE_ENDINGS = (
    *(".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"),
    *(".jp2", ".avif", ".ppm", ".pgm", ".pbm", ".pnm"),
)
SOUND_ENDINGS = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff")
PICTURE_BITS = (1, 8, 10, 12, 14, 16)
"""How many may be used of those that the numbers of a picture have."""
FILE_SETTINGS = {
    "picture_size": "picture",
    "sound_window": "sound",
    "sound_hop": "sound",
    "sound_bands": "sound",
}
"""What can be asked for, and of which kind of files."""
MEDIA_ENDINGS = (*PICTURE_ENDINGS, *SOUND_ENDINGS)


def sides_of(size: int | Sequence[int]) -> tuple[int, int]:
    """Height and width in pixels; one number says both."""
    height, width = (size, size) if isinstance(size, int) else size
    return height, width


def band_corners(rate: int, n_bands: int) -> NDArray:
    """Where bands begin, peak and end, in Hz, at even distances on the mel scale,
    mel = 2595 log10(1 + Hz / 700): (n_bands + 2,); a band peaks where the next one begins."""
    highest = 2595 * np.log10(1 + rate / 2 / 700)
    return 700 * (10 ** (np.linspace(0, highest, n_bands + 2) / 2595) - 1)


@dataclass(frozen=True)
class Media:
    """How every file becomes an array of the shape (height, width) or (height, width, channels), uint8.

    Parameters
    ----------
    kind : {"picture", "sound"}
        A sound becomes a picture, too: one row per moment, one column per band of frequencies.
    height, width : int
        Of a picture, in pixels; of a sound, in moments and bands.
    channels : int
        Of a picture: 1 for grey, 3 for colours.
    rate : int
        Of a sound: samples per second.
    window, hop : int
        Of a sound: samples per moment, and from one moment to the next.
    bits : int
        Of pictures whose numbers have more than 8: how many the brightest of all that were learned from
        needs, so that equal numbers are equally bright in all of them; 0: 16, or 8 of floating-point numbers.
    """

    kind: str = "picture"
    height: int = 0
    width: int = 0
    channels: int = 1
    rate: int = 0
    window: int = 0
    hop: int = 0
    bits: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """What was chosen, as it can be asked for: see `threestep.settings.Files`."""
        if self.kind == "picture":
            return {"picture_size": (self.height, self.width)}
        window, hop = (1000 * n / self.rate for n in (self.window, self.hop))
        return {"sound_window": window, "sound_hop": hop, "sound_bands": self.width}

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one array."""
        return (self.height, self.width) if self.channels == 1 else (self.height, self.width, self.channels)

    def place_names(self) -> list[str]:
        """What each number of a sound is called: the middle of its moment, and the frequency of its band."""
        moments = np.arange(self.height) * 1000 * self.hop / self.rate
        bands = band_corners(self.rate, self.width)[1:-1]
        return [f"{moment:.0f} ms, {band:.0f} Hz" for moment in moments for band in bands]

    @property
    def seconds(self) -> float:
        """How much of a sound is looked at."""
        return (self.height - 1) * self.hop / self.rate if self.rate else 0.0

    def __str__(self) -> str:
        if self.kind == "sound":
            shape = f"{self.height} moments × {self.width} bands"
            return f"sounds of {self.seconds:.2f} s as {shape}, {self.rate} Hz"
        return f"{'grey' if self.channels == 1 else 'colour'} pictures of {self.height} × {self.width} pixels"
