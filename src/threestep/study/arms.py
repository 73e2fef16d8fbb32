"""What a comparison compares: networks that differ in one thing, by name."""

from math import sqrt
from typing import NamedTuple

from threestep.errors import SettingsError
from threestep.network import Dense, Network

_CLOSE = 0.02  # how far params may be from those asked for
_MOST_WIDE = 1024
_WIDTHS = (8, 16, 32, 64, 128, 256, 512, 1024)
_USUAL = ((5000, 128), (800, 64), (0, 32))  # from how many training samples on: width of three layers
DEPTHS = (1, 2, 3, 4, 5, 7)
RESIDUAL_DEPTHS = (2, 4, 6, 8)


class Arm(NamedTuple):
    """One network of a comparison.

    Parameters
    ----------
    name : str
        What is different in it, for people.
    network : Network
    rival : int
        The place of the arm that it is compared with; its own for one that the others are compared with.
    """

    name: str
    network: Network
    rival: int


def usual_params(n_inputs: int, n_outputs: int, n_train: int) -> int:
    """How many params a comparison at equal params is made with, if nobody says: those of three middling
    layers."""
    width = next(width for fewest, width in _USUAL if n_train >= fewest)
    return _equal_widths(n_inputs, n_outputs, 3, width, "relu").n_params


def depth_arms(
    ends: tuple[int, int], depths: tuple[int, ...], params: tuple[int, ...], activation: str
) -> list[Arm]:
    """Networks of equal params, from one fat layer to many thin ones; for each number of params the first
    depth is what the others are compared with.

    Parameters
    ----------
    ends : (int, int)
        Inputs and outputs.
    depths : tuple of int
        Hidden layers.
    params : tuple of int
        Of each network, within 2 %.
    activation : str

    Raises
    ------
    SettingsError
        There is no such network.
    """
    arms = list[Arm]()
    for n_params in params:
        rival = len(arms)
        for depth in depths:
            network = network_of_params(ends, depth, n_params, activation)
            width = network.hidden[0].width
            arms.append(Arm(f"{depth} × {width}", network, rival))
    return arms


def network_of_params(ends: tuple[int, int], depth: int, n_params: int, activation: str) -> Network:
    """A network with so many hidden layers of one width, whose params are within 2 % of those asked for; the
    last layer may be a little wider or narrower for that.

    Raises
    ------
    SettingsError
        There is none.
    """
    n_inputs, n_outputs = ends
    # n_params = a w² + b w + n_outputs
    a, b = depth - 1, n_inputs + 1 + (depth - 1) + n_outputs
    left = n_params - n_outputs
    width = left / b if a == 0 else (sqrt(b * b + 4 * a * left) - b) / (2 * a) if left > 0 else 0.0
    found = None
    for each in range(max(1, int(width) - 3), int(width) + 4):
        for last in range(max(1, each // 2), 2 * each + 1) if depth > 1 else (each,):
            widths = [each] * (depth - 1) + [last]
            network = Network(
                (n_inputs,), (*(Dense(wide, activation) for wide in widths), Dense(n_outputs, "linear"))
            )
            off = abs(network.n_params - n_params)
            miss = (max(0.0, off - _CLOSE / 2 * n_params), abs(last - each), off)  # close enough, then even
            if found is None or miss < found[0]:
                found = miss, network
    assert found is not None
    miss, network = found
    if miss[2] > _CLOSE * n_params or max(layer.width for layer in network.hidden) > _MOST_WIDE:
        raise SettingsError(
            f"no network with {depth} hidden layers, {n_inputs} inputs and {n_outputs} outputs has about "
            f"{n_params:,} params (nearest: {network.n_params:,}, {network.hidden[0].width} neurons wide)",
            f"give other `params`, at most {_MOST_WIDE} neurons wide, or other `depths`",
        )
    return network


def width_arms(ends: tuple[int, int], widths: tuple[int, ...], activation: str) -> list[Arm]:
    """One hidden layer of growing width, each compared with the narrowest."""
    return [Arm(f"1 × {width}", _equal_widths(*ends, 1, width, activation), 0) for width in widths or _WIDTHS]


def residual_arms(ends: tuple[int, int], depths: tuple[int, ...], width: int, activation: str) -> list[Arm]:
    """Stacks of equal layers, plain and with residuals; each of the second compared with the first of its
    depth."""
    arms = list[Arm]()
    for depth in depths:
        plain = _equal_widths(*ends, depth, width, activation)
        first, *others, last = plain.hidden
        rest = (Dense(layer.width, activation, residual=True) for layer in (*others, last))
        with_residuals = Network(plain.input_shape, (first, *rest, plain.layers[-1]))
        arms.append(Arm(f"{depth} × {width} plain", plain, len(arms)))
        arms.append(Arm(f"{depth} × {width} residual", with_residuals, len(arms) - 1))
    return arms


def _equal_widths(n_inputs: int, n_outputs: int, depth: int, width: int, activation: str) -> Network:
    hidden = (Dense(width, activation) for _ in range(depth))
    return Network((n_inputs,), (*hidden, Dense(n_outputs, "linear")))
