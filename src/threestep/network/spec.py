"""A line of text to a network: `128-64 tanh`."""

from threestep.errors import SpecError, did_you_mean
from threestep.network.activations import ACTIVATION_NAMES
from threestep.network.layers import Dense
from threestep.network.network import Network

_MOST_LAYERS = 1000
_WIDEST = 1 << 16
_HINT = "expected widths with `-` between and perhaps an activation: `128-64`, `64-64 tanh`, or nothing"


def parse(spec: str, input_shape: tuple[int, ...], n_outputs: int, output: str = "linear") -> Network:
    """Make the network that a line of text describes.

    Parameters
    ----------
    spec : str
        Hidden widths, then optionally their activation (relu if not given); "" for no hidden layer.
        An `r` before a width makes that layer residual: its input is added to its output.
    input_shape : tuple of int
        Of one sample.
    n_outputs : int
        Classes, or 1 for a number.
    output : str
        Activation of the output layer; "linear" leaves logits to the loss.

    Raises
    ------
    SpecError
        With the part that cannot be read.

    Examples
    --------
    >>> import threestep as ts
    >>> print(ts.network.parse("64-32 tanh", input_shape=(8,), n_outputs=3))
    8 → 64 tanh → 32 tanh → 3
    """
    if min(*input_shape, n_outputs, 1) < 1:
        raise SpecError(
            f"network: got input shape {input_shape} and {n_outputs} outputs, expected at least one of each"
        )
    widths_text, activation = _two_parts(spec)
    for name in (activation, output):
        if name not in ACTIVATION_NAMES:
            raise SpecError(f"network {spec!r}: no activation {name!r}", did_you_mean(name, ACTIVATION_NAMES))
    parts = widths_text.split("-") if widths_text else []
    if len(parts) > _MOST_LAYERS:
        raise SpecError(f"network: got {len(parts)} hidden layers, expected at most {_MOST_LAYERS}", _HINT)
    hidden = tuple(
        Dense(_width(part.removeprefix("r"), spec), activation, part.startswith("r")) for part in parts
    )
    return Network(tuple(input_shape), (*hidden, Dense(n_outputs, output)))


def spec_of(network: Network) -> str:
    """The line of text that `parse` makes this network of: all hidden layers share one activation.

    Examples
    --------
    >>> import threestep as ts
    >>> ts.network.spec_of(ts.network.parse("64-r64 tanh", input_shape=(8,), n_outputs=3))
    '64-r64 tanh'
    """
    if not network.hidden:
        return ""
    widths = "-".join(f"{'r' if layer.residual else ''}{layer.width}" for layer in network.hidden)
    return f"{widths} {network.hidden[0].activation}"


def _two_parts(spec: str) -> tuple[str, str]:
    """The widths and the activation's name."""
    words = spec.split()
    if len(words) > 2:
        raise SpecError(f"network {spec!r}: got {len(words)} words, expected at most two", _HINT)
    if not words:
        return "", "relu"
    if len(words) == 1:
        return (words[0], "relu") if _is_widths(words[0]) else ("", words[0])
    return words[0], words[1]


def _is_widths(word: str) -> bool:
    """Whether a word gives widths rather than an activation."""
    return word.removeprefix("r")[:1] in set("0123456789-")


def _width(part: str, spec: str) -> int:
    """One hidden width."""
    if not (part.isascii() and part.isdigit()):
        raise SpecError(
            f"network {spec!r}: got {part!r} where a width belongs, expected a whole number", _HINT
        )
    width = int(part[:12])
    if len(part) > 12 or not 1 <= width <= _WIDEST:
        raise SpecError(f"network {spec!r}: got width {part[:12]}, expected 1 to {_WIDEST}", _HINT)
    return width
