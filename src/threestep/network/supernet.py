"""Many structures in one program: the widest and deepest of them, parts of which are switched off.

A `Supernet` is what a compiled program is made for; a `Form` says, as arrays, which network inside
it a member is. Members of one supernet therefore need one compile between them.

    layers beyond a member's depth   skipped by `lax.cond`: no work where members are mapped one by one
    neurons beyond a layer's width   their outputs are zero, and so are all gradients of their params

Which supernet a network belongs to follows from the network alone, never from the others that are
trained beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from threestep.devices import is_cpu
from threestep.network.activations import ACTIVATIONS
from threestep.network.layers import LAST, LayerParams, Training, drop
from threestep.network.network import Network, Params

_DEPTHS = (0, 4, 8)
_FEWEST, _FEW_INPUTS = 8, 16  # of padded sizes
_SMALLEST_WIDTH = 16
_COMMON = ("relu", "silu")
"""Activations that share a program; another one gets a program of its own."""


@dataclass(frozen=True)
class Supernet:
    """The bounds inside which members may differ; static.

    Parameters
    ----------
    n_inputs : int
        A padded size: inputs beyond a member's own are zero.
    width : int
        Of every hidden layer, a power of two.
    n_hidden : int
        Hidden layers at most.
    n_outputs : int
    activations : tuple of str
        Of hidden layers.
    output : str
        Activation of the output layer.
    """

    n_inputs: int
    width: int
    n_hidden: int
    n_outputs: int
    activations: tuple[str, ...]
    output: str = "linear"

    @property
    def sizes(self) -> tuple[tuple[int, int], ...]:
        """Inputs and neurons of each layer, the output layer last."""
        if self.n_hidden == 0:
            return ((self.n_inputs, self.n_outputs),)
        inner = [(self.width, self.width)] * (self.n_hidden - 1)
        return ((self.n_inputs, self.width), *inner, (self.width, self.n_outputs))

    @property
    def places(self) -> tuple[int, ...]:
        """Where something may be left out; see `Training.apply`."""
        return (0, *range(1, self.n_hidden), LAST) if self.n_hidden else (0,)

    def apply(self, params: Params, x: Array, dropout: Training | None, form: "Form") -> Array:
        """The function of one member: (n_samples, n_inputs) to (n_samples, n_outputs)."""
        h: Any = x.reshape(x.shape[0], self.n_inputs)
        if dropout is not None:
            h = dropout.apply(0, h)
        layer = _layer if is_cpu() else _layer_of_all
        for index, own in enumerate(params[:-1]):
            h = layer(self.activations, index > 0, _setting(form[index], index, dropout), h, own)
        if dropout is not None and self.n_hidden > 0:
            h = dropout.apply(LAST, h)
        return ACTIVATIONS[self.output].function(_product(h, params[-1]["weight"]) + params[-1]["bias"])

    def in_use(self, form: "Form") -> list[Any]:
        """For each layer, whether the member has it."""
        return [True, *(layer.branch > 0 for layer in form[1:]), True] if form else [True]


class LayerForm(NamedTuple):
    """What a hidden layer of a supernet is in one of its members; arrays of shape ().

    Parameters
    ----------
    branch : Array, int32
        0: the member has no such layer; k: it has the k-th of the supernet's activations.
    width : Array, int32
    residual : Array, float32
        1 if the layer's input is added to its output.
    """

    branch: Any
    width: Any
    residual: Any


Form = tuple[LayerForm, ...]
"""Which network of a supernet, hidden layer by hidden layer. One number per array: taking a number out
of a longer one would be an operation of its own in every step."""


def supernet_of(network: Network) -> Supernet:
    """The supernet that a network is trained in; it follows from the network alone.

    Raises
    ------
    ValueError
        Hidden layers of different activations, more than 8 of them, or a residual first one.
    """
    if not network.is_dense:
        raise ValueError("is not of fully connected layers only")
    hidden, n_hidden = network.hidden, len(network.hidden)
    if n_hidden > _DEPTHS[-1]:
        raise ValueError(f"got {n_hidden} hidden layers, expected at most {_DEPTHS[-1]}")
    if hidden and hidden[0].residual:
        raise ValueError("got a residual first layer, expected a plain one")
    names = {layer.activation for layer in hidden}
    if len(names) > 1:
        raise ValueError(f"got activations {sorted(names)}, expected one for all hidden layers")
    n_inputs = padded_inputs(network.n_inputs)
    outer = (network.n_outputs, (), network.neurons[-1].activation)
    if not hidden:
        return Supernet(n_inputs, 0, 0, *outer)
    widest = max(_SMALLEST_WIDTH, *(layer.width for layer in hidden))
    width = 1 << (widest - 1).bit_length()
    depth = next(depth for depth in _DEPTHS if n_hidden <= depth)
    (name,) = names
    activations = _COMMON if name in _COMMON else (name,)
    return Supernet(n_inputs, width, depth, network.n_outputs, activations, outer[2])


def padded_size(size: int, few: int = 0) -> int:
    """The next of the sizes that programs are compiled for: 4, 5, 6 or 7 times a power of two, so that less
    than a quarter is padding; small ones are as they are. Up to `few`, where more padding costs little, only
    the powers of two from 8 on.

    Examples
    --------
    >>> [padded_size(size) for size in (3, 9, 100, 112, 113)]
    [3, 10, 112, 112, 128]
    >>> [padded_size(size, few=16) for size in (3, 9, 17)]
    [8, 16, 20]
    """
    if size <= few:
        return max(_FEWEST, 1 << (size - 1).bit_length())
    step = 1 << max(0, (size - 1).bit_length() - 3)
    return -(-size // step) * step


def padded_inputs(n_inputs: int) -> int:
    """The number of inputs of a supernet for networks of so many."""
    return padded_size(n_inputs, few=_FEW_INPUTS)


def form_of(supernet: Supernet, network: Network) -> Form:
    """Where in its supernet a network lies."""
    own = [
        _layer_form(1 + supernet.activations.index(layer.activation), layer.width, layer.residual)
        for layer in network.hidden
    ]
    return (*own, *no_form(supernet)[len(own) :])


def no_form(supernet: Supernet) -> Form:
    """The form of no member: fills a place that is left over."""
    return (_layer_form(0, 0, False),) * supernet.n_hidden


def _layer_form(branch: int, width: int, residual: bool) -> LayerForm:
    return LayerForm(np.int32(branch), np.int32(width), np.float32(residual))


def zero_params(supernet: Supernet) -> Params:
    """All zero (NumPy)."""
    return tuple(
        {"weight": np.zeros(size, np.float32), "bias": np.zeros(size[1], np.float32)}
        for size in supernet.sizes
    )


def pad(supernet: Supernet, network: Network, params: Params) -> Params:
    """A network's params inside those of its supernet, zero elsewhere (NumPy)."""
    padded = zero_params(supernet)
    for index, own in zip(_places(supernet, network), params, strict=True):
        fan, width = own["weight"].shape
        padded[index]["weight"][:fan, :width] = own["weight"]
        padded[index]["bias"][:width] = own["bias"]
    return padded


def unpad(supernet: Supernet, network: Network, params: Params) -> Params:
    """The network's own params out of those of its supernet (NumPy)."""
    return tuple(
        {
            "weight": np.array(params[index]["weight"][:fan, : layer.width]),
            "bias": np.array(params[index]["bias"][: layer.width]),
        }
        for index, fan, layer in zip(_places(supernet, network), network.fans, network.neurons, strict=True)
    )


def _places(supernet: Supernet, network: Network) -> list[int]:
    """Which layer of the supernet each of the network's is; the output layer is always the last."""
    return [*range(len(network.hidden)), supernet.n_hidden]


class _Setting(NamedTuple):
    """What one hidden layer of a member is; see `LayerForm`. No key: nothing is dropped."""

    branch: Any
    width: Any
    residual: Any
    key: Any
    dropped_fraction: Any

    def drop(self, h: Array) -> Array:
        """Linear in h, and its own transpose."""
        return h if self.key is None else drop(self.key, self.dropped_fraction, h)

    def mask(self, h: Array) -> Array:
        """Zero beyond the layer's width."""
        return jnp.where(jnp.arange(h.shape[1]) < self.width, h, 0.0)


def _setting(form: LayerForm, index: int, dropout: Training | None) -> _Setting:
    if index == 0 or dropout is None or dropout.hidden is None:
        return _Setting(*form, None, None)
    return _Setting(*form, dropout.key_at(index), dropout.hidden)


def _layer_of_all(
    names: tuple[str, ...], is_inner: bool, setting: _Setting, h: Array, own: LayerParams
) -> Array:
    """As `_layer`, where members take each step at once: a branch is no saving there, every member's products
    are computed whether it has the layer or not, and only the activation, which costs next to nothing, is
    chosen."""
    dropped = setting.drop(h)
    z = dropped @ own["weight"] + own["bias"]
    functions = [ACTIVATIONS[name].function for name in names]
    a = functions[0](z) if len(names) == 1 else lax.switch(setting.branch - 1, functions, z)
    if not is_inner:
        return setting.mask(a)
    return jnp.where(setting.branch > 0, setting.mask(a + setting.residual * dropped), h)


# One hidden layer is one branch forward and one backward, whatever its activation, or none if the
# member does not have it: a branch for the activation alone would cost small networks a quarter of
# their speed. The backward half is therefore written out; the tests compare it with jax.grad.


@partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _layer(names: tuple[str, ...], is_inner: bool, setting: _Setting, h: Array, own: LayerParams) -> Array:
    """The layer's output, or h if the member does not have it; only inner layers may be absent."""
    return _layer_forward(names, is_inner, setting, h, own)[0]


def _layer_forward(names: tuple[str, ...], is_inner: bool, setting: _Setting, h: Array, own: LayerParams):
    def outputs(function: Callable[[Array], Array], h: Array, own: LayerParams) -> tuple[Array, Array]:
        dropped = setting.drop(h)
        z = dropped @ own["weight"] + own["bias"]
        a = function(z) + setting.residual * dropped if is_inner else function(z)
        return setting.mask(a), z

    branches = [partial(outputs, ACTIVATIONS[name].function) for name in names]
    a, z = _switch(setting, is_inner, lambda h, own: (h, h), branches, h, own)
    return a, (setting, h, z, own["weight"])


def _layer_backward(names: tuple[str, ...], is_inner: bool, kept, towards: Array):
    setting, h, z, weight = kept

    def gradients(function: Callable[[Array], Array], towards: Array, h: Array, z: Array, weight: Array):
        dropped, towards = setting.drop(h), setting.mask(towards)
        (by_z,) = jax.vjp(function, z)[1](towards)
        own = {"weight": _by_weight(dropped, by_z), "bias": by_z.sum(axis=0)}
        # the samples themselves need no gradient
        return setting.drop(by_z @ weight.T + setting.residual * towards) if is_inner else (), own

    def nothing(towards: Array, h: Array, z: Array, weight: Array):
        return towards, {"weight": jnp.zeros_like(weight), "bias": jnp.zeros(weight.shape[1], weight.dtype)}

    branches = [partial(gradients, ACTIVATIONS[name].function) for name in names]
    by_h, own = _switch(setting, is_inner, nothing, branches, towards, h, z, weight)
    return None, by_h if is_inner else None, own


def _switch(setting: _Setting, is_inner: bool, absent: Callable, branches: list[Callable], *operands: Any):
    """The branch of the member's activation, or `absent` if an inner layer is not in use."""
    if is_inner:
        return lax.switch(setting.branch, [absent, *branches], *operands)
    if len(branches) == 1:
        return branches[0](*operands)
    return lax.switch(setting.branch - 1, branches, *operands)


_layer.defvjp(_layer_forward, _layer_backward)


@jax.custom_vjp
def _product(h: Array, weight: Array) -> Array:
    """What the output layer's weights make of its inputs; for the sake of its gradient, see `_by_weight`."""
    return h @ weight


_product.defvjp(
    lambda h, weight: (h @ weight, (h, weight)),
    lambda kept, by_z: (by_z @ kept[1].T, _by_weight(kept[0], by_z)),
)


def _by_weight(h: Array, by_z: Array) -> Array:
    """The gradient of a layer's weights. Turned for itself: without the barrier XLA takes a slower product,
    by up to a half."""
    return lax.optimization_barrier(h.T) @ by_z
