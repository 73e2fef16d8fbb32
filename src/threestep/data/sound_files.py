"""Sound files to log-mel spectrograms of one size: WAV by SciPy, others by soundfile (the extra `sound`).

A sound becomes a picture: one row per moment, one column per band of the mel scale (O'Shaughnessy 1987), as
loud as it is below the loudest moment, in steps of 256 for 80 decibels.
"""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from threestep.data.media import Media, band_corners
from threestep.devices import side_by_side
from threestep.errors import DataError
from threestep.settings import Files

_HIGHEST_RATE = 16_000  # samples per second: speech needs no more
_WINDOW_SECONDS, _HOP_SECONDS = 0.032, 0.010
_MOST_MOMENTS, _BANDS = 96, 40
_LONG = 0.95  # of all sounds are no longer than what is looked at
_MOST_AROUND = 2  # times the length of the sounds: a window of more is silence
_QUIETEST = 80.0  # decibels below the loudest
_SILENCE = 1e-10
_LONGEST_WINDOW, _LONGEST_WINDOW_SECONDS = 1 << 20, 1000  # the first in samples
_UNKNOWN_LENGTH = 0x7FFFF000  # bytes
_WHOLE = 0.98  # of the samples that a file says it has: an MP3 may say it roughly
_SAMPLES = {b"RIFF": b"data", b"FORM": b"SSND"}  # how WAV and AIFF begin, and how they call their samples
_MOST_AT_ONCE = 1 << 22  # numbers of windows that are held


def sound_media(files: Sequence[Path], how: Files = Files()) -> Media | None:
    """What all sounds are brought to: the usual rate, at most 16,000 per second; a length that 95 % of them
    keep. None: no file is a sound.

    Raises
    ------
    DataError
        soundfile is not installed, or what is asked for does not go together.
    """
    facts = [each for each in side_by_side(_facts_of, files) if each is not None]
    if not facts:
        return None
    rate = min(_HIGHEST_RATE, Counter(rate for rate, _ in facts).most_common(1)[0][0])
    seconds = float(np.quantile([n / own for own, n in facts], _LONG))
    window, hop = _samples_in(how.sound_window, rate, 2), _samples_in(how.sound_hop, rate, 1)
    hop = hop or max(1, round(max(_HOP_SECONDS, seconds / _MOST_MOMENTS) * rate))
    window = window or _usual_window(rate, hop)
    if how.sound_window is not None and window > max(2 * hop, _MOST_AROUND * seconds * rate):
        raise DataError(
            f"`sound_window` is {how.sound_window:g} ms, but the sounds are of {1000 * seconds:.0f} ms",
            "give less than that",
        )
    bands = how.sound_bands or min(_BANDS, window // 2)
    if bands > window // 2:
        raise DataError(
            f"`sound_bands` is {bands}, but {1000 * window / rate:g} ms at {rate} Hz tell {window // 2} "
            "frequencies apart",
            "fewer bands, or a longer `sound_window`",
        )
    return Media("sound", max(1, round(seconds * rate / hop)) + 1, bands, 1, rate, window, hop)


def _usual_window(rate: int, hop: int) -> int:
    """About 32 ms, or two hops where these are far apart: then windows overlap by half, and nothing of a long
    sound goes unheard; no longer than a model file and a setting may say."""
    longest = min(_LONGEST_WINDOW, _LONGEST_WINDOW_SECONDS * rate)
    return max(1 << max(5, round(np.log2(_WINDOW_SECONDS * rate))), min(2 * hop, longest))


def n_longer(files: Sequence[Path], media: Media) -> int:
    """How many sounds are longer than what is looked at, by more than the last window is wide."""
    most = (media.height - 1) * media.hop + media.window
    facts = [each for each in side_by_side(_facts_of, files) if each is not None]
    return sum(n * media.rate > most * own for own, n in facts)


def _samples_in(milliseconds: float | None, rate: int, least: int) -> int | None:
    """How many samples a time takes; None stays None."""
    return None if milliseconds is None else max(least, round(milliseconds * rate / 1000))


def _facts_of(file: Path) -> tuple[int, int] | None:
    """Samples per second, and how many, mostly without reading them; None if it is no sound."""
    try:
        rate, n_samples = _length_of(file)
    except DataError:
        raise
    except Exception:  # whatever a decoder may raise; the file is told of when it is read
        return None
    return (rate, n_samples) if rate > 0 and n_samples else None


def _length_of(file: Path) -> tuple[int, int]:
    """Samples per second, and how many."""
    if file.suffix.lower() == ".wav":
        from scipy.io import wavfile

        with suppress(ValueError):  # some kinds cannot be mapped
            rate, samples = wavfile.read(file, mmap=True)
            return int(rate), len(samples)
        rate, samples = _read(file)
        return rate, len(samples)
    facts = _soundfile(file).info(file)
    return int(facts.samplerate), int(facts.frames)


def sound_array(file: Path, media: Media) -> NDArray:
    """One sound as a spectrogram, of the shape of `media`, uint8.

    Raises
    ------
    Exception
        Whatever a decoder raises where a file is damaged.
    """
    from scipy.signal import resample_poly

    rate, samples = _read(file)
    if not len(samples) or not np.isfinite(samples).all():
        raise ValueError("no sound, or not finite")
    if rate != media.rate:
        common = gcd(rate, media.rate)
        samples = resample_poly(samples, media.rate // common, rate // common)
    return spectrogram(samples, media)


def spectrogram(samples: NDArray, media: Media) -> NDArray:
    """The log-mel spectrogram of a sound at the rate of `media`: (height, width), uint8.

    A shorter sound is followed by silence, of a longer one the middle is taken.
    """
    n_samples = (media.height - 1) * media.hop
    before = max(0, (len(samples) - n_samples) // 2)
    samples = samples[before : before + n_samples].astype(np.float64)
    half = media.window // 2
    padded = np.pad(samples, (half, n_samples - len(samples) + media.window))
    filters = mel_filters(media.rate, media.window, media.width)
    starts = np.arange(media.height) * media.hop
    n_blocks = 1 + media.height * media.window // _MOST_AT_ONCE
    mel = np.concatenate([_mel(padded, own, filters, media) for own in np.array_split(starts, n_blocks)])
    decibels = 10 * np.log10(mel + _SILENCE)
    below = decibels - decibels.max()
    return np.round(255 * np.clip(1 + below / _QUIETEST, 0, 1)).astype(np.uint8)


def _mel(padded: NDArray, starts: NDArray, filters: NDArray, media: Media) -> NDArray:
    """How much power each band has in the windows that begin there."""
    frames = padded[starts[:, None] + np.arange(media.window)] * np.hanning(media.window)
    return np.abs(np.fft.rfft(frames)) ** 2 @ filters


@lru_cache(maxsize=8)
def mel_filters(rate: int, window: int, n_bands: int) -> NDArray:
    """How much each band takes of each frequency: triangles between the corners of each;
    (window // 2 + 1, n_bands)."""
    corners = band_corners(rate, n_bands)
    frequencies = np.fft.rfftfreq(window, 1 / rate)[:, None]
    rising = (frequencies - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - frequencies) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


def _read(file: Path) -> tuple[int, NDArray]:
    """Samples per second, and the samples of all channels together, float64."""
    if missing := _missing_bytes(file):
        raise ValueError(f"cut short: its last {missing:,} bytes are missing")
    if file.suffix.lower() == ".wav":
        from scipy.io import wavfile

        try:
            rate, samples = wavfile.read(file)
            return int(rate), _mono(samples)
        except ValueError:  # a kind of WAV that SciPy does not know
            if not _has_soundfile():
                raise
    soundfile = _soundfile(file)
    samples, rate = soundfile.read(file)
    n_said = soundfile.info(file).frames
    if len(samples) < _WHOLE * n_said:
        raise ValueError(f"cut short: it has {len(samples):,} of {n_said:,} samples")
    return int(rate), _mono(samples)


def _missing_bytes(file: Path) -> int:
    """How many bytes of the samples that a WAV or AIFF file says it has are not there; the others would be
    read without a word. A program that does not know the length writes the largest there is, or none."""
    with file.open("rb") as opened:
        kind = opened.read(12)[:4]
        while kind in _SAMPLES and len(chunk := opened.read(8)) == 8:
            n_bytes = int.from_bytes(chunk[4:], "little" if kind == b"RIFF" else "big")
            at = opened.tell()
            if chunk[:4] == _SAMPLES[kind]:
                left = opened.seek(0, 2) - at
                return max(0, n_bytes - left) if n_bytes < _UNKNOWN_LENGTH else 0
            opened.seek(at + n_bytes + n_bytes % 2)
    return 0


def _soundfile(file: Path) -> Any:
    """The module soundfile.

    Raises
    ------
    DataError
        It is not installed.
    """
    if not _has_soundfile():
        raise DataError(f"{file}: needs soundfile to be read", "pip install 'threestep[sound]'")
    import soundfile

    return soundfile


def _mono(samples: NDArray) -> NDArray:
    """The mean of all channels, between -1 and 1 for whole numbers of any size."""
    if samples.dtype.kind in "iu":
        facts = np.iinfo(samples.dtype)
        middle = 128.0 if samples.dtype == np.uint8 else 0.0
        samples = (samples - middle) / (128.0 if samples.dtype == np.uint8 else float(facts.max))
    samples = np.asarray(samples, np.float64)
    return samples if samples.ndim == 1 else samples.mean(axis=1)


def _has_soundfile() -> bool:
    from importlib.util import find_spec

    return find_spec("soundfile") is not None
