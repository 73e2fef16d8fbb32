"""Programs: traced, compiled, kept, for later processes too.

Those for the members of one supernet are compiled for a `Shape`, all of whose sizes are padded ones: other
samples, and a few more or fewer of them, find them again. Any other function is compiled for the shapes of
its arguments: see `called`.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any, NamedTuple

import jax
import jax.export
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from threestep.devices import is_cpu, kept
from threestep.network import Network, Params, Supernet, form_of, no_form, pad, zero_params
from threestep.pick.outcome import Outcome
from threestep.pick.program import EpochRow, Section, State, run_block, start
from threestep.pick.step import Judged, Rates, Recipe, Task

_KEPT = (
    64  # programs of each sort: each holds some hundred memory mappings, of which a process may have 65,530
)
_lock, _busy = Lock(), dict[Any, Lock]()  # what is being compiled
# A worker has one core: threads of one product would only stand in the others' way. And what is not a
# product runs as fast by the simpler compiler, which takes a quarter less time. The longest vectors of
# the machine save a twentieth (measured with AVX-512); they are not XLA's choice.
_OPTIONS = {
    True: {
        "xla_cpu_multi_thread_eigen": False,
        "xla_backend_optimization_level": 1,
        "xla_cpu_prefer_vector_width": 512,
    },
    False: {},
}
# Convolutions by Eigen: in a loop they take half as long as YNNPACK's. Sums by YNNPACK: a tenth of XLA's own.
_OPTIONS_OF_PICTURES = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}
_Options = dict[str, Any]

_SETTINGS_OF_JAX = (
    "jax_enable_x64",
    "jax_default_matmul_precision",
    "jax_default_prng_impl",
    "jax_threefry_partitionable",
)
"""What else a user may set that changes what is traced."""


class Varied(NamedTuple):
    """What differs between the members of a chunk; arrays with one more axis in front."""

    rates: Rates
    seed: Any
    form: Any


class Shape(NamedTuple):
    """What a program for a recipe is compiled for, beside that.

    Parameters
    ----------
    n_members : int
        In a chunk.
    n_epochs : int
        In a call.
    n_steps, batch_size : int
        Of an epoch.
    n_samples : int
        That are learned from.
    n_judged : (n_blocks, block_size)
        Validation samples.
    y_shape : tuple of int
        Of one target.
    in_sections : bool
        Whether a call takes a section of an epoch.
    one_by_one : bool
        Whether the members of a chunk are trained one after the other, as on a CPU.
    """

    n_members: int
    n_epochs: int
    n_steps: int
    batch_size: int
    n_samples: int
    n_judged: tuple[int, int]
    y_shape: tuple[int, ...]
    in_sections: bool
    one_by_one: bool


class Call(NamedTuple):
    """A compiled program that takes and gives trees of arrays.

    Parameters
    ----------
    compiled : callable
    returned : tree structure
    n_bytes : int
        Memory of one call, as the compiler knows it; 0 where it does not say.
    """

    compiled: Any
    returned: Any
    n_bytes: int

    def __call__(self, *arguments: Any) -> Any:
        return jax.tree.unflatten(self.returned, self.compiled(*jax.tree.leaves(arguments)))


class Program(NamedTuple):
    """A compiled program for the members of one supernet, on one device.

    Parameters
    ----------
    call : Call
        ((x, y, weight, valid), orders, section, varied, states) to (states, rows).
    shape : Shape
    sections : list of Section or None
        What of each epoch is a call of its own.
    """

    call: Any
    shape: Shape
    sections: list[Section | None]


def nobody(recipe: Recipe, rates: Rates, shape: Shape) -> tuple[Varied, State]:
    """Fills a place in a chunk that is left over: a member that is done already."""
    supernet = supernet_in(recipe)
    state = start(recipe, zero_params(supernet), shape.n_judged, shape.batch_size)
    varied = Varied(rates, np.uint32(0), no_form(supernet))
    return varied, state._replace(outcome=np.int32(Outcome.FINISHED))


def somebody(
    recipe: Recipe, rates: Rates, shape: Shape, member: tuple[Network, Params, int]
) -> tuple[Varied, State]:
    """A network, its params and its seed, as arrays."""
    (network, params, seed), supernet = member, supernet_in(recipe)
    varied = Varied(rates, np.uint32(seed), form_of(supernet, network))
    return varied, start(recipe, pad(supernet, network, params), shape.n_judged, shape.batch_size)


def compiled(recipe: Recipe, shape: Shape, device: Any) -> Any:
    """The program of a recipe for a shape, on a device: see `Program.call`. Who asks while another compiles
    it waits for that."""
    with _alone((recipe, shape, device)):
        return _compiled(recipe, shape, device)


@contextmanager
def _alone(key: Hashable) -> Iterator[None]:
    """While nobody else compiles the same."""
    with _lock:
        own = _busy.setdefault(key, Lock())
    with own:
        try:
            yield
        finally:
            _busy.pop(key, None)


@lru_cache(maxsize=_KEPT)
def _compiled(recipe: Recipe, shape: Shape, device: Any) -> Any:
    """As `compiled`, kept."""
    arguments = _arguments(recipe, shape)
    leaves, tree = jax.tree.flatten(arguments)
    returned = jax.tree.structure((arguments[-1], EpochRow(*EpochRow._fields)))

    def train(*leaves: Array) -> list[Array]:
        return jax.tree.leaves(_train_chunk(recipe, shape.one_by_one, *jax.tree.unflatten(tree, leaves)))

    name = repr((recipe, shape))
    program = _program(train, name, leaves, _OPTIONS[shape.one_by_one], device)
    needed = kept(
        f"bytes of {_told_by(name)} on {device.device_kind}", lambda: b"%d" % _bytes_needed(program)
    )
    return Call(program, returned, int(needed))


def called(function: Callable, about: Hashable, like: Any, *arguments: Any, has_pictures: bool) -> Any:
    """`function(about, *arguments)` by a compiled program.

    Parameters
    ----------
    function : callable
        Of a module, by whose name it is kept: takes and gives trees of arrays.
    about : hashable
        What it is traced for, beside the shapes of the arguments; its `repr` says all of it.
    like : tree
        Of the structure that it gives.
    arguments : trees of arrays
    has_pictures : bool
        Whether it has convolutions.
    """
    leaves, tree = jax.tree.flatten(arguments)
    kinds = tuple((np.shape(leaf), np.dtype(getattr(leaf, "dtype", None) or type(leaf))) for leaf in leaves)
    with _alone((function, about, tree, kinds)):
        program = _compiled_function(function, about, tree, kinds, has_pictures)
    return jax.tree.unflatten(jax.tree.structure(like), program(*leaves))


@lru_cache(maxsize=_KEPT)
def _compiled_function(
    function: Callable, about: Hashable, tree: Any, kinds: tuple, has_pictures: bool
) -> Any:
    """The program of `called`."""

    def flat(*leaves: Array) -> list[Array]:
        return jax.tree.leaves(function(about, *jax.tree.unflatten(tree, leaves)))

    leaves = [jax.ShapeDtypeStruct(shape, kind) for shape, kind in kinds]
    options = _OPTIONS_OF_PICTURES if has_pictures and is_cpu() else {}
    name = repr((function.__qualname__, about, str(tree), kinds))
    return _program(flat, name, leaves, options, jax.local_devices()[0])


def _program(flat: Callable, name: str, leaves: list[Any], options: _Options, device: Any) -> Any:
    """A function of arrays, compiled."""
    place = jax.sharding.SingleDeviceSharding(device)
    placed = [jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=place) for leaf in leaves]
    lowered = jax.jit(_traced(flat, name, leaves)).lower(*placed)
    try:
        return lowered.compile(options)
    except jax.errors.JaxRuntimeError:  # another version of XLA, without one of them
        if not options:
            raise
        return lowered.compile()


def _arguments(recipe: Recipe, shape: Shape) -> tuple[Any, ...]:
    """Shapes and kinds of what a program is called with."""

    def array(kind: Any, *sizes: int) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(sizes, kind)

    n_inputs = supernet_in(recipe).n_inputs
    y_kind = np.int32 if recipe.goodness.is_for_classes else np.float32
    judged = Judged(
        array(np.float32, *shape.n_judged, n_inputs),
        array(y_kind, *shape.n_judged, *shape.y_shape),
        array(np.float32, *shape.n_judged),
    )
    samples = (
        array(np.float32, shape.n_samples, n_inputs),
        array(y_kind, shape.n_samples, *shape.y_shape),
        array(np.float32, shape.n_samples),
        judged,
    )
    own = jax.tree.map(
        lambda leaf: array(leaf.dtype, shape.n_members, *leaf.shape),
        jax.tree.map(np.asarray, nobody(recipe, Rates(*_RATE_KINDS), shape)),
    )
    orders = array(np.int32, shape.n_epochs, shape.n_steps, shape.batch_size)
    section = Section(array(np.int32), array(np.int32)) if shape.in_sections else None
    return samples, orders, section, *own


def _traced(flat: Callable, name: str, leaves: list[Any]) -> Callable:
    """A function as StableHLO, from an earlier process if there was one: JAX takes longer to write it down
    than to find it compiled. The function itself where JAX does not promise to understand that again, as of
    some calls into a device's own libraries."""
    try:
        written = kept(
            _told_by(name),
            lambda: bytes(jax.export.export(jax.jit(flat))(*leaves).serialize()),
        )
    except ValueError:
        return flat
    return jax.export.deserialize(bytearray(written)).call


def _told_by(name: str) -> str:
    """A program's name with all else that decides what it is made of."""
    settings = [getattr(jax.config, each) for each in _SETTINGS_OF_JAX]
    return repr((name, jax.default_backend(), is_cpu(), settings))


_RATE_KINDS = (*(np.float32(0),) * 7, *(np.int32(1),) * 4)


def _train_chunk(
    recipe: Recipe,
    one_by_one: bool,
    samples: tuple[Array, Array, Array, Judged],
    orders: Array,
    section: Section | None,
    varied: Varied,
    states: State,
) -> tuple[State, EpochRow]:
    """A block of epochs of each member."""

    def train(own: tuple[Varied, State]) -> tuple[State, EpochRow]:
        (rates, seed, form), state = own
        return run_block(Task(recipe, rates, seed, form, *samples), orders, state, section)

    if one_by_one:
        return lax.map(train, (varied, states))
    rates = varied.rates._replace(n_steps=varied.rates.n_steps[0])
    states, rows = train((varied._replace(rates=rates), states))
    return states, jax.tree.map(jnp.transpose, rows)  # by member, as they come one by one


def supernet_in(recipe: Recipe) -> Supernet:
    """The supernet that a recipe for members is made of."""
    assert isinstance(recipe.network, Supernet)
    return recipe.network


def _bytes_needed(program: Any) -> int:
    """Memory of one call. To ask takes longer than to find the program, each time again."""
    facts = program.memory_analysis()
    if facts is None:
        return 0
    parts = ("argument_size_in_bytes", "output_size_in_bytes", "temp_size_in_bytes")
    return sum(getattr(facts, part, 0) for part in parts)
