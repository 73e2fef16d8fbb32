"""Microseconds per training step and network, of many dense networks on two cores.

256-W-…-W-10 networks with 1 to 4 hidden layers, as many of each; everyone trains the same ones on
the same samples for the same epochs. Compiling is not in the times; it is shown beside them. The
share is that of the machine's best matrix product (sgemm), counting per step and layer 4 · batch ·
inputs · outputs operations, and 2 more for the gradient of its inputs but in the first layer.
"""

import os
import statistics
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from benchmarks import peers_dense
from benchmarks.rows import note
from benchmarks.search.peers import ON_DEVICE, OURS, TRAINERS
from benchmarks.search.records import Data, Structure
from benchmarks.search.results import Results, Row, collect
from benchmarks.search.samples import data_of
from benchmarks.search.teams import Team, Took
from benchmarks.timing import MissingError, Worker, measured

_DEPTHS = (1, 2, 3, 4)
_RATES = (3e-4, 3e-3)
_SGEMMS = {"JAX": peers_dense.jax_sgemm, "NumPy": peers_dense.numpy_sgemm}


def add_options(parser: ArgumentParser) -> None:
    """What is trained, and how often."""
    add = parser.add_argument
    add(
        "--data",
        default="semeion",
        metavar="NAME",
        help="table of classes (default semeion; or usps, digits)",
    )
    add("--widths", type=int, nargs="+", default=[32, 64, 128, 256], metavar="W", help="of hidden layers")
    add("--members", type=int, default=16, metavar="N", help="networks trained at a time (default 16)")
    add(
        "--epochs",
        type=_at_least_two,
        default=80,
        metavar="N",
        help="of each network (default 80, a full training)",
    )
    add("--batch", type=int, default=64, metavar="N", help="samples per step (default 64)")
    add("--repeats", type=int, default=5, metavar="N", help="rounds of measurements (default 5)")
    add("--device", choices=[*ON_DEVICE], default="cpu", help="where everyone computes (default cpu)")
    add("--peers", nargs="*", choices=[*TRAINERS][1:], help="default: all of that device")
    add("--peer-members", type=int, metavar="N", help="networks that peers train, who take one at a time")
    add("--no-sgemm", action="store_true", help="leave the machine's matrix product out")
    add("--line", type=int, nargs="*", default=[16, 64, 256, 1024], metavar="N", help="ours, by members")
    add("--line-width", type=int, default=32, metavar="W", help="of their hidden layers (default 32)")
    add("--line-epochs", type=_at_least_two, default=2, metavar="N", help="of each of them (default 2)")


def main(options: Namespace) -> None:
    """Measure, and show two tables."""
    results = Results("throughput", options)
    collect(results, lambda: _measure(options, results))


def structures_of(n_members: int, width: int) -> list[Structure]:
    """As many networks of each depth; learning rates that differ, as in a search."""
    rates = np.geomspace(*_RATES, n_members).tolist()
    return [Structure((width,) * _DEPTHS[at % len(_DEPTHS)], rate) for at, rate in enumerate(rates)]


def operations(hidden: Sequence[int], n_inputs: int, n_classes: int, batch: int) -> int:
    """Multiplications and additions of one step's matrix products."""
    first, *others = [fan * width for fan, width in pairwise((n_inputs, *hidden, n_classes))]
    return batch * (4 * first + 6 * sum(others))


def _measure(options: Namespace, results: Results) -> None:
    """Start everyone, go around them, end everyone."""
    if options.device == "cpu":
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
    data, peers = data_of(options.data, seed=0), options.peers
    peers = ON_DEVICE[options.device] if peers is None else peers
    workers: dict[str, Worker] = {}
    teams: dict[str, Team] = {}
    try:
        teams |= _started([OURS, *peers], lambda peer: Team(peer, data, options.batch))
        if not options.no_sgemm and options.device == "cpu":
            workers |= _started(_SGEMMS, lambda name: Worker(_SGEMMS[name], seconds=0.5))
        for width in options.widths:
            _compare(options, results, data, width, (teams, workers))
        if OURS in teams:
            _draw_line(options, results, data, teams[OURS])
    finally:
        for each in (*teams.values(), *workers.values()):
            each.stop()


def _started(names: Sequence[str] | Mapping[str, object], start: Callable) -> dict:
    """Those that can run here; why the others cannot is noted."""
    started = {}
    try:
        for name in names:
            try:
                started[name] = start(name)
            except MissingError as why:
                note(f"{name}: left out: {why}")
    except BaseException:
        for each in started.values():
            each.stop()
        raise
    return started


def _compare(options: Namespace, results: Results, data: Data, width: int, all_there: tuple) -> None:
    """One width: a row per peer."""
    teams, workers = all_there
    structures, n_steps = structures_of(options.members, width), _n_steps(data, options)
    note(f"width {width}: {len(structures)} networks, {options.epochs} epochs, {n_steps} steps each")
    n_of_peers = options.peer_members or options.members
    first = _round(teams, structures, 2, n_of_peers)  # compiles, and is not counted
    rounds: list[dict[str, Took]] = []
    products: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(options.repeats):
        rounds.append(_round(teams, structures, options.epochs, n_of_peers))
        for name, seconds in measured(workers).items():
            products[name].append(seconds)
    sgemm = _best_rate(products)
    sizes = data.x_train.shape[1], data.n_classes, options.batch
    flops = statistics.mean(operations(each.hidden, *sizes) for each in structures)
    for row in rows_of(first, rounds, len(structures) * options.epochs * n_steps):
        rate = flops / row["us_per_step"] / 1e3
        share = None if sgemm is None else rate / sgemm
        speed = {"gflops": rate, "sgemm_gflops": sgemm, "sgemm_share": share}
        results.add("widths", {"width": width, **row, **speed})


def _best_rate(products: Mapping[str, Sequence[float]]) -> float | None:
    """GFLOP/s of the faster matrix product, by its median time."""
    medians = [statistics.median(times) for times in products.values() if times]
    return peers_dense.SGEMM_FLOPS / min(medians) / 1e9 if medians else None


def _n_steps(data: Data, options: Namespace) -> int:
    """Of one epoch."""
    return -(-len(data.y_train) // options.batch)


def _round(
    teams: dict[str, Team], structures: Sequence[Structure], n_epochs: int, n_of_peers: int
) -> dict[str, Took]:
    """Everyone once, one after another; who fails is left out from now on. A peer's time is that of so many
    of the structures, in proportion."""
    took = {}
    for peer, team in list(teams.items()):
        own = structures if peer == OURS else structures[:n_of_peers]
        try:
            one = team.train(own, n_epochs)
            took[peer] = one._replace(train_seconds=one.train_seconds * len(structures) / len(own))
        except (MissingError, OSError) as why:
            note(f"{peer}: left out from now on: {why}")
            teams.pop(peer).stop()
    return took


def rows_of(first: dict[str, Took], rounds: Sequence[dict[str, Took]], n_steps: int) -> list[Row]:
    """Medians of the rounds, by peer.

    Parameters
    ----------
    first : dict of str to Took
        The round before, in which everyone met the networks for the first time.
    rounds : sequence of dict of str to Took
    n_steps : int
        Of all networks and epochs of a round.

    Returns
    -------
    list of dict
        `ratio` is above 1 where ours is faster; `first_compile_s` is what compiling took when the
        networks were new, `compile_s` what it took in each round: Keras compiles each network anew.
    """
    us = {}
    for peer in first:
        times = [each[peer].train_seconds for each in rounds if peer in each]
        if times:
            us[peer] = [1e6 * seconds / n_steps for seconds in times]
    ours = statistics.median(us[OURS]) if OURS in us else None
    return [
        {
            "peer": peer,
            "us_per_step": statistics.median(each),
            "lowest": min(each),
            "highest": max(each),
            "rounds": len(each),
            "ratio": None if ours is None else statistics.median(each) / ours,
            "first_compile_s": first[peer].compile_seconds,
            "compile_s": statistics.median(each[peer].compile_seconds for each in rounds if peer in each),
        }
        for peer, each in us.items()
    ]


def _draw_line(options: Namespace, results: Results, data: Data, team: Team) -> None:
    """What ours costs by number of members."""
    n_steps = options.line_epochs * _n_steps(data, options)
    times: dict[int, list[float]] = {n: [] for n in options.line}
    team.train(structures_of(len(_DEPTHS), options.line_width), 2)  # compiled now, if the width is new
    try:
        for at in range(options.repeats):
            for n, own in times.items():
                own.append(
                    team.train(structures_of(n, options.line_width), options.line_epochs).train_seconds
                )
            note(f"members: round {at + 1} of {options.repeats}")
    except (MissingError, OSError) as why:
        note(f"members: {why}")
    for n, own in times.items():
        if own:
            results.add("members", {"members": n, **line_row(own, n, n_steps)})


def line_row(seconds: Sequence[float], n_members: int, n_steps: int) -> Row:
    """The median time of so many members, each of so many steps."""
    median = statistics.median(seconds)
    each = 1e3 * median / n_members
    return {"seconds": median, "ms_per_member": each, "us_per_step": 1e3 * each / n_steps}


def _at_least_two(text: str) -> int:
    """A number of epochs; the first one of Keras is told from its compile by the others."""
    if int(text) < 2:
        raise ValueError(text)
    return int(text)
