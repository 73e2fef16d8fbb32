"""A large table: reading and preparing it beside DuckDB's own read, memory, and answers beside scikit-learn.

Each measurement is a process of its own; the table is made up: 30 columns, 20 of numbers, 5 of words, 3 of
whole numbers, one of dates, one to predict.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from benchmarks.rows import higher_is_better, lower_is_better, note, show

_N_NUMBERS, _N_WORDS, _N_WHOLE = 20, 5, 3
_N_ASKED = 100_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """How large, how often."""
    parser.add_argument("--rows", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--repeat", type=int, default=3, help="rounds; medians are printed")


def main(options: argparse.Namespace) -> None:
    """Print a row per case."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "table.csv"))
        _write_table(path, options.rows)
        note(f"  {path}: {os.path.getsize(path) / 1e6:.0f} MB")
        rounds = [
            {name: _alone(name, path) for name in ("duckdb", "ours", "imports")}
            for _ in range(options.repeat)
        ]

    def median(name: str, key: str) -> float:
        return statistics.median(each[name][key] for each in rounds)

    ours = median("ours", "seconds")
    show(lower_is_better("read and prepare", "DuckDB's read alone", ours, median("duckdb", "seconds"), "s"))
    own = median("ours", "megabytes") - median("imports", "megabytes")
    show(lower_is_better("most memory, without imports", "the array", own, median("ours", "array"), "MB"))
    asked = [{name: _alone(name, "") for name in ("answers", "their_answers")} for _ in range(options.repeat)]
    rates = {
        name: statistics.median(_N_ASKED / each[name]["seconds"] for each in asked)
        for name in ("answers", "their_answers")
    }
    case = f"answers, {_N_ASKED:,} rows"
    show(higher_is_better(case, "scikit-learn", rates["answers"], rates["their_answers"], "rows/s"))


def _write_table(path: str, n_rows: int) -> None:
    """The table, by DuckDB, which writes it in seconds."""
    import duckdb

    numbers = [f"random() * 100 - 50 AS number_{place}" for place in range(_N_NUMBERS)]
    words = [f"'level ' || (random() * 20)::INT AS word_{place}" for place in range(_N_WORDS)]
    whole = [f"(random() * 1000)::INT AS whole_{place}" for place in range(_N_WHOLE)]
    date = "DATE '2020-01-01' + (random() * 1000)::INT AS day"
    columns = ", ".join([*numbers, *words, *whole, date, "random() * 7 AS target"])
    duckdb.sql("SELECT setseed(0.5)")
    duckdb.sql(f"COPY (SELECT {columns} FROM range({n_rows})) TO '{path}' (HEADER)")


def _alone(name: str, path: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.reading", name, path]
    return json.loads(
        subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    )


def _duckdb(path: str) -> dict[str, float]:
    """What DuckDB needs to read it into columns of NumPy."""
    import duckdb

    began = perf_counter()
    duckdb.sql(f"SELECT * FROM read_csv('{path}')").fetchnumpy()
    return {"seconds": perf_counter() - began}


def _ours(path: str) -> dict[str, float]:
    """Until the arrays that a network learns from are there."""
    from threestep.data import encode, fit_prep, label, read, split, understand_target

    began = perf_counter()
    table = label(read(path), "target")
    target = understand_target(table.y, "target")
    parts = split(table, 0.15, 0.2, 0, False)
    prep = fit_prep(parts.train, target)
    arrays = [encode(prep, part) for part in parts]
    seconds = perf_counter() - began
    return {"seconds": seconds, "array": sum(each.nbytes for each in arrays) / 1e6}


def _imports(path: str) -> dict[str, float]:
    """Memory of the libraries alone."""
    import duckdb

    import threestep.data

    assert threestep.data.read
    duckdb.sql("SELECT 1").fetchall()
    return {}


def _data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(_N_ASKED, 30))
    return x, (x[:, 0] * x[:, 1] > 0).astype(int)


def _answers(path: str) -> dict[str, float]:
    """The network that scikit-learn has by default, by our estimator."""
    import threestep as ts

    x, y = _data()
    return _asked(ts.Classifier("100", epochs=1), x, y)


def _their_answers(path: str) -> dict[str, float]:
    from sklearn.neural_network import MLPClassifier

    return _asked(MLPClassifier(max_iter=1), *_data())


def _asked(estimator, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Seconds of answering all rows, the median of five times."""
    import warnings

    warnings.filterwarnings("ignore")
    estimator.fit(x[:2000], y[:2000])
    estimator.predict(x[:10])
    times = []
    for _ in range(5):
        began = perf_counter()
        estimator.predict(x)
        times.append(perf_counter() - began)
    return {"seconds": statistics.median(times)}


_MEASURED = {
    "duckdb": _duckdb,
    "ours": _ours,
    "imports": _imports,
    "answers": _answers,
    "their_answers": _their_answers,
}

if __name__ == "__main__":
    found = _MEASURED[sys.argv[1]](sys.argv[2])
    found["megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))
