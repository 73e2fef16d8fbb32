"""The training program: many epochs of gradient descent as one compiled call.

Everything the program does is a pure function of its arguments. What shapes it (network, loss,
optimizer, batch size, number of samples, which dropout there is) is static; what only tunes it
(rates, seed, number of epochs) are arrays, so that other values of these need no new compile.

    call:   state, orders of the rows for a block of epochs  →  state, one row per epoch
    epoch:  fori_loop over steps, then the validation loss; the best params so far are kept
    step:   rows by index, loss, gradient (jax.grad), update (optax)
"""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array, lax

from threestep.goodness import Goodness
from threestep.network import Dropout, Network, Params
from threestep.pick.optimizers import optimizer, rate_at
from threestep.pick.outcome import Outcome

_EXPLODED = 1e3
"""A training loss this many times that of the first epoch will not come back."""

_BYTES_AHEAD = 4 << 20
"""Memory for samples fetched ahead of their steps: what stays in a cache until they are used."""

_INIT, _DROPOUT = 0, 1  # what a seed is folded with, so that its uses are independent


@dataclass(frozen=True)
class Recipe:
    """What shapes the compiled program; static."""

    network: Network
    goodness: Goodness
    optimizer: str
    has_dropout: bool
    has_input_dropout: bool


class Rates(NamedTuple):
    """What only tunes the program: arrays of shape ()."""

    learning_rate: Array
    weight_decay: Array
    warmup_fraction: Array
    dropout: Array
    input_dropout: Array
    n_epochs: Array
    n_steps: Array
    patience: Array


class Judged(NamedTuple):
    """Samples in blocks of one size, for judging without memory that grows with their number.

    x (n_blocks, block_size, n_inputs), y (n_blocks, block_size), weight the same shape: 1 for a
    sample, 0 for padding.
    """

    x: Array
    y: Array
    weight: Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Task:
    """All that descent on one network needs and never changes.

    Parameters
    ----------
    recipe : Recipe
        Static.
    rates : Rates
    seed : Array of shape (), uint32
        For dropout.
    x : Array of shape (n_samples, n_inputs)
    y : Array of shape (n_samples,)
        Training samples.
    valid : Judged
    """

    recipe: Recipe = field(metadata={"static": True})
    rates: Rates
    seed: Array
    x: Array
    y: Array
    valid: Judged


class EpochRow(NamedTuple):
    """One epoch in numbers; inside the program one array per field, over a block of epochs.

    `valid_score` is the accuracy, or for numbers minus the mean squared error.
    `gradient_norm` is that of the epoch's last step.
    """

    epoch: Any
    train_loss: Any
    valid_loss: Any
    valid_score: Any
    learning_rate: Any
    gradient_norm: Any


class State(NamedTuple):
    """Where descent is. All that a resumed run would need."""

    # evolving
    params: Params
    optimizer: optax.OptState
    epoch: Array
    # the best function so far
    best_params: Params
    best_loss: Array
    best_epoch: Array
    # how it goes
    first_loss: Array
    outcome: Array


def start(recipe: Recipe, seed: Array) -> State:
    """A random function of the set, chosen by the seed: epoch 0."""
    params = recipe.network.init(jax.random.fold_in(jax.random.key(seed), _INIT))
    return State(
        params=params,
        optimizer=optimizer(recipe.optimizer, jnp.float32(0), jnp.float32(0)).init(params),
        epoch=jnp.int32(0),
        best_params=params,
        best_loss=jnp.float32(jnp.inf),
        best_epoch=jnp.int32(0),
        first_loss=jnp.float32(jnp.inf),
        outcome=jnp.int32(Outcome.RUNNING),
    )


def judge(recipe: Recipe, params: Params, judged: Judged) -> tuple[Array, Array]:
    """Mean loss and mean score of the samples, without dropout or label smoothing."""
    goodness = recipe.goodness.for_judging

    def add(total, block):
        x, y, weight = block
        outputs = recipe.network.apply(params, x)
        loss, hits = goodness.losses(outputs, y), goodness.hits(outputs, y)
        return (total[0] + (weight * loss).sum(), total[1] + (weight * hits).sum()), None

    zero = jnp.float32(0)
    (loss, hits), _ = lax.scan(add, (zero, zero), judged)
    n_samples = judged.weight.sum()
    return loss / n_samples, hits / n_samples


class Moving(NamedTuple):
    """What one step changes."""

    params: Params
    optimizer: optax.OptState
    loss_sum: Array
    gradient_norm: Array


class Batch(NamedTuple):
    """The samples of one step, or of several (one more axis in front).

    x (batch_size, n_inputs), y (batch_size,), weight (batch_size,): 0 fills the last batch up.
    """

    x: Array
    y: Array
    weight: Array


def take_step(task: Task, batch: Batch, index: Array, is_last: Array, moving: Moving) -> Moving:
    """One step of descent on one batch.

    The gradient's size is measured at an epoch's last step only: a pass over all params costs a
    tenth of a step.
    """
    recipe, rates = task.recipe, task.rates
    n_samples = batch.weight.sum()

    def batch_loss(params: Params) -> Array:
        outputs = recipe.network.apply(params, batch.x, _dropout(task, index))
        return (batch.weight * recipe.goodness.losses(outputs, batch.y)).sum() / n_samples

    loss, gradient = jax.value_and_grad(batch_loss)(moving.params)
    norm = lax.cond(is_last, optax.tree.norm, lambda _: moving.gradient_norm, gradient)
    rate = _rate_at(index, rates)
    updates, moments = optimizer(recipe.optimizer, rate, rates.weight_decay).update(
        gradient, moving.optimizer, moving.params
    )
    params = optax.apply_updates(moving.params, updates)
    return Moving(params, moments, moving.loss_sum + loss * n_samples, norm)  # pyright: ignore[reportArgumentType]


def run_epoch(task: Task, order: Array, state: State) -> tuple[State, EpochRow]:
    """All training samples once, in the given order, then the judgement.

    Samples are fetched for many steps ahead: inside a step XLA would fetch them number by number,
    which takes as long as the rest of a small network's step.
    """
    rates = task.rates
    first = state.epoch * rates.n_steps
    n_ahead = _steps_ahead(task, order)
    shelves = jnp.pad(order, ((0, -order.shape[0] % n_ahead), (0, 0)), constant_values=-1)
    shelves = shelves.reshape(-1, n_ahead, order.shape[1])

    def one_shelf(shelf: Array, moving: Moving) -> Moving:
        done = shelf * n_ahead
        batches = _fetch(task, shelves[shelf])

        def one(place: Array, moving: Moving) -> Moving:
            batch = jax.tree.map(lambda array: array[place], batches)
            index = done + place
            return take_step(task, batch, first + index, index == rates.n_steps - 1, moving)

        return lax.fori_loop(0, jnp.minimum(n_ahead, rates.n_steps - done), one, moving)

    zero = jnp.float32(0)
    moving = Moving(state.params, state.optimizer, zero, zero)
    moving = lax.fori_loop(0, shelves.shape[0], one_shelf, moving)
    train_loss = moving.loss_sum / (order >= 0).sum()
    valid_loss, valid_score = judge(task.recipe, moving.params, task.valid)
    row = EpochRow(
        epoch=state.epoch + 1,
        train_loss=train_loss,
        valid_loss=valid_loss,
        valid_score=valid_score,
        learning_rate=_rate_at(first, rates),
        gradient_norm=moving.gradient_norm,
    )
    return _keep_best(rates, state, moving, row), row


def _steps_ahead(task: Task, order: Array) -> int:
    """For how many steps samples are fetched at once: within `_BYTES_AHEAD`."""
    n_steps, batch_size = order.shape
    return max(1, min(n_steps, _BYTES_AHEAD // (batch_size * task.x[0].nbytes)))


def _fetch(task: Task, rows: Array) -> Batch:
    """The samples of some steps; rows (n_steps, batch_size), -1 = none."""
    flat = rows.reshape(-1)
    x = task.x[flat].reshape(*rows.shape, *task.x.shape[1:])
    return Batch(x, task.y[flat].reshape(rows.shape), (rows >= 0).astype(jnp.float32))


def _keep_best(rates: Rates, state: State, moving: Moving, row: EpochRow) -> State:
    """The state after an epoch: the best params so far, and whether to go on."""
    better = row.valid_loss < state.best_loss  # False for NaN
    best_epoch = jnp.where(better, row.epoch, state.best_epoch)
    first_loss = jnp.where(state.epoch == 0, row.train_loss, state.first_loss)
    sound = jnp.isfinite(row.valid_loss) & (row.train_loss <= _EXPLODED * first_loss + 1)
    outcome = jnp.select(
        [~sound, row.epoch >= rates.n_epochs, row.epoch - best_epoch >= rates.patience],
        [Outcome.DIVERGED, Outcome.FINISHED, Outcome.STOPPED_EARLY],
        Outcome.RUNNING,
    )
    return State(
        params=moving.params,
        optimizer=moving.optimizer,
        epoch=row.epoch,
        best_params=jax.tree.map(partial(jnp.where, better), moving.params, state.best_params),
        best_loss=jnp.where(better, row.valid_loss, state.best_loss),
        best_epoch=best_epoch,
        first_loss=first_loss,
        outcome=outcome.astype(jnp.int32),
    )


def run_block(task: Task, orders: Array, state: State) -> tuple[State, EpochRow]:
    """A block of epochs, ending early if descent does.

    Parameters
    ----------
    task : Task
    orders : Array of shape (n_epochs, n_steps, batch_size), int32
        Row numbers of each step's samples; -1 fills the last step up.
    state : State

    Returns
    -------
    State
    EpochRow
        Arrays of shape (n_epochs,); epochs that did not run are zero.
    """
    n_epochs = orders.shape[0]
    empty = EpochRow(*(jnp.zeros(n_epochs, kind) for kind in (jnp.int32, *[jnp.float32] * 5)))

    def going(carry):
        done, state, _ = carry
        return (done < n_epochs) & (state.outcome == Outcome.RUNNING)

    def one(carry):
        done, state, rows = carry
        state, row = run_epoch(task, orders[done], state)
        rows = jax.tree.map(lambda column, value: column.at[done].set(value), rows, row)
        return done + 1, state, rows

    _, state, rows = lax.while_loop(going, one, (jnp.int32(0), state, empty))
    return state, rows


def _rate_at(index: Array, rates: Rates) -> Array:
    """This step's learning rate; the number of all steps may be more than an int32 holds."""
    n_steps = rates.n_epochs.astype(jnp.float32) * rates.n_steps
    return rate_at(index, n_steps, rates.learning_rate, rates.warmup_fraction)


def _dropout(task: Task, index: Array) -> Dropout | None:
    """This step's dropout, if there is any."""
    recipe, rates = task.recipe, task.rates
    if not (recipe.has_dropout or recipe.has_input_dropout):
        return None
    return Dropout(
        jax.random.fold_in(jax.random.fold_in(jax.random.key(task.seed), _DROPOUT), index),
        rates.input_dropout if recipe.has_input_dropout else None,
        rates.dropout if recipe.has_dropout else None,
    )
