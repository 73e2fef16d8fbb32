"""One fit in a process of its own: `python -m benchmarks.tables.one_fit LIBRARY TABLE SEED ROWS`."""

import json
import os
import resource
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks.search.samples import table_of
from benchmarks.timing import MissingError

_TEST_FRACTION = 0.25
_LIMIT = 1800.0
_SUREST = 1e-15


def fit_alone(library: str, name: str, seed: int, rows: int) -> dict[str, float]:
    """How a library does on a table: metric (accuracy or R², higher is better), loss (log-loss or RMSE),
    seconds of fit and predict, peak memory in MB.

    Raises
    ------
    MissingError
        It failed.
    """
    words = [sys.executable, "-m", "benchmarks.tables.one_fit", library, name, str(seed), str(rows)]
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_LIMIT, env=environment)
    except subprocess.TimeoutExpired as error:
        raise MissingError(f"more than {_LIMIT:.0f} s") from error
    if done.returncode != 0:
        raise MissingError((done.stderr.strip().splitlines() or ["it failed"])[-1])
    return json.loads(done.stdout.strip().splitlines()[-1])


def frames_of(name: str, seed: int, rows: int) -> tuple[Any, Any, Any, Any, bool]:
    """Train and test samples as data frames, their targets, and whether those are classes."""
    import pandas as pd

    from threestep.data import split, understand_target

    table = table_of(name)
    target = understand_target(table.y, table.y_name)
    is_classes = target.kind == "classes"
    parts = split(table, 0.01, _TEST_FRACTION, seed, is_classes)
    learn = parts.train
    if learn.n_samples > rows:
        learn = learn.take(np.sort(np.random.default_rng(seed).permutation(learn.n_samples)[:rows]))
    frames = []
    for part in (learn, parts.test):
        x = part.x
        if isinstance(x, np.ndarray):
            x = {f"x{place}": column for place, column in enumerate(x.reshape(len(x), -1).T.astype(float))}
        frame = pd.DataFrame(dict(x))
        frames.append(
            frame if all(kind.kind in "biuf" for kind in frame.dtypes) else frame.replace({"": None})
        )
    y = [np.asarray(part.y) for part in (learn, parts.test)]
    if is_classes:
        known = {label: place for place, label in enumerate(map(str, target.classes))}
        y = [np.array([known[str(_plain(value))] for value in each]) for each in y]
    return (*frames, *y, is_classes)


def _plain(value: Any) -> Any:
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def main(library: str, name: str, seed: int, rows: int) -> None:
    """Fit, predict, print a line of JSON."""
    from benchmarks.tables.libraries import LIBRARIES

    learn, test, y, y_test, is_classes = frames_of(name, seed, rows)
    estimator = LIBRARIES[library](is_classes, seed)
    began = time.perf_counter()
    estimator.fit(learn, y)
    fit_seconds = time.perf_counter() - began
    began = time.perf_counter()
    answers = estimator.predict_proba(test) if is_classes else estimator.predict(test)
    predict_seconds = time.perf_counter() - began
    answers = np.asarray(answers, float)
    if is_classes:
        right = answers[np.arange(len(y_test)), np.searchsorted(np.unique(y), y_test)]
        metric = float((np.unique(y)[answers.argmax(axis=1)] == y_test).mean())
        loss = float(-np.log(np.clip(right, _SUREST, 1)).mean())
    else:
        errors = answers.ravel() - y_test
        loss = float(np.sqrt((errors**2).mean()))
        metric = float(1 - (errors**2).mean() / y_test.var())
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    row = {"metric": metric, "loss": loss, "fit_seconds": fit_seconds, "predict_seconds": predict_seconds}
    print(json.dumps({**row, "peak_mb": float(megabytes)}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
