"""Why deep is hard: stacks of convolutions of growing depth, and what keeps them learning.

For each stack the size of the gradient at every layer, at the start and after training, and the training
curve. Sigmoids make the gradient smaller at every layer (Hochreiter 1991; Bengio et al. 1994,
doi:10.1109/72.279181); plain stacks of relu learn worse the deeper they are, though a deeper one could do
what a shallower one does (He et al. 2016, arXiv:1512.03385); normalization and residuals mend it.
"""

import time
from collections.abc import Generator
from dataclasses import asdict, dataclass, fields
from math import log10
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from threestep.data import Table, encode, encode_target, fit_prep, labelled, read, split, understand_target
from threestep.errors import DataError, SettingsError
from threestep.goodness import Goodness
from threestep.network import Network, Params, Training, parse
from threestep.pick import Samples, descend
from threestep.settings import Descent
from threestep.study.notebook import health_html

DEPTHS = (8, 20, 56, 152)
_WIDTH, _EPOCHS, _BATCH, _RATE = 16, 6, 64, 1e-2
_MOST_SAMPLES = 2000
_SMALLEST = 8  # sides of pictures
_NOTHING = 0.05  # of the loss of knowing nothing: less than that below it is nothing learned
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
Event = dict[str, Any]


class Kind(NamedTuple):
    """A way to stack layers."""

    name: str
    word: str  # in a network's description
    activation: str
    norm: str


KINDS = (
    Kind("sigmoid, plain", "plain", "sigmoid", "none"),
    Kind("relu, plain", "plain", "relu", "none"),
    Kind("relu, normalized", "plain", "relu", "batch"),
    Kind("relu, normalized, residual", "res", "relu", "batch"),
)


@dataclass(frozen=True)
class Stack:
    """What became of one stack.

    Parameters
    ----------
    kind : str
    depth : int
        Layers with weights.
    network : str
    at_start, in_the_end : tuple of float
        Size of the gradient at each layer of the stack, the first layer first: root mean square over its
        weights.
    losses : tuple of float
        Training loss of each epoch; where it ends early, it exploded.
    accuracy : float
        On the validation samples.
    """

    kind: str
    depth: int
    network: str
    at_start: tuple[float, ...]
    in_the_end: tuple[float, ...]
    losses: tuple[float, ...]
    accuracy: float


@dataclass(frozen=True)
class Health:
    """What becomes of stacks of growing depth.

    Parameters
    ----------
    data : str
    guess_loss : float
        Of knowing nothing.
    stacks : tuple of Stack
    sentences : tuple of str
        What there is to see, kind by kind.
    seconds : float
    n_train, n_valid, epochs : int
        Samples that were learned from and that judged, and how often at most the first were gone through.
    folder : Path or None
    """

    data: str
    guess_loss: float
    stacks: tuple[Stack, ...]
    sentences: tuple[str, ...]
    seconds: float
    n_train: int
    n_valid: int
    epochs: int
    folder: Path | None = None

    def __repr__(self) -> str:
        return f"<Health of {len(self.stacks)} stacks on {self.data}>"

    @property
    def table(self) -> list[list[str]]:
        """Right answers by kind and depth: the heads of the columns, then a row for each kind."""
        depths = list(dict.fromkeys(each.depth for each in self.stacks))
        rows = [["right answers", *(f"{depth} layers" for depth in depths)]]
        for kind in dict.fromkeys(each.kind for each in self.stacks):
            rows.append([kind, *(f"{each.accuracy:.1%}" for each in self.stacks if each.kind == kind)])
        return rows

    def _repr_html_(self) -> str:
        """The short form that a notebook shows."""
        return health_html(self)


def health_steps(
    source: object, depths: tuple[int, ...] = DEPTHS, epochs: int = _EPOCHS, seed: int = 0
) -> Generator[Event, None, Health]:
    """Train stacks of every kind and depth on pictures.

    Parameters
    ----------
    source : anything `threestep.data.read` takes
        Pictures with classes.
    depths : tuple of int
        Layers with weights, even numbers from 4 on.
    epochs : int
    seed : int

    Yields
    ------
    dict
        "tick": stacks done, of how many.

    Raises
    ------
    UserError
        No pictures, no classes, or impossible depths.
    """
    began = time.perf_counter()
    if not depths or any(depth < 4 or depth % 2 or depth > 1000 for depth in depths):
        raise SettingsError(
            f"`depths` is {depths}; must be even numbers from 4 to 1,000", "such as 8 20 56 152"
        )
    table = labelled(read(source))
    shape, n_classes, train, valid = _samples(table, seed)
    goodness, stacks = Goodness("cross_entropy"), list[Stack]()
    todo = [(kind, depth) for kind in KINDS for depth in depths]
    for place, (kind, depth) in enumerate(todo):
        yield {"event": "tick", "what": f"{kind.name}, {depth} layers", "n_done": place, "n": len(todo)}
        # the first and the last layer are of their own, and a block has two
        spec = (
            f"conv{_WIDTH}s2-{kind.word}{_WIDTH}x{(depth - 2) // 2}-globalpool {kind.activation} {kind.norm}"
        )
        network = parse(spec, shape, n_classes)
        stacks.append(_stack(kind, depth, network, (goodness, train, valid, epochs, seed)))
    shares = np.bincount(train.y)[np.unique(train.y)] / len(train.y)
    guess = float(-(shares * np.log(shares)).sum())  # of who knows only how frequent the classes are
    return Health(
        table.name,
        guess,
        tuple(stacks),
        _sentences(stacks, guess),
        round(time.perf_counter() - began, 1),
        len(train.y),
        len(valid.y),
        epochs,
    )


def _samples(table: Table, seed: int) -> tuple[tuple[int, ...], int, Samples, Samples]:
    """Some pictures, divided.

    Raises
    ------
    DataError
    """
    target = understand_target(np.asarray(table.y), table.y_name)
    shape = np.asarray(table.x).shape[1:] if isinstance(table.x, np.ndarray) else ()
    if target.kind != "classes" or not 2 <= len(shape) <= 3 or min(shape[:2]) < _SMALLEST:
        raise DataError(
            f"{table.name}: needs pictures of at least {_SMALLEST} pixels a side, with classes",
            "such as digits, a folder of pictures or images.gz,labels.gz",
        )
    rows = np.random.default_rng(seed).permutation(table.n_samples)[:_MOST_SAMPLES]
    parts = split(table.take(np.sort(rows)), 0.25, 0.0, seed, by_class=True)
    prep = fit_prep(parts.train, target)
    train, valid = (Samples(encode(prep, each), encode_target(prep, each)) for each in parts[:2])
    return shape, len(target.classes), train, valid


def _stack(kind: Kind, depth: int, network: Network, context: tuple) -> Stack:
    goodness, train, valid, epochs, seed = context
    settings = Descent(epochs=epochs, batch_size=_BATCH, learning_rate=_RATE, patience=epochs)
    start = network.init(seed)
    history, picked = [], None
    blocks = descend(network, goodness, train, valid, settings, seed)
    while picked is None:
        try:
            history += next(blocks)
        except StopIteration as end:
            picked = end.value
    at_start, in_the_end = (
        tuple(gradient_sizes(network, goodness, params, train)) for params in (_awake(start), picked.params)
    )
    scores = [row.valid_score for row in history if np.isfinite(row.valid_score)]
    losses = tuple(float(row.train_loss) for row in history if np.isfinite(row.train_loss))
    return Stack(kind.name, depth, str(network), at_start, in_the_end, losses, max(scores, default=0.0))


def _awake(params: Params) -> Params:
    """With all scales 1: residual blocks begin as if they were not there, with no gradient to see."""
    return tuple(
        {name: np.ones_like(array) if name.endswith("scale") else array for name, array in own.items()}
        for own in params
    )


def gradient_sizes(network: Network, goodness: Goodness, params: Params, samples: Samples) -> list[float]:
    """Root mean square of the gradient of each layer's weights on a batch, the first layer first; of a row of
    blocks one number for each of their convolutions."""
    x, y = jnp.asarray(samples.x[:_BATCH]), jnp.asarray(samples.y[:_BATCH])
    training = Training(jax.random.key(0)) if network.is_normalized else None

    def loss(params: Params) -> jax.Array:
        return goodness.losses(network.apply(params, x, training), y).mean()

    sizes = list[float]()
    for own in jax.jit(jax.grad(loss))(params):
        weights = {name: np.asarray(array) for name, array in own.items() if name.endswith("weight")}
        sizes += _sizes(weights)
    return sizes


def _sizes(weights: dict[str, NDArray]) -> list[float]:
    """Of each convolution of a layer in the order in which they come."""
    if set(weights) <= {"weight"}:
        return [_size(array) for array in weights.values()]
    order = [weights[name] for name in ("first.weight", "second.weight", "third.weight") if name in weights]
    if order[0].ndim == 4:  # one block
        return [_size(array) for array in order]
    return [_size(array[block]) for block in range(len(order[0])) for array in order]


def _size(array: NDArray) -> float:
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))


def _sentences(stacks: list[Stack], guess: float) -> tuple[str, ...]:
    """What there is to see of each kind."""
    found = []
    for kind in KINDS:
        own = [each for each in stacks if each.kind == kind.name]
        deepest, shallowest = own[-1], own[0]
        fall = _fall(list(deepest.at_start))
        learned = [each for each in own if _has_learned(each, guess)]
        far = f"of {deepest.depth} layers the first begins with a gradient {fall} as large as the last one "
        far += "before the output"
        if len(learned) == len(own):
            first, last = (
                f"{each.depth} layers: {100 * each.accuracy:.1f} % right" for each in (shallowest, deepest)
            )
            text = f"all depths learn ({first}; {last})"
        elif learned:
            which = ", ".join(str(each.depth) for each in own if each not in learned)
            text = f"{', '.join(str(each.depth) for each in learned)} layers learn, {which} do not"
        else:
            text = f"no depth learns (at best {100 * max(each.accuracy for each in own):.1f} % right)"
        found.append(f"{kind.name}: {text}; {far}.")
    return tuple(found)


def _fall(sizes: list[float]) -> str:
    """How much smaller the gradient is at the first layer than at the last of the stack."""
    first, last = sizes[0], sizes[-2] if len(sizes) > 1 else sizes[-1]
    if not np.isfinite([first, last]).all() or last == 0:
        return "zero times" if first == 0 else "beyond numbers"
    share = first / last
    if share == 0:
        return "zero times"
    return (
        f"10{f'{log10(share):.0f}'.translate(_SUPERSCRIPTS)} times"
        if share < 0.01 or share > 100
        else f"{share:.2g} times"
    )


def _has_learned(stack: Stack, guess: float) -> bool:
    """Whether the loss fell clearly below that of knowing nothing."""
    return bool(stack.losses) and stack.losses[-1] < (1 - _NOTHING) * guess


def plain_health(found: Health) -> dict[str, Any]:
    """As plain data; what is not finite as None."""
    plain = {each.name: getattr(found, each.name) for each in fields(found) if each.name != "folder"}
    return {**plain, "stacks": [_finite(asdict(each)) for each in found.stacks]}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
