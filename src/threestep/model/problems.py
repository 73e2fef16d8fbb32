"""What no model has: parts of a description that do not fit each other, or that no network can be made of."""

import math
from collections.abc import Iterator

from threestep.data import DATE_ORDERS, PICTURE_BITS, PLAIN, Form, Layout, Media
from threestep.limits import LEAST_CLIP
from threestep.model.records import Description
from threestep.network import Network

_MOST_AXES = 32
_MOST_OTHERS = 1000
LONGEST_AXIS = 1 << 31
_LONGEST_WINDOW = 1 << 20
_LARGEST_LABEL = 1 << 64
_MOST_LETTERS = 1 << 26  # of a column's levels side by side, each as long as the longest
_MOST_BINS = 1 << 16
_MOST_MEANS = 1 << 10
_LONGEST_UNIT = 1 << 10
_LARGEST_TEMPERATURE = 1e6
_LARGEST_NUMBER = 1e200  # times any float32 output it stays finite


def problems_of(description: Description, version: int) -> Iterator[str]:
    """What no model has, worst first: what comes later may rely on what came earlier.

    Parameters
    ----------
    description : Description
    version : int
        The oldest format that can hold it.
    """
    network, others = description.network, description.others
    if len(others) > _MOST_OTHERS:
        yield f"it has {len(others)} more networks, expected at most {_MOST_OTHERS}"
    if any(each.n_outputs != network.n_outputs for each in others):
        yield "its networks do not have the same outputs"
    yield from _layout_problems(description.layout, network, *others)
    yield from _target_problems(description)
    if not 0 < description.temperature <= _LARGEST_TEMPERATURE:
        yield "its temperature is not a usable number"
    if not 0 <= description.threshold <= 1 or (description.threshold != 0.5 and network.n_outputs != 2):
        yield "its threshold is not a confidence, or not of two classes"
    if description.shifts and len(description.shifts) != network.n_outputs:
        yield "its shifts are not one for each output"
    if not all(abs(shift) <= _LARGEST_NUMBER for shift in description.shifts):
        yield "its shifts are not usable numbers"
    if description.format != version:
        yield f"what it holds is not of format {description.format}"


def _layout_problems(layout: Layout, *networks: Network) -> Iterator[str]:
    names = [*layout.numbers, *(name for name, _ in (*layout.words, *layout.dates))]
    if layout.shape and (names or not is_shape(layout.shape)):
        yield "the samples are one array and also named columns, or of no possible shape"
    if len(set(names)) < len(names) or any(len(set(levels)) < len(levels) for _, levels in layout.words):
        yield "a column or a level stands twice"
    if any(not levels or len(levels) * max(map(len, levels)) > _MOST_LETTERS for _, levels in layout.words):
        yield "a column of words has no levels, or too long ones"
    yield from _mean_problems(layout)
    media = layout.media
    if media is not None and (media.shape != layout.shape or not _is_media(media)):
        yield "its files do not become samples of its shape"
    yield from _number_problems(layout)
    yield from _form_problems(layout)
    if any(order not in DATE_ORDERS for _, order in layout.dates):
        yield "its dates have an order that is not known"
    possible = {layout.n_inputs, layout.n_plain_inputs}
    if any(network.n_inputs not in possible for network in networks):
        yield f"the columns make {layout.n_inputs} inputs, the network takes {networks[0].n_inputs}"
    elif all(network.n_inputs < layout.n_inputs for network in networks):
        yield "it has bins that no network looks at"


def _mean_problems(layout: Layout) -> Iterator[str]:
    names, words = [name for name, _ in layout.means], dict(layout.words)
    if len(set(names)) < len(names) or not set(names) <= set(words):
        yield "a column with means is not there, or stands twice"
    elif any(
        len(set(levels)) < len(levels) or not set(words[name]) <= set(levels) for name, levels in layout.means
    ):
        yield "a level with means stands twice, or one with an input has none"
    if any(len(levels) * max(map(len, levels), default=0) > _MOST_LETTERS for _, levels in layout.means):
        yield "a column with means has too long levels"
    if bool(names) != bool(layout.n_means) or not 0 <= layout.n_means <= _MOST_MEANS:
        yield "it has levels without means, or means without levels"


def _number_problems(layout: Layout) -> Iterator[str]:
    n_numbers = math.prod(layout.shape) if layout.shape else len(layout.numbers)
    if any(not 0 <= gap < n_numbers for gap in layout.gaps) or list(layout.gaps) != sorted(set(layout.gaps)):
        yield "a column with gaps is not there, or not in order"
    if not set(layout.with_strays) <= set(layout.numbers):
        yield "a column with words among its numbers is not there"
    if layout.clip and (not LEAST_CLIP <= layout.clip < math.inf or layout.is_picture):
        yield "its clip is none, or of pixels"
    tails = list(layout.with_tails)
    if bool(layout.clip) != bool(tails):
        yield "it has a clip without numbers to clip, or these without a clip"
    if tails and (tails != sorted(set(tails)) or not 0 <= tails[0] <= tails[-1] < n_numbers):
        yield "a number with tails is not there, or not in order"
    if layout.bins and (len(layout.bins) != n_numbers or not all(0 <= n <= _MOST_BINS for n in layout.bins)):
        yield "its bins are not one small number for each number"


def _form_problems(layout: Layout) -> Iterator[str]:
    written = layout.written or ()
    forms = [Form(decimal, unit) for _, decimal, unit in written]
    if len({name for name, *_ in written}) < len(forms):
        yield "a column is written in two ways"
    if any(form.decimal not in (".", ",") or len(form.unit) > _LONGEST_UNIT for form in forms):
        yield "numbers are written in a way that is not known"
    if PLAIN in forms:
        yield "numbers that are written as usual are told of"


def _is_media(media: Media) -> bool:
    """Whether files can become arrays in this way."""
    of_sound = media.rate, media.window, media.hop
    if media.kind == "picture":
        return media.channels in (1, 3) and of_sound == (0, 0, 0) and media.bits in (0, *PICTURE_BITS)
    is_small = all(0 < each <= LONGEST_AXIS for each in of_sound) and media.window <= _LONGEST_WINDOW
    is_sound = media.kind == "sound" and media.channels == 1 and not media.bits
    return is_sound and is_small and media.window > 1


def _target_problems(description: Description) -> Iterator[str]:
    target, goodness, number = description.target, description.goodness, description.number
    is_classes = target.kind == "classes"
    if target.kind not in ("classes", "number", "labels") or is_classes != bool(target.classes):
        yield "the target is neither classes nor numbers nor labels"
    if not 0 < target.n_columns <= LONGEST_AXIS or (target.n_columns > 1 and is_classes):
        yield "the target has no possible number of columns"
    if len({str(label) for label in target.classes}) < len(target.classes):
        yield "a class stands twice"
    if any(type(label) is int and abs(label) >= _LARGEST_LABEL for label in target.classes):
        yield "a class is too large a number"
    n_outputs = len(goodness.quantiles) or target.n_outputs
    if n_outputs != description.network.n_outputs:
        yield f"the target needs {n_outputs} outputs, the network has {description.network.n_outputs}"
    if goodness.kind != target.kind or not 0 <= goodness.label_smoothing < 1:
        yield "the loss does not fit the target"
    if not (abs(goodness.gamma) <= _LARGEST_NUMBER and 0 < goodness.delta <= _LARGEST_NUMBER):
        yield "the loss has no usable gamma or delta"
    centers, scales = (each if isinstance(each, tuple) else (each,) for each in (number.center, number.scale))
    if {len(centers), len(scales)} != {target.n_columns if target.kind == "number" else 1}:
        yield "the target's center or scale is not one for each number"
    if not all(abs(center) <= _LARGEST_NUMBER for center in centers) or not all(
        0 < scale <= _LARGEST_NUMBER for scale in scales
    ):
        yield "the target's center or scale is not a usable number"


def is_shape(shape: tuple[int, ...]) -> bool:
    """Whether an array can have this shape; small enough to multiply without fear."""
    return 0 < len(shape) <= _MOST_AXES and all(0 < size <= LONGEST_AXIS for size in shape)
