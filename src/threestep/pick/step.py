"""One step of descent: a batch, its loss, the gradient, the update. A pure function, to be compiled."""

from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from threestep.goodness import Goodness
from threestep.network import RUNNING, Form, Network, Params, Supernet, Training
from threestep.pick.augmentation import Augmentation, Batch, Numbers, augmented
from threestep.pick.input_scale import folded
from threestep.pick.optimizers import at_times, pace_of, row_of, updated

_AUGMENTING = 0x5EED
"""Added to the seed: what is left out of a network must not follow from where its picture was moved."""

Moments = tuple[dict[str, tuple[Numbers, ...]], ...]
"""What the optimizer remembers of each array of each layer."""


@dataclass(frozen=True)
class Recipe:
    """What shapes the compiled program; static."""

    network: Network | Supernet
    goodness: Goodness
    optimizer: str
    has_dropout: bool
    has_input_dropout: bool
    watches_gradient: bool = True
    augmentation: Augmentation | None = None
    in_bfloat16: bool = False
    has_input_rate: bool = False
    has_input_scaling: bool = False
    drop_path: float = 0.0


class Rates(NamedTuple):
    """What only tunes the program: arrays of shape ().

    The validation samples are looked at, and the best epoch looked for, every `keep_every`-th epoch and in
    the last one.
    """

    learning_rate: Numbers
    weight_decay: Numbers
    warmup_fraction: Numbers
    dropout: Numbers
    input_dropout: Numbers
    input_rate: Numbers
    input_scaling: Numbers
    n_epochs: Numbers
    n_steps: Numbers
    patience: Numbers
    keep_every: Numbers


class Judged(NamedTuple):
    """Samples in blocks of one size, for judging without memory that grows with their number.

    x (n_blocks, block_size, n_inputs), y (n_blocks, block_size), weight the same shape: how much a sample
    counts, 0 for padding.
    """

    x: Numbers
    y: Numbers
    weight: Numbers


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
    form : Form or None
        Which network, if the recipe's is a supernet.
    x : Array of shape (n_samples, n_inputs)
    y : Array of shape (n_samples,), or (n_samples, n) for several numbers or labels
    weight : Array of shape (n_samples,)
        Training samples, and how much each counts: 1 on the average.
    valid : Judged
    scale : Array of shape (), or None
        What all x are still to be divided by: see `Samples`.
    """

    recipe: Recipe = field(metadata={"static": True})
    rates: Rates
    seed: Numbers
    form: Form | None
    x: Numbers
    y: Numbers
    weight: Numbers
    valid: Judged
    scale: Numbers = None


def ready(task: Task, x: Array) -> Array:
    """Samples as the network sees them."""
    return x if task.scale is None else x.astype(jnp.float32) / task.scale


class Ahead(NamedTuple):
    """What a step's number alone decides, worked out for many steps at once: in a step of a small network
    each of these numbers would be an operation of its own.

    Parameters
    ----------
    pace : Array of shape (4,)
        See `row_of`.
    keys : Array of shape (n_places, n), uint32, or None
        JAX's random key of each place at which something may be left out; None: nothing is.
    """

    pace: Array
    keys: Array | None


class Moving(NamedTuple):
    """What one step changes; `losses` (batch_size,) adds up those of the epoch so far, place by place."""

    params: Params
    moments: Moments
    losses: Array
    gradient_norm: Array


def take_step(task: Task, batch: Batch, index: Array, ahead: Ahead, is_last: Array, moving: Moving) -> Moving:
    """One step of descent on one batch, the `index`-th, with what was worked out ahead for it.

    The gradient's size is measured at an epoch's last step only: a pass over all params costs a
    tenth of a step.
    """
    recipe, x, targets = task.recipe, batch.x, (batch,)
    if recipe.augmentation is not None:
        x, targets = augmented(recipe.augmentation, _key_of(task, index, _AUGMENTING), batch)

    def batch_loss(params: Params) -> tuple[Array, list[Array]]:
        seen = (_narrowed(folded(params)), x.astype(jnp.bfloat16)) if recipe.in_bfloat16 else (params, x)
        outputs = outputs_in(task, *seen, _training(task, batch, index, ahead)).astype(jnp.float32)
        losses = [recipe.goodness.losses(outputs, each.y) for each in targets]
        shares = [(each.share * own).sum() for each, own in zip(targets, losses, strict=True)]
        return reduce(add, shares), losses

    gradient, losses = jax.grad(batch_loss, has_aux=True)(moving.params)
    norm = moving.gradient_norm
    if recipe.watches_gradient:
        norm = lax.cond(is_last, _norm, lambda _: moving.gradient_norm, gradient)
    params, moments = _update(task, ahead.pace, gradient, moving)
    summed = moving.losses
    for each, own in zip(targets, losses, strict=True):
        summed = summed + jnp.where(each.weight > 0, each.weight * own, 0.0)
    return Moving(params, moments, summed, norm)


def _narrowed(params: Params) -> Params:
    """What products are made of, as bfloat16; what sums are normalized by stays as it is. Their gradient
    arrives as float32 (mixed precision: Micikevicius et al. 2018, arXiv:1710.03740)."""
    return tuple(
        {
            part: array.astype(jnp.bfloat16) if part.endswith(("weight", "bias")) else array
            for part, array in own.items()
        }
        for own in params
    )


def outputs_in(task: Task, params: Params, x: Array, training: Training | None = None) -> Array:
    """The outputs of the task's network: (n_samples, n_outputs)."""
    network, params = task.recipe.network, folded(params)
    if isinstance(network, Supernet):
        assert task.form is not None
        return network.apply(params, x, training, task.form)
    return network.apply(params, x, training)


def _update(task: Task, pace: Array, gradient: Params, moving: Moving) -> tuple[Params, Moments]:
    """One update of each layer; layers that a member of a supernet does not have are left alone."""
    recipe = task.recipe

    def update(pace, gradient, moments, params, of_factors=None):
        return updated(recipe.optimizer, pace, gradient, moments, params, of_factors)

    def left(pace, gradient, moments, params):
        return params, moments

    in_use = [True] * len(gradient)
    if isinstance(recipe.network, Supernet):
        assert task.form is not None
        in_use = recipe.network.in_use(task.form)
    own_paces = [pace] * len(gradient)
    if recipe.has_input_rate:
        own_paces[0] = at_times(pace, task.rates.input_rate)
    own_factors = at_times(own_paces[0], task.rates.input_scaling) if recipe.has_input_scaling else None
    layers = list(zip(own_paces, gradient, moving.moments, moving.params, strict=True))
    pairs = [update(*layers[0], own_factors)]
    for used, own in zip(in_use[1:], layers[1:], strict=True):
        pairs.append(update(*own) if used is True else lax.cond(used, update, left, *own))
    params, moments = zip(*pairs, strict=True)
    return params, moments


def look_ahead(task: Task, first: Array, order: Array) -> Ahead:
    """For each step of an epoch, whose first one has that number; arrays with one more axis in front.

    The number of all steps may be more than an int32 holds.
    """
    recipe, rates, index = task.recipe, task.rates, first + jnp.arange(order.shape[0])
    n_steps = rates.n_epochs.astype(jnp.float32) * rates.n_steps
    pace = pace_of(index, n_steps, rates.learning_rate, rates.warmup_fraction, rates.weight_decay)
    if not (recipe.has_dropout or recipe.has_input_dropout):
        return Ahead(row_of(pace), None)
    places = jnp.asarray(recipe.network.places)
    of_place = jax.vmap(jax.random.fold_in, (None, 0))
    keys = jax.vmap(lambda own: of_place(_key_of(task, own), places))(index)
    return Ahead(row_of(pace), jax.random.key_data(keys))


def _norm(gradient: Params) -> Array:
    """Of all layers together; what running statistics are away from is no gradient."""
    leaves = [array for own in gradient for part, array in own.items() if not part.endswith(RUNNING)]
    vectors = [leaf for leaf in leaves if leaf.ndim == 1]  # as one: each would cost a compile of its own
    others = [leaf for leaf in leaves if leaf.ndim > 1]
    together = [*([jnp.concatenate(vectors)] if vectors else []), *(leaf.reshape(-1) for leaf in others)]
    return jnp.sqrt(sum(each @ each for each in together))


def _training(task: Task, batch: Batch, index: Array, ahead: Ahead) -> Training | None:
    """What is different in this step's outputs from those of predicting, if anything is."""
    recipe, rates = task.recipe, task.rates
    is_normalized = isinstance(recipe.network, Network) and recipe.network.is_normalized
    if not (recipe.has_dropout or recipe.has_input_dropout or is_normalized or recipe.drop_path):
        return None
    keys = None if ahead.keys is None else jax.random.wrap_key_data(ahead.keys)
    return Training(
        _key_of(task, index),
        rates.input_dropout if recipe.has_input_dropout else None,
        rates.dropout if recipe.has_dropout else None,
        (batch.share > 0).astype(jnp.float32) if is_normalized else None,
        recipe.drop_path or None,
        ahead=None if keys is None else dict(zip(recipe.network.places, keys, strict=True)),
    )


def _key_of(task: Task, index: Array, purpose: int = 0) -> Array:
    """The random key of a step."""
    return jax.random.fold_in(jax.random.key(task.seed + np.uint32(purpose)), index)
