"""Training steps of large networks on a GPU, in bfloat16, beside `torch.compile`.

Each library in a process of its own, in turn. PyTorch gets what makes it fast: channels-last layout,
autocast, the fused optimizer, cuDNN's own choice of algorithms; the samples of both lie on the GPU. The
share of the peak counts 6 operations per multiplication of a prediction, against what the GPU's data sheet
says of dense bfloat16 products.
"""

import json
import os
import statistics
import subprocess
import sys
from itertools import pairwise
from time import perf_counter
from typing import NamedTuple

import numpy as np

from benchmarks.rows import lower_is_better, note, show

_PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}
"""Operations per second, of the larger models (SXM)."""
_EPOCHS = 6
_N_CLASSES = 1000


class Case(NamedTuple):
    """A structure, the pictures it sees, how many at once, and the steps of an epoch."""

    spec: str
    shape: tuple[int, ...]
    batch: int
    steps: int


def compare(name: str, case: Case, n_rounds: int) -> None:
    """Print the ratio of the medians, and shares of the peak."""
    found = [{who: _alone(who, case) for who in ("ours", "theirs")} for _ in range(n_rounds)]
    step, compiled = (
        {who: statistics.median(each[who][key] for each in found) for who in ("ours", "theirs")}
        for key in ("step", "compile")
    )
    show(lower_is_better(f"{name}: step on a GPU", "torch.compile", step["ours"], step["theirs"], "ms"))
    for who in ("ours", "theirs"):
        shares = [each[who]["share"] for each in found]
        note(
            f"  {who}: {statistics.median(shares):.0%} of the peak of {found[0][who]['gpu']}, "
            f"compiled in {compiled[who]:.1f} s; steps {[round(each[who]['step'], 2) for each in found]} ms"
        )


def _alone(who: str, case: Case) -> dict:
    """One measurement in a process of its own, without a compile cache."""
    words = [sys.executable, "-m", "benchmarks.images_gpu", who, json.dumps(case)]
    environment = {**os.environ, "JAX_ENABLE_COMPILATION_CACHE": "false"}
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout.splitlines()[-1])


def _case(text: str) -> Case:
    """As `_alone` wrote it."""
    spec, shape, batch, steps = json.loads(text)
    return Case(spec, tuple(shape), batch, steps)


def _ours(case: Case) -> dict:
    """By the training program itself, from the end of its first call to the end of its last."""
    import jax

    import threestep as ts
    from threestep.pick import descend

    network = ts.network.parse(case.spec, case.shape, _N_CLASSES)
    x, y = _samples(case)
    settings = ts.Descent(epochs=_EPOCHS, batch_size=case.batch, learning_rate=1e-4, patience=_EPOCHS)
    began = perf_counter()
    blocks = descend(network, ts.goodness.Goodness("cross_entropy"), (x, y), (x[:32], y[:32]), settings)
    ends, epochs = [], []
    for block in filter(None, blocks):  # without those of no rows, while it is compiled
        ends.append(perf_counter())
        epochs.append(len(block))
    steps = [count * case.steps for count in epochs[1:]]
    times = [(late - soon) / max(1, n) for (soon, late), n in zip(pairwise(ends), steps, strict=True) if n]
    step = statistics.median(times)
    compiled = ends[0] - began - epochs[0] * case.steps * step
    return {"step": step * 1e3, "compile": compiled, **_share(case, step, jax.devices()[0].device_kind)}


def _theirs(case: Case) -> dict:
    """By PyTorch, the same structure."""
    import torch

    import threestep as ts
    from benchmarks.images_torch import module_of

    torch.backends.cudnn.benchmark = True
    torch.set_float32_matmul_precision("high")
    module = module_of(ts.network.parse(case.spec, case.shape, _N_CLASSES))
    module = module.cuda().to(memory_format=torch.channels_last)
    program = torch.compile(module)
    x, y = _samples(case)
    pictures = torch.tensor(x).reshape(-1, *case.shape).cuda().permute(0, 3, 1, 2)  # channels last
    targets = torch.tensor(y, dtype=torch.long).cuda()
    optimizer = torch.optim.AdamW(module.parameters(), 1e-4, fused=True)
    loss = torch.nn.CrossEntropyLoss()

    def epoch() -> float:
        began = perf_counter()
        for at in range(0, len(y), case.batch):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast("cuda", torch.bfloat16):
                value = loss(program(pictures[at : at + case.batch]), targets[at : at + case.batch])
            value.backward()
            optimizer.step()
        torch.cuda.synchronize()
        return perf_counter() - began

    times = [epoch() for _ in range(_EPOCHS)]
    step = statistics.median(times[2:]) / case.steps
    gpu = torch.cuda.get_device_name()
    return {"step": step * 1e3, "compile": times[0] - case.steps * step, **_share(case, step, gpu)}


def _share(case: Case, step: float, gpu: str) -> dict:
    """What share of the GPU's peak that is; NaN where the peak is not known."""
    import threestep as ts

    operations = 6 * ts.network.parse(case.spec, case.shape, _N_CLASSES).n_products * case.batch
    peak = next((peak for name, peak in _PEAKS.items() if name in gpu), float("nan"))
    return {"share": operations / step / peak, "gpu": gpu}


def _samples(case: Case) -> tuple[np.ndarray, np.ndarray]:
    rng, n = np.random.default_rng(0), case.batch * case.steps
    x = rng.random((n, int(np.prod(case.shape))), np.float32)
    return x, rng.integers(0, _N_CLASSES, n).astype(np.int32)


if __name__ == "__main__":
    print(json.dumps({"ours": _ours, "theirs": _theirs}[sys.argv[1]](_case(sys.argv[2]))))
