"""`python -m benchmarks NAME`: run one benchmark; see README.md."""

import argparse

from benchmarks import accuracy, dense, evidence, images, reading, search, startup, tables

BENCHMARKS = {
    "accuracy": accuracy,
    "dense": dense,
    "evidence": evidence,
    "images": images,
    "reading": reading,
    "search": search,
    "startup": startup,
    "tables": tables,
}
"""Each has a docstring, `add_options(parser)` and `main(options)`."""


def main() -> None:
    """Run the benchmark that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Ours beside other libraries: one JSON object per row on stdout, the rest on stderr.",
    )
    commands = parser.add_subparsers(dest="benchmark", required=True, metavar="BENCHMARK")
    for name, benchmark in BENCHMARKS.items():
        about = benchmark.__doc__.splitlines()[0]
        benchmark.add_options(commands.add_parser(name, help=about, description=about))
    options = parser.parse_args()
    BENCHMARKS[options.benchmark].main(options)


if __name__ == "__main__":
    main()
