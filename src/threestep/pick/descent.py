"""Pick the best params of one network: gradient descent, driven from the host.

The host hands the compiled program a block of epochs at a time, or a section of an epoch where that is
long: enough that calling costs nothing, and about half a second, so that progress is seen and an
interrupt is heard.
"""

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, wait
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import Array
from numpy.typing import NDArray

from threestep.devices import beside, is_cpu, prepare
from threestep.errors import DataError, SettingsError
from threestep.goodness import Goodness
from threestep.limits import check_settings
from threestep.network import Network, Params
from threestep.pick.augmentation import Augmentation
from threestep.pick.compiled import called
from threestep.pick.input_scale import folded, scales_inputs
from threestep.pick.outcome import Outcome
from threestep.pick.program import EpochRow, Section, State, run_block, sections_of, start, steps_ahead
from threestep.pick.samples import (
    Samples,
    check_fit,
    checked,
    epoch_order,
    filled,
    judged_in_blocks,
    rates_of,
)
from threestep.pick.step import Recipe, Task
from threestep.settings import CHANGES, Descent

_STEPS_PER_BLOCK = 2000
_WORK_PER_BLOCK = {True: 5e10, False: 5e13}  # floating-point operations on a CPU, on other devices
_MOST_EPOCHS_PER_BLOCK = 50
_DEFAULT_EPOCHS = 80
_DEFAULT_BATCH = 64

_LOOK_SECONDS = 0.1
_BLOCK_SIZES = (1, 32, 1024)
_PICTURE_BLOCK_SIZES = (1, 32, 128)  # what a layer makes of them stays in the cache


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
        learned from, the second choose the epoch. Weights (n_samples,) may come third.
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
    deadline: float = float("inf"),
    params: Params | None = None,
) -> Generator[list[EpochRow], None, Picked]:
    """As `train`, a block of epochs at a time, from a random start or from params: yields their rows,
    returns what was picked.

    It yields no rows at once, and about ten times a second while the first block is compiled, which cannot
    be broken off: so whoever looks on can interrupt it there, too.

    An interrupt (Ctrl-C) ends it with the best so far, and so does the deadline, on the clock of
    `time.perf_counter`.
    """
    task, state, blocks = _begun(network, goodness, (train, valid), settings, seed, params)
    started, history = None, list[EpochRow]()
    cut = Outcome.OUT_OF_TIME  # what it is if it is still running in the end
    quickest: dict[int, float] = {}  # seconds of a block by its first step, of those not compiled first
    try:
        for number, (orders, section) in enumerate(blocks):
            began = time.perf_counter()
            if number == 0:
                first = beside(_done, task, orders, state, section)
                yield []
                while not wait([first], _LOOK_SECONDS).done:
                    yield []
                later, block = first.result()
            else:
                started = _run_block(task, orders, state, section)
                later, block = started[0], _rows_on_host(started[1])
            state, history = later, history + block
            if number > 0:
                step = 0 if section is None else int(section.first)
                quickest[step] = min(quickest.get(step, math.inf), time.perf_counter() - began)
            yield block
            likely_end = time.perf_counter() + max(quickest.values(), default=0.0)
            if int(state.outcome) != Outcome.RUNNING or likely_end >= deadline:
                break
    except KeyboardInterrupt:
        jax.block_until_ready(started)  # a process must not end while its device computes
        cut = Outcome.INTERRUPTED
    return _picked(network, state, history, cut)


def _done(task: Task, orders: NDArray, state: State, section: Section | None) -> tuple[State, list[EpochRow]]:
    """A block, once it has come to its end."""
    state, rows = _run_block(task, orders, state, section)
    return state, _rows_on_host(rows)


def _run_block(task: Task, orders: NDArray, state: State, section: Section | None) -> tuple[State, EpochRow]:
    """A block, begun. Nothing is given away: an interrupt must find the state whole."""
    network = task.recipe.network
    like = state, EpochRow(*EpochRow._fields)
    has_pictures = isinstance(network, Network) and not network.is_dense
    return called(_block, None, like, task, orders, state, section, has_pictures=has_pictures)


def _block(about: None, *arguments: Any) -> tuple[State, EpochRow]:
    return run_block(*arguments)


def _outputs(network: Network, params: Params, x: NDArray) -> Array:
    return called(Network.apply, network, x, params, x, has_pictures=not network.is_dense)


def compile_ahead(
    network: Network, goodness: Goodness, train: Samples | tuple, valid: Samples | tuple, settings: Descent
) -> Future[None]:
    """Compile what `descend` and `outputs_of` will need, in another thread, that nobody need wait for.

    Whoever begins that descent before waits for it.
    """
    return beside(_compile, network, goodness, (train, valid), settings)


def _compile(
    network: Network, goodness: Goodness, samples: tuple[Samples | tuple, Samples | tuple], settings: Descent
) -> None:
    """Call the program for a descent that is over already: it does nothing but to be compiled."""
    task, state, blocks = _begun(network, goodness, samples, settings)
    orders, section = next(blocks)
    _run_block(task, orders, state._replace(outcome=np.int32(Outcome.FINISHED)), section)
    for size in _PICTURE_BLOCK_SIZES[:0:-1]:  # the largest first, single pictures not
        outputs_of(network, state.params, np.zeros((size, network.n_inputs), np.float32))


def _begun(
    network: Network,
    goodness: Goodness,
    samples: tuple[Samples | tuple, Samples | tuple],
    settings: Descent,
    seed: int = 0,
    params: Params | None = None,
) -> tuple[Task, State, Iterator[tuple[NDArray, Section | None]]]:
    """The task, the state in the beginning, and what each call of the program does."""
    check_settings(settings, seed)
    prepare()
    (train, valid) = samples
    learn, choose = (checked(goodness, each, may_be_whole=True) for each in (train, valid))
    if learn.scale != choose.scale:
        raise DataError("samples: got two scales, expected one for those to learn from and to choose by")
    check_fit(network, goodness, learn, choose)
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
        has_input_rate=network.is_dense and settings.input_rate not in (None, 1),
        has_input_scaling=scales_inputs(network, settings),
        augmentation=_augmentation(network, settings),
        in_bfloat16=is_in_bfloat16(network, settings),
        drop_path=_drop_path(network, settings),
    )
    rates = rates_of(settings, n_epochs, n_steps)
    # zeros that fill a block up cost as much as pictures do
    sizes = {} if network.is_dense else {"fewest": 1, "most": _PICTURE_BLOCK_SIZES[-1]}
    judged = judged_in_blocks(choose, **sizes)
    scale = None if learn.scale is None else np.float32(learn.scale)
    # on a CPU nothing is copied: samples in a file are read from there, those of a batch at a time
    task = Task(recipe, *jax.device_put((rates, np.uint32(seed), None, *learn[:3], judged, scale)))
    state = start(recipe, network.init(seed) if params is None else params, judged.weight.shape, batch_size)
    most_steps = _steps_per_block(network, batch_size)
    sections = sections_of(n_steps, most_steps, steps_ahead(batch_size, n_steps, network.n_inputs))
    blocks = _orders(seed, n_samples, batch_size, n_epochs, most_steps)
    return task, state, ((orders, section) for orders in blocks for section in sections)


def outputs_of(network: Network, params: Params, x: NDArray) -> NDArray:
    """The network's outputs for any number of samples, a block at a time: of a dense one by NumPy, so that
    nothing is compiled; else by a program for a few sizes of blocks.

    Parameters
    ----------
    x : ndarray of shape (n_samples, n_inputs), float32

    Returns
    -------
    ndarray of shape (n_samples, n_outputs), float32
    """
    if not network.is_dense:
        prepare()
        x = np.asarray(x, np.float32)
        return _in_blocks(lambda block: _outputs(network, params, block), x, _PICTURE_BLOCK_SIZES)
    starts = range(0, max(len(x), 1), _BLOCK_SIZES[-1])
    return np.concatenate([network.predict(params, x[at : at + _BLOCK_SIZES[-1]]) for at in starts])


def losses_of(goodness: Goodness, outputs: NDArray, y: NDArray) -> NDArray:
    """Loss of each sample, shape (n_samples,), from outputs and targets; see `outputs_of`. By NumPy: it is
    asked for when a budget is nearly over, and a program would take longer to compile than all answers."""
    return goodness.losses(np.asarray(outputs), np.asarray(y))


def _in_blocks(function: Callable[[NDArray], Array], x: NDArray, sizes: tuple[int, ...]) -> NDArray:
    """A compiled function over samples, in blocks of a few fixed sizes filled up with zeros."""
    results, at = [], 0
    while at < len(x) or not results:
        left = len(x) - at
        size = next((size for size in sizes if size >= left), sizes[-1])
        results.append(np.asarray(function(filled(x[at : at + size], size)))[: min(left, size)])
        at += size
    return np.concatenate(results)


def _augmentation(network: Network, settings: Descent) -> Augmentation | None:
    """How pictures are changed while they are learned from, if they are.

    Raises
    ------
    SettingsError
        The network does not see its inputs as a picture.
    """
    asked = [name for name in CHANGES if getattr(settings, name)]
    if not asked:
        return None
    if network.is_dense or len(network.first_shape) != 3:
        raise SettingsError(f"`{asked[0]}` for a network of neurons only", "use one such as `conv32-dense64`")
    height, width, channels = network.first_shape
    share = settings.shift or 0.0
    sideways = share if settings.shift_width is None else settings.shift_width
    moves = round(share * height), round(sideways * width)
    others = settings.noise or 0.0, settings.mixup or 0.0
    return Augmentation((height, width, channels), moves, bool(settings.flip), *others)


def check_changes(network: Network, settings: Descent) -> None:
    """Refuse changes of samples, or of networks while they learn, that this network cannot have.

    Raises
    ------
    SettingsError
    """
    _augmentation(network, settings)
    _drop_path(network, settings)


def _drop_path(network: Network, settings: Descent) -> float:
    """Share of samples that skip the last residual block.

    Raises
    ------
    SettingsError
        There is none.
    """
    if settings.drop_path and not network.n_blocks:
        raise SettingsError("`drop_path` for a network without residual blocks", "use one such as `res32x3`")
    return float(settings.drop_path)


def is_in_bfloat16(network: Network, settings: Descent) -> bool:
    """Whether products are computed in bfloat16."""
    if settings.precision == "auto":
        return not (network.is_dense or is_cpu())
    return settings.precision == "bfloat16"


def _steps_per_block(network: Network, batch_size: int) -> int:
    """Steps that one call may take, about half a second of work."""
    work = 6 * network.n_products * batch_size  # forward, and twice as much backward
    return min(_STEPS_PER_BLOCK, max(1, int(_WORK_PER_BLOCK[is_cpu()] // work)))


def _orders(
    seed: int, n_samples: int, batch_size: int, n_epochs: int, most_steps: int | None = None
) -> Iterable[NDArray]:
    """Row numbers for one block of epochs after another, (block, n_steps, batch_size) int32."""
    n_steps = -(-n_samples // batch_size)
    # whatever the number of epochs, so that other ones need no new compile: the program stops at the last
    block = max(1, min((most_steps or _STEPS_PER_BLOCK) // n_steps, _MOST_EPOCHS_PER_BLOCK))
    for first in range(0, n_epochs, block):
        epochs = range(first, first + block)
        yield np.stack([epoch_order(seed, epoch, n_samples, batch_size) for epoch in epochs])


def _rows_on_host(rows: EpochRow) -> list[EpochRow]:
    """One row per epoch that ran, as Python numbers."""
    columns = [np.asarray(column).tolist() for column in rows]
    return [EpochRow(*values) for values in zip(*columns, strict=True) if values[0] > 0]


def _picked(network: Network, state: State, history: list[EpochRow], cut: Outcome) -> Picked:
    """What the state says was picked; `cut` is the outcome of a descent that could have gone on."""
    outcome = Outcome(int(state.outcome) or cut)
    is_half_an_epoch = not history and outcome is Outcome.OUT_OF_TIME  # better than the random start
    params = jax.tree.map(np.asarray, state.params if is_half_an_epoch else state.best_params)
    if is_half_an_epoch and not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params)):
        params = jax.tree.map(np.asarray, state.best_params)
    return Picked(network, folded(params), history, int(state.best_epoch), outcome)
