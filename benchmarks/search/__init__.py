"""Searches for a network: their speed, what they find in a given time, and whether they keep it.

Unlike the other benchmarks these show tables for people; `--json FILE` keeps all numbers.
"""

import argparse

from benchmarks.search import budget, evolution, quality, throughput

PARTS = {"throughput": throughput, "quality": quality, "evolution": evolution, "budget": budget}
"""Each has a docstring, `add_options(parser)` and `main(options)`."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Which part, and its options."""
    commands = parser.add_subparsers(dest="part", required=True, metavar="PART")
    for name, part in PARTS.items():
        about = (part.__doc__ or "").splitlines()[0]
        command = commands.add_parser(name, help=about, description=about)
        part.add_options(command)
        command.add_argument("--json", metavar="FILE", help="write all numbers there, after each row anew")


def main(options: argparse.Namespace) -> None:
    """Measure one part."""
    PARTS[options.part].main(options)
