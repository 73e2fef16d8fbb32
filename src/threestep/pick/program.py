"""The training program: many epochs of gradient descent as one compiled call.

Everything the program does is a pure function of its arguments. What shapes it (network, loss,
optimizer, batch size, number of samples, which dropout there is) is static; what only tunes it
(rates, seed, number of epochs) are arrays, so that other values of these need no new compile.

    call:   state, orders of the rows for a block of epochs  →  state, one row per epoch;
            of a long epoch a section of its steps only, so that clock and interrupt are heard
    epoch:  fori_loop over steps, then the validation loss; the best params so far are kept
    step:   see `step.py`
"""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from threestep.network import RUNNING, Params
from threestep.pick.input_scale import scaled
from threestep.pick.optimizers import RULES
from threestep.pick.outcome import Outcome
from threestep.pick.step import (
    Batch,
    Moments,
    Moving,
    Numbers,
    Rates,
    Recipe,
    Task,
    look_ahead,
    outputs_in,
    ready,
    take_step,
)

_EXPLODED = 1e3
"""A training loss this many times that of the first epoch will not come back."""

_BYTES_AHEAD, _BYTES_EACH = 4 << 20, 4
"""Memory for samples fetched ahead of their steps: what stays in a cache until they are used."""


class EpochRow(NamedTuple):
    """One epoch in numbers; inside the program one array per field, over a block of epochs.

    `valid_score` is the accuracy, or for numbers minus the mean squared error; it and `valid_loss` are NaN
    where the validation samples were not looked at (see `Rates`).
    `gradient_norm` is that of the epoch's last step, NaN if the recipe does not watch it.
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
    moments: Moments
    epoch: Numbers  # of those done
    losses: Numbers  # of the epoch that is under way, as `Moving` holds them
    gradient_norm: Numbers
    # the best function so far
    best_params: Params
    best_loss: Numbers
    best_losses: Numbers  # of each validation sample, as `Judged` holds them
    best_hits: Numbers
    best_epoch: Numbers
    # how it goes
    first_loss: Numbers
    outcome: Numbers


class Section(NamedTuple):
    """Steps of an epoch, from `first` to before `last`: what a call takes of it. See `sections_of`."""

    first: Numbers
    last: Numbers


def sections_of(n_steps: int, most_steps: int, n_ahead: int) -> list[Section | None]:
    """An epoch in sections of about so many steps.

    Parameters
    ----------
    n_steps : int
        Of the epoch.
    most_steps : int
        Of a section.
    n_ahead : int
        A section is a multiple of it; see `steps_ahead`.

    Returns
    -------
    list of Section or None
        [None] if all is one section: a program that knows that need not ask.

    Examples
    --------
    >>> [(int(first), int(last)) for first, last in sections_of(500, 250, 200)]
    [(0, 200), (200, 400), (400, 500)]
    """
    size = max(1, most_steps // n_ahead) * n_ahead
    if max(size, most_steps) >= n_steps:
        return [None]
    firsts = range(0, n_steps, size)
    return [Section(np.int32(first), np.int32(min(first + size, n_steps))) for first in firsts]


def steps_ahead(batch_size: int, n_steps: int, n_inputs: int) -> int:
    """For how many steps samples are fetched at once: within `_BYTES_AHEAD`."""
    return max(1, min(n_steps, _BYTES_AHEAD // (batch_size * n_inputs * _BYTES_EACH)))


def start(recipe: Recipe, params: Params, n_judged: tuple[int, int], batch_size: int) -> State:
    """Epoch 0, from given params, as NumPy arrays: a compiled start would cost every new shape a compile.

    Parameters
    ----------
    recipe : Recipe
    params : Params
        A function of the set.
    n_judged : (n_blocks, block_size)
        Of the validation samples.
    batch_size : int
    """
    params = scaled(params) if recipe.has_input_scaling else params
    return State(
        params=params,
        moments=_no_moments(
            recipe.optimizer,
            tuple(tuple((part, array.shape) for part, array in own.items()) for own in params),
        ),
        epoch=np.int32(0),
        losses=np.zeros(batch_size, np.float32),
        gradient_norm=np.float32(np.nan),
        best_params=params,
        best_loss=np.float32(np.inf),
        best_losses=np.zeros(n_judged, np.float32),
        best_hits=np.zeros(n_judged, np.float32),
        best_epoch=np.int32(0),
        first_loss=np.float32(np.inf),
        outcome=np.int32(Outcome.RUNNING),
    )


@lru_cache(maxsize=64)
def _no_moments(name: str, shapes: tuple[tuple[tuple[str, tuple[int, ...]], ...], ...]) -> Moments:
    """The moments before the first step: all zero, and never written to; running statistics have none."""
    n = RULES[name].n_moments
    return tuple(
        {part: () if part.endswith(RUNNING) else (np.zeros(shape, np.float32),) * n for part, shape in own}
        for own in shapes
    )


def _each(task: Task, function: Callable, *axes: Any) -> Callable:
    """`function(task, ...)` of the task's one member, or of all members of a chunk at once; the other
    arguments have one per member on these axes."""
    if np.ndim(task.seed) == 0:
        return partial(function, task)
    rates = Rates(*(0,) * len(Rates._fields))._replace(n_steps=None)  # all take the same steps
    own = replace(task, rates=rates, seed=0, form=0, x=None, y=None, weight=None, valid=None)
    return partial(jax.vmap(function, in_axes=(own, *axes)), task)


def judge(task: Task, params: Params) -> tuple[Array, Array]:
    """Loss and score of each validation sample, times its weight, without dropout or label smoothing."""
    goodness = task.recipe.goodness.for_judging

    def one(block):
        x, y, weight = block
        outputs = outputs_in(task, params, ready(task, x))
        losses = jnp.where(weight > 0, weight * goodness.losses(outputs, y), 0.0)
        return losses, weight * goodness.hits(outputs, y)

    return lax.map(one, task.valid)


def run_epoch(task: Task, order: Array, section: Section | None, state: State) -> tuple[State, EpochRow]:
    """All training samples once, in the given order, then the judgement; or a section of that.

    Samples are fetched for many steps ahead: inside a step XLA would fetch them number by number,
    which takes as long as the rest of a small network's step.
    """
    n_steps = task.rates.n_steps
    first = state.epoch * n_steps
    ahead = lax.optimization_barrier(_each(task, look_ahead, 0, None)(first, order))
    axis = np.ndim(task.seed)  # of the steps: behind that of the members, if there are any
    n_ahead = steps_ahead(order.shape[1], order.shape[0], task.x.shape[1])
    shelves = jnp.pad(order, ((0, -order.shape[0] % n_ahead), (0, 0)), constant_values=-1)
    shelves = shelves.reshape(-1, n_ahead, order.shape[1])

    def one_shelf(shelf: Array, moving: Moving) -> Moving:
        done = shelf * n_ahead
        batches = _fetch(task, shelves[shelf])

        def one(place: Array, moving: Moving) -> Moving:
            at = done + place
            batch = jax.tree.map(lambda array: array[place], batches)
            step = _each(task, take_step, None, 0, 0, None, 0)
            own = jax.tree.map(lambda array: lax.dynamic_index_in_dim(array, at, axis, keepdims=False), ahead)
            return step(batch, first + at, own, at == n_steps - 1, moving)

        return lax.fori_loop(0, jnp.minimum(n_ahead, n_steps - done), one, moving)

    unknown = jnp.full_like(state.gradient_norm, jnp.nan)
    moving = Moving(state.params, state.moments, jnp.zeros_like(state.losses), unknown)
    end = partial(_end_epoch, task, order, ahead.pace[..., 0, 0], state)
    if section is None:
        return end(lax.fori_loop(0, shelves.shape[0], one_shelf, moving))
    moving = moving._replace(losses=jnp.where(section.first == 0, 0.0, state.losses))
    moving = lax.fori_loop(section.first // n_ahead, -(-section.last // n_ahead), one_shelf, moving)
    return lax.cond(section.last >= n_steps, end, partial(_break_off, state), moving)


def _break_off(state: State, moving: Moving) -> tuple[State, EpochRow]:
    """The state in the middle of an epoch, and a row of zeros."""
    return state._replace(**moving._asdict()), _no_row(state.epoch.shape)


def _end_epoch(
    task: Task, order: Array, learning_rate: Array, state: State, moving: Moving
) -> tuple[State, EpochRow]:
    """Judge what the epoch has come to."""
    epoch, rates = state.epoch + 1, task.rates
    is_look = (epoch % rates.keep_every == 0) | (epoch >= rates.n_epochs)
    unknown = jnp.full_like(state.best_losses, jnp.nan)
    judged = lax.cond(is_look.any(), _each(task, judge, 0), lambda _: (unknown, unknown), moving.params)
    return _each(task, _row_of_epoch, None, 0, 0, 0, 0, 0)(
        order, learning_rate, state, moving, is_look, judged
    )


def _row_of_epoch(
    task: Task,
    order: Array,
    learning_rate: Array,
    state: State,
    moving: Moving,
    is_look: Array,
    judged: tuple[Array, Array],
) -> tuple[State, EpochRow]:
    """The state after an epoch, and its numbers; `judged` is not looked at unless it is a look."""
    epoch = state.epoch + 1
    losses, hits = (jnp.where(is_look, each, jnp.nan) for each in judged)
    train_loss = moving.losses.sum() / (order >= 0).sum()
    n_judged = task.valid.weight.sum()
    row = EpochRow(
        epoch=epoch,
        train_loss=train_loss,
        valid_loss=losses.sum() / n_judged,
        valid_score=hits.sum() / n_judged,
        learning_rate=learning_rate,
        gradient_norm=moving.gradient_norm,
    )
    return _keep_best(task.rates, state, moving, row, is_look, losses, hits), row


def _fetch(task: Task, rows: Array) -> Batch:
    """The samples of some steps; rows (n_steps, batch_size), -1 = none."""
    flat = rows.reshape(-1)
    x = ready(task, task.x[flat]).reshape(*rows.shape, *task.x.shape[1:])
    is_one = rows >= 0
    weight = jnp.where(is_one, task.weight[flat].reshape(rows.shape), 0.0)
    share = weight / jnp.maximum(is_one.sum(axis=1, keepdims=True, dtype=jnp.float32), 1)
    return Batch(x, task.y[flat].reshape(*rows.shape, *task.y.shape[1:]), weight, share)


def _keep_best(
    rates: Rates, state: State, moving: Moving, row: EpochRow, is_look: Array, losses: Array, hits: Array
) -> State:
    """The state after an epoch: the best params so far, and whether to go on."""
    better = row.valid_loss < state.best_loss  # False for NaN
    best_epoch = jnp.where(better, row.epoch, state.best_epoch)
    first_loss = jnp.where(state.epoch == 0, row.train_loss, state.first_loss)
    sound = (row.train_loss <= _EXPLODED * first_loss + 1) & (jnp.isfinite(row.valid_loss) | ~is_look)
    outcome = jnp.select(
        [~sound, row.epoch >= rates.n_epochs, is_look & (row.epoch - best_epoch >= rates.patience)],
        [Outcome.DIVERGED, Outcome.FINISHED, Outcome.STOPPED_EARLY],
        Outcome.RUNNING,
    )
    return State(
        **moving._asdict(),
        epoch=row.epoch,
        best_params=jax.tree.map(partial(jnp.where, better), moving.params, state.best_params),
        best_loss=jnp.where(better, row.valid_loss, state.best_loss),
        best_losses=jnp.where(better, losses, state.best_losses),
        best_hits=jnp.where(better, hits, state.best_hits),
        best_epoch=best_epoch,
        first_loss=first_loss,
        outcome=outcome.astype(jnp.int32),
    )


def _no_row(shape: tuple[int, ...] = ()) -> EpochRow:
    return EpochRow(*(jnp.zeros(shape, kind) for kind in (jnp.int32, *[jnp.float32] * 5)))


def _where_running(before: State, after: State, row: EpochRow) -> tuple[State, EpochRow]:
    """Members of a chunk that are done stay as they were, while others go on."""
    is_running = before.outcome == Outcome.RUNNING

    def chosen(new: Array, old: Array) -> Array:
        return jnp.where(is_running.reshape(-1, *[1] * (new.ndim - 1)), new, old)

    return jax.tree.map(chosen, after, before), jax.tree.map(chosen, row, _no_row(is_running.shape))


def run_block(
    task: Task, orders: Array, state: State, section: Section | None = None
) -> tuple[State, EpochRow]:
    """A block of epochs, ending early if descent does.

    Parameters
    ----------
    task : Task
        Of one network; or of a chunk of members, whose rates (but `n_steps`), seeds and forms, and `state`,
        then have one more axis in front: all take each step at once, which is what a GPU is fast at.
    orders : Array of shape (n_epochs, n_steps, batch_size), int32
        Row numbers of each step's samples; -1 fills the last step up.
    state : State
    section : Section or None
        What is to be done of each of them; None: all. The next call goes on with the next section.

    Returns
    -------
    State
    EpochRow
        Arrays of shape (n_epochs,), of a chunk (n_epochs, n_members); epochs that did not run, or not to
        their end, are zero.
    """
    n_epochs, is_chunk = orders.shape[0], np.ndim(task.seed) > 0
    empty = _no_row((n_epochs, *np.shape(task.seed)))

    def going(carry):
        done, state, _ = carry
        return (done < n_epochs) & (state.outcome == Outcome.RUNNING).any()

    def one(carry):
        done, state, rows = carry
        after, row = run_epoch(task, orders[done], section, state)
        state, row = _where_running(state, after, row) if is_chunk else (after, row)
        rows = jax.tree.map(lambda column, value: column.at[done].set(value), rows, row)
        return done + 1, state, rows

    _, state, rows = lax.while_loop(going, one, (jnp.int32(0), state, empty))
    return state, rows
