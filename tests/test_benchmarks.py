"""The benchmarks print rows that a machine can read."""

import json
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[1]


def _run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=120)


def test_dense_prints_one_row_per_peer():
    done = _run("dense", "--quick", "--repeat", "1", "--peer", "scikit-learn")
    assert done.returncode == 0, done.stderr
    [row] = [json.loads(line) for line in done.stdout.splitlines()]
    assert list(row) == ["case", "peer", "ours", "theirs", "unit", "ratio"]
    assert (row["case"], row["peer"], row["unit"]) == ("256-32-10 batch 32", "scikit-learn", "us/step")
    assert row["ours"] > 0
    assert row["theirs"] > 0
    assert abs(row["ratio"] / (row["theirs"] / row["ours"]) - 1) < 0.01
    assert "until warm" in done.stderr


def test_an_unknown_peer_is_refused():
    done = _run("dense", "--peer", "nobody")
    assert done.returncode == 2
    assert not done.stdout
    assert "scikit-learn" in done.stderr
