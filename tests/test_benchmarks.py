"""The benchmarks print rows that a machine can read."""

import json
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
from benchmarks.search import budget, evolution, quality, results, throughput
from benchmarks.search.our_fit import OurFit
from benchmarks.search.records import Found
from benchmarks.search.searching import improvements, incumbent
from benchmarks.search.teams import Took, shares_of
from benchmarks.search.with_keras import beyond_epochs

_ROOT = Path(__file__).parents[1]


def _run(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
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


# ---------------------------------------------------------------- search

NAN = float("nan")
FOUND = [Found(2.0, 0.7, 0.6), Found(3.0, 0.7, 0.9), Found(5.0, 0.9, 0.8), Found(6.0, 0.8, NAN)]


def test_the_incumbent_is_the_best_on_valid_that_was_there_in_time():
    found = improvements(FOUND)
    assert found == [FOUND[0], FOUND[2]]
    assert [incumbent(found, seconds) for seconds in (1.9, 2.0, 4.9, 99.0)] == [
        None,
        found[0],
        found[0],
        found[1],
    ]
    assert [row["test_score"] for row in quality.rows_of(found, (1.0, 4.0, 9.0))] == [None, 0.6, 0.8]


def quality_run(searcher: str, seed: int, seconds: float, score: float | None) -> dict:
    return {"data": "d", "searcher": searcher, "seed": seed, "seconds": seconds, "test_score": score}


def test_quality_says_when_ours_is_as_good_as_the_best_peer_in_the_end():
    ours = [
        quality_run("ours", seed, time, time / 100 + seed / 10) for seed in (0, 1) for time in (10, 30, 60)
    ]
    slow = [
        quality_run("slow", seed, time, None if time == 10 else 0.3)
        for seed in (0, 1)
        for time in (10, 30, 60)
    ]
    bad = [quality_run("bad", 0, time, 0.1) for time in (10, 30, 60)]
    summary = quality.summary_of([*ours, *slow, *bad])
    means = {row["searcher"]: row for row in summary["mean test score, by seconds"]}
    assert (means["ours"]["10"], means["slow"]["10"], means["slow"]["60"]) == (pytest.approx(0.15), None, 0.3)
    [row] = summary["reached"]
    assert (row["best_peer"], row["its_score"], row["ours_after"], row["times_faster"]) == (
        "slow",
        0.3,
        30,
        2,
    )
    assert quality.summary_of([*ours, quality_run("slow", 0, 60, 0.99)])["reached"][0]["ours_after"] is None
    assert quality.summary_of(ours)["reached"] == []
    assert quality.summary_of([]) == {"mean test score, by seconds": [], "reached": []}


def test_throughput_takes_medians_of_the_rounds_that_were_run():
    first = {"ours": Took(9.0, 4.0), "keras": Took(9.0, 5.0)}
    rounds = [
        {"ours": Took(1.0, 0.0), "keras": Took(4.0, 5.0)},
        {"ours": Took(3.0, 0.0)},
        {"ours": Took(2.0, 0.0)},
    ]
    ours, keras = throughput.rows_of(first, rounds, n_steps=1_000_000)
    assert (ours["us_per_step"], ours["lowest"], ours["highest"], ours["rounds"]) == (2, 1, 3, 3)
    assert (keras["us_per_step"], keras["ratio"], keras["rounds"], keras["compile_s"]) == (4, 2, 1, 5)
    assert ours["first_compile_s"] == 4
    assert throughput.rows_of(first, [], 1) == []
    assert throughput.line_row([3.0, 1.0, 2.0], n_members=4, n_steps=500)["us_per_step"] == 1000


def test_throughput_shares_the_networks_evenly():
    structures = throughput.structures_of(16, 32)
    assert sorted(len(each.hidden) for each in structures) == [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4
    shares = shares_of(structures, 2)
    assert [len(share) for share in shares] == [8, 8]
    assert len({sum(len(each.hidden) for each in share) for share in shares}) == 1
    assert throughput.operations((3,), n_inputs=5, n_classes=2, batch=10) == 10 * (4 * 15 + 6 * 6)
    assert beyond_epochs(0.0, [5.0, 6.0, 7.0], 7.5) == 4.5


def our_fit(score: float, loss: float, valid_loss: float = 1.0) -> OurFit:
    return OurFit(1.0, 0.5, score, valid_loss, loss, "", 1)


def test_equal_test_scores_are_decided_by_the_test_loss():
    pairs = [
        evolution.pair_row(our_fit(*ours), our_fit(*theirs))
        for ours, theirs in [
            ((0.9, 9.0), (0.8, 1.0)),
            ((0.9, 0.1), (0.9, 0.2)),
            ((0.9, 0.2, 0.5), (0.9, 0.1)),
            ((0.9, 0.2), (0.9, 0.2)),
        ]
    ]
    assert [row["win"] for row in pairs] == [1, 1, 0, 0.5]
    assert [row["win_by_score"] for row in pairs] == [1, 0.5, 0.5, 0.5]
    assert [row["win_by_loss"] for row in pairs] == [0, 1, 0, 0.5]
    assert [row["win_on_valid"] for row in pairs] == [0.5, 0.5, 1, 0.5]
    all_pairs, tables = evolution.summary_of([{"table": "t", **row} for row in pairs])["wins of evolution"]
    assert (all_pairs["win"], all_pairs["equal_scores"], all_pairs["p"]) == (0.625, 3, 1)
    assert (tables["pairs"], tables["win"]) == (1, 1)
    assert evolution.summary_of([]) == {}
    assert evolution.sign_test(8, 0) == pytest.approx(2 / 2**8)
    assert evolution.sign_test(0, 0) == 1


def test_a_budget_is_kept_within_a_second_or_two_percent():
    assert [budget.is_kept(wall, 10.0) for wall in (8.9, 9.0, 11.0, 11.1)] == [False, True, True, False]
    assert [budget.is_kept(wall, 100.0) for wall in (98.0, 102.1)] == [True, False]
    names = ("iris", "wine")
    draws = [budget.drawn((0, place), names, (5.0, 20.0)) for place in range(50)]
    assert draws == [budget.drawn((0, place), names, (5.0, 20.0)) for place in range(50)]
    assert {name for name, _, _ in draws} == set(names)
    assert len({seconds for _, seconds, _ in draws}) > 40
    assert all(5 <= seconds <= 20 for _, seconds, _ in draws)


def test_budget_sums_its_log(tmp_path):
    lines = [
        {"table": "iris", "budget": 5.0, "wall": 5.5, "over": 0.5, "is_kept": True, "problem": ""},
        {"table": "wine", "budget": 5.0, "wall": 3.0, "over": -2.0, "is_kept": False, "problem": "no"},
    ]
    log, kept = tmp_path / "log.jsonl", tmp_path / "kept.json"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"table": "cut sh')
    done = _run("search", "budget", "--runs", "0", "--log", str(log), "--json", str(kept))
    assert done.returncode == 0, done.stderr
    *_, row = json.loads(kept.read_text())["kept"]
    assert row == {
        "of": "all",
        "runs": 2,
        "kept": 1,
        "valid": 1,
        "most_early_s": 2.0,
        "most_late_s": 0.5,
        "mean_over_s": -0.75,
    }
    assert done.stdout.splitlines()[-1].split() == ["all", "2", "1", "1", "2", "0.5", "-0.75"]
    assert "cut sh" in done.stderr


def test_what_there_is_is_kept_when_a_measurement_is_interrupted(tmp_path, capsys):
    path = tmp_path / "kept.json"
    kept = results.Results("nothing", Namespace(json=str(path)))

    def measure():
        kept.add("rows", {"peer": "ours", "score": 0.5, "found": [1, 2]})
        assert json.loads(path.read_text())["rows"] == kept.rows("rows")
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as left:
        results.collect(kept, measure, lambda: {"sum": [{"n": len(kept.rows("rows"))}]})
    assert left.value.code == 130
    assert json.loads(path.read_text())["sum"] == [{"n": 1}]
    assert capsys.readouterr().out == "\nrows\npeer  score\nours    0.5\n\nsum\nn\n1\n"
