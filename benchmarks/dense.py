"""Wall time of one training step of a dense network.

Each program trains the same networks by AdamW (scikit-learn: its Adam) on the same made-up rows:
cross-entropy, relu, no dropout, a new order every epoch. A step's time is that of whole epochs
divided by their steps; import, compile and warm-up are not in it and go to stderr.
"""

from argparse import ArgumentParser, Namespace
from functools import partial

from benchmarks import peers_dense, rows
from benchmarks.peers_dense import Case
from benchmarks.timing import Prepare, interleaved, machine

NETWORKS = (
    (256, 32, 10),
    (256, 128, 64, 10),
    (784, 512, 256, 10),
    (784, 1024, 1024, 10),
)
BATCHES = (32, 128, 512)
CASES = tuple(Case(widths, batch) for widths in NETWORKS for batch in BATCHES)
QUICK = CASES[:1]
"""One tiny case: only to see that everything works."""

_OURS = "ours"
_SGEMM = "sgemm"
_SGEMMS = {"sgemm of JAX": peers_dense.jax_sgemm, "sgemm of NumPy": peers_dense.numpy_sgemm}


def add_options(parser: ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument(
        "--repeat", type=int, default=5, metavar="N", help="rounds of measurements (default 5)"
    )
    parser.add_argument("--quick", action="store_true", help="one tiny case, short measurements")
    parser.add_argument(
        "--peer",
        action="append",
        choices=(*peers_dense.PEERS, _SGEMM),
        help="only this peer; may be repeated (default: all)",
    )
    parser.add_argument(
        "--case",
        action="append",
        metavar="TEXT",
        help="only cases with this in their name, such as 784-512 or 'batch 32'; may be repeated",
    )


def main(options: Namespace) -> None:
    """Measure every case and print its rows."""
    rows.note(machine())
    seconds = 0.05 if options.quick else 0.6
    for case in _chosen(options):
        rows.note(f"{case}: {case.n_rows} rows, {case.n_steps} steps per epoch")
        for row in compare(case, options.peer or (*peers_dense.PEERS, _SGEMM), options.repeat, seconds):
            rows.show(row)


def compare(case: Case, peers: list[str], n_rounds: int, seconds: float) -> list[rows.Row]:
    """The rows of one case: ours beside each peer that is there."""
    programs: dict[str, Prepare] = {_OURS: partial(peers_dense.ours, case)}
    programs |= {name: partial(peers_dense.PEERS[name], case) for name in peers if name != _SGEMM}
    if _SGEMM in peers and case == CASES[-1]:
        programs |= _SGEMMS
    seconds_each = interleaved(programs, n_rounds, seconds)
    if _OURS not in seconds_each:
        raise SystemExit("benchmarks: ours does not run")
    steps = {name: each / case.n_steps for name, each in seconds_each.items() if name not in _SGEMMS}
    found = [
        rows.lower_is_better(str(case), name, 1e6 * steps[_OURS], 1e6 * step, "us/step")
        for name, step in steps.items()
        if name != _OURS
    ]
    products = [seconds_each[name] for name in _SGEMMS if name in seconds_each]
    if products:
        ours = case.flops / steps[_OURS]
        theirs = peers_dense.SGEMM_FLOPS / min(products)
        peer = f"sgemm {peers_dense.SGEMM_SIZE}"
        found.append(rows.higher_is_better(str(case), peer, ours / 1e9, theirs / 1e9, "GFLOP/s"))
    return found


def _chosen(options: Namespace) -> list[Case]:
    """The cases that the options leave."""
    cases = QUICK if options.quick else CASES
    wanted = options.case or [""]
    return [case for case in cases if any(text in str(case) for text in wanted)]
