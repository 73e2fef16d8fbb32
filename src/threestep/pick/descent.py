"""Pick the best params of one network: gradient descent, driven from the host.

The host hands the compiled program a block of epochs at a time: long enough that calling costs
nothing, and of about half a second where an epoch is shorter than that, so that progress is seen
and an interrupt is heard.
"""

from collections.abc import Callable, Generator, Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from threestep.devices import prepare
from threestep.errors import DataError
from threestep.goodness import Goodness
from threestep.network import Network, Params
from threestep.pick.outcome import Outcome
from threestep.pick.program import EpochRow, Judged, Rates, Recipe, State, Task, run_block, start
from threestep.settings import Descent, check_settings, usual_patience

_STEPS_PER_BLOCK = 2000
_WORK_PER_BLOCK = 50_000_000_000  # floating-point operations
_MOST_EPOCHS_PER_BLOCK = 50
_JUDGE_BLOCK = 1024
_DEFAULT_EPOCHS = 80
_DEFAULT_BATCH = 64

_start = jax.jit(start, static_argnums=0)
_run_block = jax.jit(run_block)  # nothing is donated: an interrupt must find the state whole
_apply = jax.jit(Network.apply, static_argnums=0)
_losses = jax.jit(Goodness.losses, static_argnums=0)
_BLOCK_SIZES = (1, 32, 1024)


class Samples(NamedTuple):
    """Encoded samples.

    Parameters
    ----------
    x : array of shape (n_samples, n_inputs), float32
    y : array of shape (n_samples,)
        int32 class indices or float32 numbers.
    """

    x: NDArray
    y: NDArray


class Picked(NamedTuple):
    """The function that was picked, and how.

    Parameters
    ----------
    network : Network
    params : Params
        Of the epoch with the lowest validation loss.
    history : list of EpochRow
        One per epoch that ran.
    best_epoch : int
        0: no epoch ended with a finite validation loss; these are the params of the random start.
    outcome : Outcome
    """

    network: Network
    params: Params
    history: list[EpochRow]
    best_epoch: int
    outcome: Outcome


def train(
    network: Network,
    goodness: Goodness,
    train: Samples | tuple,
    valid: Samples | tuple,
    settings: Descent = Descent(),
    seed: int = 0,
) -> Picked:
    """Pick the best params of one network by gradient descent.

    Parameters
    ----------
    network : Network
        The set of functions.
    goodness : Goodness
        Their loss.
    train, valid : Samples or (x, y)
        x (n_samples, n_inputs) float32; y (n_samples,) class indices or numbers. The first are
        learned from, the second choose the epoch.
    settings : Descent
    seed : int
        Start, order of the samples and dropout follow from it: same seed, same bits.

    Raises
    ------
    DataError
        Shapes that do not fit each other or the network.
    SettingsError
        A setting outside its range.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> x = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    >>> y = (x[:, 0] > 0).astype(np.int32)
    >>> picked = ts.pick.train(
    ...     ts.network.parse("8", input_shape=(2,), n_outputs=2),
    ...     ts.goodness.Goodness("cross_entropy"),
    ...     train=(x[:150], y[:150]), valid=(x[150:], y[150:]),
    ... )
    >>> picked.outcome.sentence
    'all epochs done'
    """
    return picked_of(descend(network, goodness, train, valid, settings, seed))


def picked_of(blocks: Generator[list[EpochRow], None, Picked]) -> Picked:
    """Run a descent to its end without looking on."""
    while True:
        try:
            next(blocks)
        except StopIteration as end:
            return end.value


def descend(
    network: Network,
    goodness: Goodness,
    train: Samples | tuple,
    valid: Samples | tuple,
    settings: Descent = Descent(),
    seed: int = 0,
) -> Generator[list[EpochRow], None, Picked]:
    """As `train`, a block of epochs at a time: yields their rows, returns what was picked.

    An interrupt (Ctrl-C) ends it with the best so far.
    """
    check_settings(settings, seed)
    prepare()
    learn, choose = _checked(network, goodness, train), _checked(network, goodness, valid)
    n_samples = len(learn.y)
    batch_size = min(settings.batch_size or _DEFAULT_BATCH, n_samples)
    n_epochs = settings.epochs or _DEFAULT_EPOCHS
    n_steps = -(-n_samples // batch_size)
    recipe = Recipe(
        network,
        goodness,
        settings.optimizer,
        has_dropout=bool(settings.dropout),
        has_input_dropout=bool(settings.input_dropout),
    )
    key, rates = jax.device_put(np.uint32(seed)), _rates(settings, n_epochs, n_steps)
    task = Task(recipe, rates, key, jnp.asarray(learn.x), jnp.asarray(learn.y), _judged(choose))
    state = _start(task.recipe, task.seed)
    later, history = state, list[EpochRow]()
    interrupted = False
    try:
        most_steps = _steps_per_block(network, batch_size)
        for orders in _orders(seed, n_samples, batch_size, n_epochs, most_steps):
            later, rows = _run_block(task, orders, state)
            block = _rows_on_host(rows)  # waits; only then is the block done
            state, history = later, history + block
            yield block
            if int(state.outcome) != Outcome.RUNNING:
                break
    except KeyboardInterrupt:
        jax.block_until_ready(later)  # a process must not end while its device computes
        interrupted = int(state.outcome) == Outcome.RUNNING
    return _picked(network, state, history, interrupted)


def outputs_of(network: Network, params: Params, x: NDArray) -> NDArray:
    """The network's outputs for any number of samples, compiled for three numbers only.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_inputs), float32

    Returns
    -------
    ndarray of shape (n_samples, n_outputs), float32
    """
    prepare()
    return _in_blocks(lambda block: _apply(network, params, block), x)


def losses_of(goodness: Goodness, outputs: NDArray, y: NDArray) -> NDArray:
    """Loss of each sample, shape (n_samples,), from outputs and targets; see `outputs_of`."""
    prepare()
    return _in_blocks(lambda *block: _losses(goodness, *block), outputs, y)


def _in_blocks(function: Callable[..., Array], *arrays: NDArray) -> NDArray:
    """A compiled function over samples, in blocks of a few fixed sizes filled up with zeros."""
    n_samples = len(arrays[0])
    results, at = [], 0
    while at < n_samples or not results:
        left = n_samples - at
        size = next((size for size in _BLOCK_SIZES if size >= left), _BLOCK_SIZES[-1])
        block = [_filled(array[at : at + size], size) for array in arrays]
        results.append(np.asarray(function(*block))[: min(left, size)])
        at += size
    return np.concatenate(results)


def _filled(array: NDArray, size: int) -> NDArray:
    """The array with rows of zeros up to that size."""
    short = size - len(array)
    return np.concatenate([array, np.zeros((short, *array.shape[1:]), array.dtype)]) if short else array


def _checked(network: Network, goodness: Goodness, samples: Samples | tuple) -> Samples:
    """Samples in the network's own dtype, once they fit it."""
    x = np.asarray(samples[0], np.float32)
    y = np.asarray(samples[1])
    if x.ndim < 2 or len(x) == 0 or len(x) != len(y) or y.ndim != 1:
        raise DataError(
            f"samples: got x of shape {x.shape} and y of shape {y.shape}, "
            "expected (n_samples, n_inputs) and (n_samples,)"
        )
    x = x.reshape(len(x), -1)
    if x.shape[1] != network.n_inputs:
        raise DataError(f"samples: got {x.shape[1]} inputs, the network has {network.n_inputs}")
    if y.dtype.kind not in ("biu" if goodness.is_for_classes else "biuf"):
        wanted = "class indices (int)" if goodness.is_for_classes else "numbers"
        raise DataError(f"samples: got y of type {y.dtype}, expected {wanted}")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise DataError(
            "samples: got NaN or infinite numbers, expected finite ones", "fill or drop them first"
        )
    if not goodness.is_for_classes:
        if network.n_outputs != 1:
            raise DataError(f"network: got {network.n_outputs} outputs, expected 1 for {goodness.loss}")
        return Samples(x, y.astype(np.float32))
    if y.min() < 0 or y.max() >= network.n_outputs:
        raise DataError(
            f"samples: y must be class indices from 0 to {network.n_outputs - 1}, got {y.min()} to {y.max()}"
        )
    return Samples(x, y.astype(np.int32))


def _rates(settings: Descent, n_epochs: int, n_steps: int) -> Rates:
    """The settings that tune the program, as arrays."""
    return Rates(
        **jax.device_put(
            {
                "learning_rate": np.float32(settings.learning_rate),
                "weight_decay": np.float32(settings.weight_decay),
                "warmup_fraction": np.float32(settings.warmup_fraction),
                "dropout": np.float32(settings.dropout or 0.0),
                "input_dropout": np.float32(settings.input_dropout or 0.0),
                "n_epochs": np.int32(n_epochs),
                "n_steps": np.int32(n_steps),
                "patience": np.int32(settings.patience or usual_patience(n_epochs)),
            }
        )
    )


def _judged(samples: Samples) -> Judged:
    """Samples in equal blocks, the last one filled up with weightless zeros."""
    x, y = np.asarray(samples.x), np.asarray(samples.y)
    size = min(_JUDGE_BLOCK, len(y))
    n_blocks = -(-len(y) // size)
    short = n_blocks * size - len(y)
    weight = np.concatenate([np.ones(len(y), np.float32), np.zeros(short, np.float32)])
    x = np.concatenate([x, np.zeros((short, x.shape[1]), x.dtype)])
    y = np.concatenate([y, np.zeros(short, y.dtype)])
    shape = (n_blocks, size)
    return Judged(
        jnp.asarray(x.reshape(*shape, -1)), jnp.asarray(y.reshape(shape)), jnp.asarray(weight.reshape(shape))
    )


def _steps_per_block(network: Network, batch_size: int) -> int:
    """Steps that one call may take, about half a second of work; a call never takes less than one epoch."""
    work = 6 * network.n_products * batch_size  # forward, and twice as much backward
    return min(_STEPS_PER_BLOCK, max(1, _WORK_PER_BLOCK // work))


def _orders(
    seed: int, n_samples: int, batch_size: int, n_epochs: int, most_steps: int | None = None
) -> Iterable[NDArray]:
    """Row numbers for one block of epochs after another, (block, n_steps, batch_size) int32.

    An epoch's order is a pure function of (seed, epoch), so a resumed run needs no iterator state.
    It is drawn on the host: XLA sorts about twenty times slower than NumPy shuffles on a CPU.
    """
    n_steps = -(-n_samples // batch_size)
    most_steps = most_steps or _STEPS_PER_BLOCK
    block = max(1, min(most_steps // n_steps, _MOST_EPOCHS_PER_BLOCK, n_epochs))
    filler = np.full(n_steps * batch_size - n_samples, -1, np.int32)
    for first in range(0, n_epochs, block):
        orders = [
            np.concatenate(
                [np.random.default_rng([seed, epoch]).permutation(n_samples).astype(np.int32), filler]
            )
            for epoch in range(first, first + block)
        ]
        yield np.stack(orders).reshape(block, n_steps, batch_size)


def _rows_on_host(rows: EpochRow) -> list[EpochRow]:
    """One row per epoch that ran, as Python numbers."""
    columns = [np.asarray(column).tolist() for column in rows]
    return [EpochRow(*values) for values in zip(*columns, strict=True) if values[0] > 0]


def _picked(network: Network, state: State, history: list[EpochRow], interrupted: bool) -> Picked:
    """What the state says was picked."""
    outcome = Outcome.INTERRUPTED if interrupted else Outcome(int(state.outcome))
    params = jax.tree.map(np.asarray, state.best_params)
    return Picked(network, params, history, int(state.best_epoch), outcome)
