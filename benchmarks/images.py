"""Networks for pictures: steps, predictions, memory and compile time beside PyTorch; accuracies on real data.

Each measurement is a process of its own, the libraries in turn; medians over the rounds. PyTorch trains the
same structure in channels-last layout, eagerly, with two threads. `--what accuracy` needs the data in
`../shared/data` and says what `threestep.fit` reaches with nothing set.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from benchmarks import images_gpu
from benchmarks.images_gpu import Case
from benchmarks.rows import lower_is_better, note, show
from threestep.app import KEPT

_N_PREDICTED = 512
_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


ON_CPU = {
    "2 convolutions, 16×16": Case("conv32-conv64-dense128", (16, 16), 64, 100),
    "2 convolutions, 28×28": Case("conv32-conv64-dense128", (28, 28), 64, 40),
    "4 convolutions, 32×32×3": Case("conv32+32-conv64+64-dense128", (32, 32, 3), 64, 16),
    "6 convolutions, 32×32×3": Case("conv32+32-conv64+64-conv128+128-dense128", (32, 32, 3), 64, 12),
    "ResNet-18, 32×32×3": Case("resnet18", (32, 32, 3), 32, 4),
    "ResNet-152, 32×32×3": Case("resnet152", (32, 32, 3), 32, 2),
}
ON_GPU = {
    "ResNet-50, 224×224×3": Case("resnet50", (224, 224, 3), 128, 8),
    "ResNet-152, 32×32×3, 256": Case("resnet152", (32, 32, 3), 256, 8),
}
CASES = ON_CPU | ON_GPU


def add_options(parser: argparse.ArgumentParser) -> None:
    """What, how often."""
    parser.add_argument("--device", choices=("cpu", "gpu"), default="cpu", help="gpu: steps only, bfloat16")
    parser.add_argument("--what", choices=("steps", "accuracy", "all"), default="all")
    parser.add_argument("--cases", nargs="*", default=None, help="of the steps: parts of their names")
    parser.add_argument("--data", nargs="*", default=None, help="of the accuracies")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--keras", action="store_true", help="beside each fit Keras' example, as long")
    parser.add_argument(
        "--budget", default=None, help="of each fit, such as 60s; by default the usual effort"
    )


def main(options: argparse.Namespace) -> None:
    """Print a row per case and measurement."""
    if options.device == "gpu":
        for name in ON_GPU:
            if options.cases is None or any(part in name for part in options.cases):
                images_gpu.compare(name, ON_GPU[name], options.repeat)
        return
    if options.what in ("steps", "all"):
        for name in ON_CPU:
            if options.cases is None or any(part in name for part in options.cases):
                _compare(name, options.repeat)
    if options.what in ("accuracy", "all"):
        for name in ACCURACIES:
            if options.data is None or name in options.data:
                _tell_accuracy(name, options)


def _compare(name: str, n_rounds: int) -> None:
    rounds = [{who: _alone(who, name) for who in ("ours", "theirs")} for _ in range(n_rounds)]

    def median(who: str, key: str) -> float:
        return statistics.median(each[who][key] for each in rounds)

    for key, unit in (("step", "ms"), ("predict", "ms"), ("memory", "MB")):
        show(
            lower_is_better(
                f"{name}: {key}", "PyTorch eager", median("ours", key), median("theirs", key), unit
            )
        )
    note(f"  {name}: compiled in {median('ours', 'compile'):.1f} s, cold")


def _alone(who: str, name: str) -> dict[str, float]:
    """One measurement in a process of its own, without a compile cache."""
    words = [sys.executable, "-m", "benchmarks.images", who, name]
    settings = {"JAX_ENABLE_COMPILATION_CACHE": "false", "OMP_NUM_THREADS": "2", "GLIBC_TUNABLES": KEPT}
    environment = os.environ | settings  # memory is kept, as by the command line; for both
    done = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def _ours(case: Case) -> dict[str, float]:
    """By the training program itself; its compile is left out, and told apart, as is the drawing of a random
    start. One sample is judged by, since the others judge none."""
    import threestep as ts
    from threestep.pick import descend, outputs_of

    network = ts.network.parse(case.spec, case.shape, 10)
    n = case.batch * case.steps
    x, y = _samples(case, n)
    goodness = ts.goodness.Goodness("cross_entropy")
    settings = ts.Descent(epochs=2, batch_size=case.batch, learning_rate=1e-4)
    times, start = [], network.init(0)
    for _ in range(2):
        began = perf_counter()
        blocks = descend(network, goodness, (x, y), (x[:1], y[:1]), settings, params=start)
        for _ in blocks:
            pass
        times.append(perf_counter() - began)
    some = x[:_N_PREDICTED] if n >= _N_PREDICTED else np.resize(x, (_N_PREDICTED, x.shape[1]))
    outputs_of(network, start, some)
    began = perf_counter()
    outputs_of(network, start, some)
    predict = perf_counter() - began
    return {
        "step": times[1] / (2 * case.steps) * 1e3,
        "compile": times[0] - times[1],
        "predict": predict * 1e3,
    }


def _theirs(case: Case) -> dict[str, float]:
    """By PyTorch, the same structure."""
    import torch

    import threestep as ts
    from benchmarks.images_torch import module_of

    torch.set_num_threads(2)
    module = module_of(ts.network.parse(case.spec, case.shape, 10)).to(memory_format=torch.channels_last)
    x, y = _samples(case, case.batch * case.steps)
    pictures = torch.tensor(x).reshape(-1, *case.shape[:2], case.shape[2] if len(case.shape) > 2 else 1)
    pictures = pictures.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    targets = torch.tensor(y, dtype=torch.long)
    optimizer, loss = torch.optim.AdamW(module.parameters(), 1e-4), torch.nn.CrossEntropyLoss()
    times = []
    for _ in range(2):
        began = perf_counter()
        for at in range(0, len(y), case.batch):
            optimizer.zero_grad(set_to_none=True)
            loss(module(pictures[at : at + case.batch]), targets[at : at + case.batch]).backward()
            optimizer.step()
        times.append(perf_counter() - began)
    module.eval()
    some = pictures[torch.arange(_N_PREDICTED) % len(pictures)].contiguous(memory_format=torch.channels_last)
    with torch.no_grad():
        module(some[:128])
        began = perf_counter()
        for at in range(0, _N_PREDICTED, 128):
            module(some[at : at + 128])
        predict = perf_counter() - began
    return {"step": times[1] / case.steps * 1e3, "predict": predict * 1e3}


def _samples(case: Case, n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.random((n, int(np.prod(case.shape))), np.float32)
    return x, rng.integers(0, 10, n).astype(np.int32)


# Accuracies


class Parts(NamedTuple):
    """Samples to learn from, and samples to be judged on."""

    x: Any
    y: np.ndarray
    x_test: Any
    y_test: np.ndarray
    media: Any = None


def _tell_accuracy(name: str, options: argparse.Namespace) -> None:
    """What `threestep.fit` reaches with nothing set, on each division."""
    import threestep as ts

    every_parts, wanted = ACCURACIES[name]
    found, seconds, theirs = [], [], []
    for seed, parts in enumerate(every_parts()):
        began = perf_counter()
        table = ts.data.Table(name, parts.x, parts.y, "class", media=parts.media)
        run = ts.fit(table, test_fraction=0.0, seed=seed, budget=options.budget)
        seconds.append(perf_counter() - began)
        answers = run.model.predict(ts.data.Table(name, parts.x_test))
        found.append(float((answers.astype(str) == parts.y_test.astype(str)).mean()))
        note(f"  {name} {seed}: {found[-1]:.4f} in {seconds[-1]:.0f} s, {run.model}")
        if options.keras:
            theirs.append(_of_keras(run.model.prep, table, parts, seconds[-1]))
            note(f"  {name} {seed}: Keras' example {theirs[-1]:.4f} in as long")
    row = {
        "case": f"{name}: accuracy",
        "ours": round(statistics.mean(found), 4),
        **({"keras": round(statistics.mean(theirs), 4)} if theirs else {}),
        "wanted": wanted,
        "n_divisions": len(found),
        "seconds": round(statistics.mean(seconds), 1),
    }
    print(json.dumps(row), flush=True)


def _of_keras(prep: Any, table: Any, parts: Parts, seconds: float) -> float:
    """What Keras' example reaches in that time, from the same inputs: pixels or spectrograms, scaled."""
    import threestep as ts

    height, width, *channels = prep.layout.shape
    shape = (-1, height, width, *(channels or [1]))
    x, x_test = (
        ts.data.encode(prep, each).reshape(shape) for each in (table, ts.data.Table("test", parts.x_test))
    )
    names = np.unique(parts.y)
    y, y_test = (np.searchsorted(names, each) for each in (parts.y, parts.y_test))
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/samples.npz"
        np.savez(path, x=x, y=y, x_test=x_test, y_test=y_test)
        words = [sys.executable, "-m", "benchmarks.images_keras", path, str(seconds)]
        environment = {**os.environ, "OMP_NUM_THREADS": "2"}
        done = subprocess.run(words, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])["accuracy"]


def _semeion() -> Iterator[Parts]:
    from sklearn.model_selection import StratifiedKFold

    rows = np.loadtxt(_SHARED / "semeion" / "semeion.data", dtype=np.float32)
    x, y = rows[:, :256].reshape(-1, 16, 16), rows[:, 256:].argmax(axis=1)
    for train, test in StratifiedKFold(10, shuffle=True, random_state=0).split(x, y):
        yield Parts(x[train], y[train], x[test], y[test])


def _idx(folder: str, names: tuple[str, str], kinds: tuple[str, str]) -> Iterator[Parts]:
    import threestep as ts

    train, test = (
        ts.data.read(",".join(str(_SHARED / folder / f"{name}-{kind}-ubyte.gz") for kind in kinds))
        for name in names
    )
    yield Parts(train.x, np.asarray(train.y), test.x, np.asarray(test.y))


def _folder(folder: str, is_test) -> Iterator[Parts]:
    """A folder of files, divided by their names."""
    import threestep as ts

    table = ts.data.read(_SHARED / folder)
    marks = is_test(table.names)
    x, y = np.asarray(table.x), np.asarray(table.y)
    yield Parts(x[~marks], y[~marks], x[marks], y[marks], table.media)


def _spoken_early(names: tuple[str, ...]) -> np.ndarray:
    """The data set's own rule: recordings 0 to 4 of each speaker."""
    return np.array([int(name.rsplit("_", 1)[1].split(".")[0]) < 5 for name in names])


def _spoken_by_theo(names: tuple[str, ...]) -> np.ndarray:
    return np.array(["_theo_" in name for name in names])


def _last_fifth(names: tuple[str, ...]) -> np.ndarray:
    """Of each folder the last fifth: neighbouring numbers may be the same hand."""
    marks = np.zeros(len(names), bool)
    folders = np.array([name.split("/")[0] for name in names])
    for folder in np.unique(folders):
        rows = np.flatnonzero(folders == folder)
        marks[rows[-(len(rows) // 5) :]] = True
    return marks


ACCURACIES = {
    "semeion": (_semeion, "0.955"),
    "usps": (lambda: _idx("usps", ("usps-train", "usps-test"), ("images-idx3", "labels-idx1")), "0.965"),
    "fashion": (lambda: _idx("fashion-mnist-12k", ("train", "t10k"), ("images-idx3", "labels-idx1")), "0.90"),
    "spoken": (lambda: _folder("fsdd", _spoken_early), "0.97"),
    "spoken by another": (lambda: _folder("fsdd", _spoken_by_theo), "0.80 reported"),
    "signs": (lambda: _folder("sign-language-digits", _last_fifth), "reported"),
}

if __name__ == "__main__":
    found = {"ours": _ours, "theirs": _theirs}[sys.argv[1]](CASES[sys.argv[2]])
    found["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))
