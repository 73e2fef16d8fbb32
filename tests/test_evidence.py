"""What a report says beside the scores: data that are odd, labels that are wrong, columns that matter, what
the layers do; in two languages."""

import ast
import io
import re
import time
from concurrent.futures import Future
from html import unescape
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import threestep as ts
from threestep.data import Table, encode, fingerprint, keys_of_samples, keys_of_values, read
from threestep.goodness import likely_label_errors
from threestep.network import Pool
from threestep.pick import Samples
from threestep.report import report_html
from threestep.report.comparison_page import _QUESTIONS
from threestep.report.html import Markup
from threestep.report.leaderboard import _score_name
from threestep.report.pictures import png
from threestep.report.scores import _METRICS
from threestep.report.traditional_chinese import JOURNAL, PAGE, SENTENCES
from threestep.report.tried import _SEARCHERS
from threestep.report.words import plain, say, translated
from threestep.study import importance
from threestep.study.importance import importance_of
from threestep.study.layers import _in_windows, _look_at_pictures, gradients_of, layers_of

QUICK = {"network": "16", "epochs": 20, "seed": 0}


def event(run, name):
    return next(each for each in run.events if each["event"] == name)


def blobs(n=600, n_classes=3, seed=0, apart=3.0):
    """Classes that hardly overlap, and a column that says nothing."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n)
    centers = apart * rng.normal(size=(n_classes, 3))
    return np.column_stack([centers[y] + rng.normal(size=(n, 3)), rng.normal(size=n)]).astype(np.float32), y


# The data


def test_the_data_are_checked():
    rng = np.random.default_rng(0)
    n = 400
    columns = {
        "a": rng.normal(size=n),
        "b": rng.choice(["x", "y"], n).astype(object),
        "c": rng.normal(size=n),
    }
    y = np.array(["rare" if at % 20 == 0 else "usual" for at in range(n)], object)
    for column in columns.values():
        column[300:310] = column[200:210]  # ten copies; one has another target
    y[300:310] = y[200:210]
    y[305] = "rare"
    columns["a"][:40] = np.nan
    columns["b"][:100] = ""
    run = ts.fit({**columns, "target": y}, **QUICK)
    check = event(run, "check")
    assert check["missing"] == [{"column": "b", "share": 0.25}, {"column": "a", "share": 0.1}]
    assert check["n_with_gaps"] == 2
    assert sorted(check["classes"]) == sorted([int((y == "rare").sum()), int((y == "usual").sum())])
    assert check["n_copies"] == 9
    assert check["n_contradictions"] == 2
    text = re.sub("<[^>]+>", "", report_html(run.events))
    for said in ("in 2 columns: b 25.0 %, a 10.0 %", "9 samples repeat another one; 2 are equal", "uneven: "):
        assert said in text
    assert check["hash"] in text


@pytest.mark.slow
def test_copies_between_learning_and_test_are_counted():
    x, y = blobs(200)
    run = ts.fit((np.vstack([x, x]), np.r_[y, y]), **QUICK)
    n_seen = event(run, "check")["n_seen"]
    n_test = run.scores["test"]["n_samples"]
    assert 0.4 * n_test < n_seen <= n_test
    assert f"{n_seen} of {n_test}" in report_html(run.events)
    folded = ts.fit((np.vstack([x, x]), np.r_[y, y]), folds=3, effort="quick", depths=(0, 1), widths=(8, 8))
    assert event(folded, "check")["n_seen"] > n_seen  # all but the test samples are learned from
    assert event(ts.fit((x, y), **QUICK), "check")["n_seen"] == 0


def test_clean_data_have_nothing_to_tell():
    check = event(ts.fit(blobs(), **QUICK), "check")
    assert (check["missing"], check["n_copies"], check["n_contradictions"], check["n_seen"]) == ([], 0, 0, 0)


def test_a_fingerprint_is_that_of_the_data_and_no_others():
    x, y = blobs(50)
    own = fingerprint(Table("one", x, y))
    assert own == fingerprint(Table("another name", x.copy(), y.copy()))
    other = x.copy()
    other[49, 3] = np.nextafter(other[49, 3], np.float32(9))
    for table in (Table("one", other, y), Table("one", x, y[::-1].copy()), Table("one", x[::-1].copy(), y)):
        assert fingerprint(table) != own
    words = {"a": np.array(["b", "c"], object), "d": np.array(["", "e"], object)}
    shifted = {"a": np.array(["b", ""], object), "d": np.array(["c", "e"], object)}
    assert fingerprint(Table("t", words)) != fingerprint(Table("t", shifted))


def test_keys_are_equal_for_equal_samples_only():
    columns = {
        "a": np.array([0.0, -0.0, np.nan, np.nan, 1.0, 0.0]),
        "b": np.array(["x", "x", "", "", "x", "y"], object),
    }
    keys = keys_of_samples(Table("t", columns)).tolist()
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]
    assert len(set(keys)) == 4
    swapped = Table("t", {"a": np.array([1.0, 2.0]), "b": np.array([2.0, 1.0])})
    assert len(set(keys_of_samples(swapped).tolist())) == 2
    assert len(set(keys_of_values(np.array([[1, 2], [2, 1], [1, 2]])).tolist())) == 2


@pytest.mark.parametrize("kind", ["csv", "csv of words", "columns", "arrays", "frame", "several"])
def test_samples_without_a_target_are_left_out_counted_and_said(kind, tmp_path):
    """What is learned is what the others alone teach."""
    x, y = blobs(200)
    given, unknown = y.astype(float), [0, 7, 150]
    given[unknown] = np.nan
    known = np.setdiff1d(np.arange(200), unknown)
    names = ["a", "b", "c", "d"]
    if kind.startswith("csv"):
        texts = [["", "c%d" if "words" in kind else "%d"][bool(np.isfinite(each))] for each in given]
        lines = [
            ",".join([*map(str, row), text % label if text else ""])
            for row, text, label in zip(x, texts, y, strict=True)
        ]
        data = tmp_path / "table.csv"
        data.write_text("\n".join([",".join([*names, "target"]), *lines]))
    elif kind == "columns":
        words = np.array([f"c{each}" for each in y], object)
        words[unknown] = None
        data = {**dict(zip(names, x.T, strict=True)), "target": words}
    elif kind == "frame":
        data = pytest.importorskip("pandas").DataFrame(x, columns=names).assign(target=given)
    elif kind == "several":
        data = x, np.column_stack([given, np.where(np.isfinite(given), x[:, 0], 0)])
    else:
        data = x, given
    run = ts.fit(data, network="8", epochs=2, seed=0)
    start, check = event(run, "start"), event(run, "check")
    assert sum(start["n_samples"].values()) == 197
    assert check["n_without_target"] == 3
    (note,) = [each for each in start["notes"] if "is missing in 3 of 200 samples" in each]
    assert 'lang="zh-TW"' in translated(note)
    assert "3; they are left out" in report_html(run.events)
    if kind == "arrays":
        alone = ts.fit((x[known], y[known]), network="8", epochs=2, seed=0)
        assert alone.scores == run.scores
        worst = [[each["row"] for each in event(one, "details")["worst"]] for one in (run, alone)]
        assert worst[0] == known[worst[1]].tolist()


def test_targets_that_are_all_missing_or_mostly_and_nobody_named_are_refused():
    columns = {"a": np.arange(40.0), "b": np.r_[np.full(30, np.nan), np.arange(10.0)]}
    with pytest.raises(ts.DataError, match=r"target 'b' is missing in 30 of 40 samples") as caught:
        ts.fit(columns, network="4", epochs=1)
    assert "--target b" in caught.value.hint
    run = ts.fit(columns, target="b", network="4", epochs=1)
    assert sum(event(run, "start")["n_samples"].values()) == 10
    columns["b"][:] = np.nan
    with pytest.raises(ts.DataError, match=r"missing in 40 of 40 samples"):
        ts.fit(columns, target="b", network="4", epochs=1)


@pytest.mark.slow
def test_studies_explanations_and_evaluations_leave_samples_without_a_target_out(tmp_path, capsys):
    from threestep.app import main

    x, y = blobs(120)
    columns = {**dict(zip("abcd", x.T, strict=True)), "target": np.array([f"c{each}" for each in y], object)}
    model = ts.fit(columns, network="4", epochs=2, out=tmp_path / "run").model
    gappy = columns | {"target": np.where(np.arange(120) % 10 == 0, "", columns["target"])}
    found = ts.explain(model, gappy)
    assert found.facts["n_samples"] == 108
    assert not (found.shown % 10 == 0).any()
    study = ts.compare("depth", gappy, depths=(1, 2), seeds=2, epochs=1, rates=(3e-3,))
    assert study.facts["n_samples"] == 108
    assert "12 of 120" in study.facts["notes"][0]
    path = tmp_path / "gappy.csv"
    rows = zip(*(values.tolist() for values in gappy.values()), strict=True)
    path.write_text("\n".join([",".join(gappy), *(",".join(map(str, row)) for row in rows)]))
    assert main(["evaluate", str(tmp_path / "run"), str(path)]) == 0
    out = capsys.readouterr().out
    assert "missing in 12 of 120 samples" in out
    assert "108" in out


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")  # scikit-learn's, before it refuses
def test_estimators_refuse_missing_targets_as_scikit_learn_does():
    x, y = blobs(60)
    for estimator in (ts.Classifier(network="4", epochs=1), ts.Regressor(network="4", epochs=1)):
        with pytest.raises(ValueError, match="NaN"):
            estimator.fit(x, np.where(np.arange(60) == 3, np.nan, y))


# Labels


def test_planted_label_errors_are_found():
    """Of 5 % wrong labels most are found, and most that are found are wrong."""
    x, y = blobs(1500, apart=4.0)
    rng = np.random.default_rng(1)
    wrong = rng.choice(len(y), 75, replace=False)
    given = y.copy()
    given[wrong] = (y[wrong] + 1) % 3
    run = ts.fit((x, given), network="16", epochs=30, seed=0)
    known = event(run, "details")["label_errors"]
    unseen = known["n_samples"]
    assert unseen == run.scores["test"]["n_samples"] + run.scores["valid"]["n_samples"]
    found = {each["row"] for each in known["worst"]}
    assert len(found) >= 15
    assert len(found & set(wrong.tolist())) >= 0.9 * len(found)
    for each in known["worst"]:
        assert each["target"] == str(given[each["row"]])
        if each["row"] in wrong:
            assert each["better"] == str(y[each["row"]])


@pytest.mark.slow
def test_in_folds_all_samples_are_looked_at_for_label_errors():
    x, y = blobs(240, apart=8.0)
    wrong = [3, 77, 120, 201]
    given = y.copy()
    given[wrong] = (y[wrong] + 1) % 3
    run = ts.fit((x, given), folds=3, effort="quick", depths=(1, 1), widths=(8, 8), seed=0)
    known = event(run, "details")["label_errors"]
    assert known["n_samples"] == 240
    found = {each["row"] for each in known["worst"]}
    assert len(set(wrong) & found) >= 3
    assert len(found) <= 8
    assert all(each["target"] == str(given[each["row"]]) for each in known["worst"])


@pytest.mark.slow
def test_what_was_learned_from_is_not_asked_about():
    x, y = blobs(200)
    run = ts.fit((x, y), network="8", epochs=5, refit=True)
    assert event(run, "details")["label_errors"]["n_samples"] == run.scores["test"]["n_samples"]


def test_confident_learning_as_published():
    """A class's threshold is the mean confidence in it where it is the label (equation 2)."""
    rng = np.random.default_rng(0)
    sure = rng.dirichlet(np.ones(4), 500)
    labels = rng.integers(0, 4, 500)
    thresholds = [sure[labels == each, each].mean() for each in range(4)]
    rows, better = likely_label_errors(sure, labels)
    wanted = []
    for at in range(500):
        above = [each for each in range(4) if sure[at, each] >= thresholds[each]]
        best = max(above, key=lambda each: sure[at, each]) if above else labels[at]
        if best != labels[at] and sure[at, best] > sure[at, labels[at]]:
            wanted.append((at, best))
    assert sorted(zip(rows.tolist(), better.tolist(), strict=True)) == wanted
    margins = sure[rows, better] - sure[rows, labels[rows]]
    assert (np.diff(margins) <= 0).all()
    assert likely_label_errors(sure, np.zeros(500, int))[0].size == 0  # classes without samples


# Samples and columns


def test_worst_samples_say_where_they_are():
    frame = {"a": np.arange(200.0), "b": np.array(["x", "y"] * 100, object), "target": np.arange(200) % 2}
    frame["a"][::3] *= -1
    run = ts.fit(frame, network="4", epochs=3)
    for sample in event(run, "details")["worst"]:
        row = sample["row"]
        assert sample["values"]["a"] == frame["a"][row]
        assert sample["values"]["b"] == frame["b"][row]
        assert sample["target"] == str(frame["target"][row])


def test_columns_that_matter_come_first():
    rng = np.random.default_rng(0)
    x = {name: rng.normal(size=800) for name in "abcde"}
    x["f"] = rng.choice(["u", "v", "w"], 800).astype(object)
    y = ((2 * x["b"] + (x["f"] == "u") * 3 + 0.2 * rng.normal(size=800)) > 1).astype(int)
    run = ts.fit({**x, "target": y}, **QUICK)
    known = event(run, "details")["importance"]
    gains = {each["column"]: each["gain"] for each in known}
    assert [each["column"] for each in known[:2]] in (["b", "f"], ["f", "b"])
    assert min(gains["b"], gains["f"]) > 10 * max(abs(gains[name]) for name in "acde")
    assert set(gains) == {*"abcdef"}
    html = report_html(run.events)
    assert f"{gains['b']:.3g}" in html
    assert f"{gains['f']:.3g}" in html


def test_a_budget_leaves_time_for_as_many_answers_as_importance_asks_for(monkeypatch):
    x, y = blobs(300)
    model = ts.fit((x, y), **QUICK).model
    asked, loss = [], importance._loss
    monkeypatch.setattr(importance, "_loss", lambda own, x, y: asked.append(len(x)) or loss(own, x, y))
    inputs = np.zeros((300, model.prep.layout.n_inputs), np.float32)
    importance_of(model, inputs, y.astype(np.int32), 0)
    assert sum(asked[1:]) == importance.n_answers(model.prep.layout, 300, 1) == 3 * x.shape[1] * 300
    pixels = ts.fit("digits", network="8", epochs=1).model.prep.layout
    assert importance.n_answers(pixels, 300, 1) == 0


def test_importance_is_the_same_every_time_and_leaves_the_samples_alone():
    x, y = blobs()
    model = ts.fit((x, y), **QUICK).model
    size = 300, model.prep.layout.n_inputs
    inputs = np.random.default_rng(0).normal(size=size).astype(np.float32)
    before = inputs.copy()
    first = importance_of(model, inputs, y[:300].astype(np.int32), 0)
    assert first == importance_of(model, inputs, y[:300].astype(np.int32), 0)
    assert np.array_equal(inputs, before)


def test_pixels_are_no_columns():
    assert event(ts.fit("digits", network="8", epochs=1), "details")["importance"] is None


def test_residuals_are_in_the_unit_of_the_target():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 2)).astype(np.float32)
    y = 1000 + 50 * x[:, 0] + 5 * rng.normal(size=500)
    run = ts.fit((x, y), **QUICK)
    known = event(run, "details")["residuals"]
    truths, answers = np.array(known["points"]).T
    assert len(truths) == run.scores["test"]["n_samples"]
    assert (np.diff(truths) >= 0).all()
    assert np.sqrt(np.mean((truths - answers) ** 2)) == pytest.approx(run.scores["test"]["rmse"], rel=1e-4)
    assert np.quantile(truths - answers, 0.75) == pytest.approx(known["quantiles"]["0.75"], rel=1e-4)


# Layers


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param("8", marks=pytest.mark.slow),
        pytest.param("8-r8 tanh", marks=pytest.mark.slow),
        pytest.param("6-5-4 silu", marks=pytest.mark.slow),
        "8-r8-r8 gelu",
    ],
)
def test_gradients_of_layers_are_those_of_jax(spec):
    x, y = blobs(90)
    model = ts.fit((x, y), network=spec, epochs=3, seed=0).model
    some, labels = x[:90], y[:90].astype(np.int32)

    def loss(params):
        return model.goodness.for_judging.losses(model.network.apply(params, some), labels).mean()

    wanted = jax.grad(loss)(model.params)
    for own, other in zip(gradients_of(model, some, labels), wanted, strict=True):
        np.testing.assert_allclose(own, other["weight"], atol=2e-6)


def test_layers_tell_what_they_add():
    """A hidden layer makes a target plain that no linear function of the inputs tells."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 2)).astype(np.float32)
    y = (x[:, 0] * x[:, 1] > 0).astype(int)
    run = ts.fit((x, y), network="32-16", epochs=60, seed=0)
    known = event(run, "details")["layers"]
    assert known["probes"][0] < 0.65
    assert known["probes"][1] > 0.9
    assert len(known["gradients"]) == 3
    html = report_html(run.events)
    for own in known["gradients"]:
        assert f"{own['gradient']:.3g}" in html
    assert f"{known['probes'][1]:.3g}" in html


@pytest.mark.slow
@pytest.mark.parametrize("spec", ["conv8-conv16-dense32", "conv4s1-res4x2-res8s2-globalpool"])
def test_layers_of_networks_with_convolutions(spec):
    run = ts.fit("digits", network=spec, epochs=4, seed=0)
    known, model = event(run, "details")["layers"], run.model
    layers = model.network.layers
    assert len(known["probes"]) == len(layers) == len(known["gradients"])
    assert known["n_probed"] == run.scores["test"]["n_samples"]
    assert known["probes"][0] > 0.85  # the inputs alone
    html = report_html(run.events)
    for layer, own in zip(layers, known["gradients"], strict=True):
        assert (own is None) == isinstance(layer, Pool)
        assert own is None or f"<td>{own['gradient']:.3g}</td>" in html

    # the gradients are those of JAX, however the samples are cut into blocks
    table = read("digits")
    x, y = encode(model.prep, table), table.y.astype(np.int32)
    found = _look_at_pictures(model, Samples(x[:200], y[:200]), Samples(x[200:], y[200:]))

    def loss(params):
        return model.goodness.for_judging.losses(model.network.apply(params, x[:200]), y[:200]).mean()

    for own, other in zip(found.gradients, jax.jit(jax.grad(loss))(model.params), strict=True):
        wanted = [array.ravel() for name, array in other.items() if name.endswith("weight")]
        np.testing.assert_allclose(own, np.concatenate([*wanted, np.zeros(0)]), atol=1e-5)


def test_layers_of_pictures_are_means_over_windows():
    h = np.random.default_rng(0).random((5, 6, 4, 3)).astype(np.float32)
    for most, size in ((72, 1), (71, 2), (18, 2), (17, 3), (3, 6)):
        found = np.asarray(_in_windows(jnp.asarray(h), most))
        assert found.shape[1] == -(-6 // size) * -(-4 // size) * 3 <= most
        whole = (
            h[:, :size, :size, 0]
            if size <= 4
            else np.pad(h, ((0, 0), (0, 0), (0, 2), (0, 0)), "edge")[..., 0]
        )
        np.testing.assert_allclose(found[:, 0], whole.mean(axis=(1, 2)), rtol=1e-5)


@pytest.mark.slow
def test_pictures_that_are_too_much_work_have_no_layers_to_tell_of(monkeypatch):
    monkeypatch.setattr("threestep.study.layers._MOST_WORK", 1e6)
    run = ts.fit("digits", network="conv8-dense8", epochs=1, seed=0)
    assert event(run, "details")["layers"] is None
    assert "What each hidden layer adds" not in report_html(run.events)


@pytest.mark.slow
def test_layers_of_pictures_are_left_out_where_their_program_is_late(monkeypatch):
    monkeypatch.setattr("threestep.study.layers._program", lambda *_: Future())
    run = ts.fit("digits", network="conv8-dense8", budget="3s", seed=0)
    assert event(run, "details")["layers"] is None


@pytest.mark.slow
def test_fewer_pictures_are_looked_at_where_time_is_short():
    model = ts.fit("digits", network="conv8-dense8", epochs=1, seed=0).model
    table = read("digits")
    x, y = encode(model.prep, table), table.y.astype(np.int32)
    learned, judged = Samples(x[:800], y[:800]), Samples(x[800:], y[800:])
    late = _look_at_pictures(model, learned, judged, until=time.perf_counter())
    if late is None:  # not even compiled
        assert _look_at_pictures(model, learned, judged) is not None
        late = _look_at_pictures(model, learned, judged, until=time.perf_counter())
    few = _look_at_pictures(model, Samples(learned.x[:128], learned.y[:128]), judged)
    assert late is not None
    assert few is not None
    assert len(late.learned[0]) == len(late.judged[0]) == 128
    assert late.learned[0].shape[1] <= 64  # numbers of each, of half as many samples at most
    for one, other in zip(late.gradients, few.gradients, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)


def test_networks_without_hidden_layers_have_no_layers_to_tell_of():
    x, y = blobs(100)
    run = ts.fit((x, y), network="", epochs=2)
    assert event(run, "details")["layers"] is None
    assert layers_of(run.model, None, None, "adamw", 0.1) is None  # pyright: ignore[reportArgumentType]


# Languages


def _templates():
    """All that the pages say, as it stands in the code."""
    folder = Path(ts.report.__file__).parent
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_said = isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("say", "say_in_drawing")
            if is_said and node.args and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


SAME_IN_BOTH = {"{text}", "{name} {n}", "R²"}


def test_everything_is_translated():
    names = {name for _, name, _ in _METRICS} - {"F1", "AUC", "R²", "RMSE", "MAE"}
    said = {
        *_templates(),
        *names,
        *_SEARCHERS.values(),
        *_QUESTIONS.values(),
        "train",
        "valid",
        "test",
    } - SAME_IN_BOTH
    said |= {"wrong answers"}  # as a comparison calls its errors
    said |= {_score_name(row) for row in ({"valid_rmse": 1.0}, {"valid_score": 1.0, "score_low": 0.5})}
    assert said - set(PAGE) == set()
    assert set(PAGE) - said - {"read", "prepare", "check", "measure"} == set()  # nothing is left over


def test_translations_hold_the_same_values():
    for english, chinese in SENTENCES.items():
        assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", chinese))
        assert re.search("[\u4e00-\u9fff\uff00-\uffef]", chinese)


def _in_chinese(html):
    """What is read on a page that is seen in Chinese: what is marked as English is left out."""
    main = html[html.index("<main>") : html.index("</main>")]
    main = re.sub(r"<title>.*?</title>|<pre>.*?</pre>", "", main, flags=re.DOTALL)
    while (shorter := re.sub(r'<(t?span) class="t" lang="en">((?!<t?span).)*?</\1>', "", main)) != main:
        main = shorter
    return unescape(re.sub(r"<[^>]+>", "|", main))


WORDS_IN_CHINESE = {
    *("threestep", "relu", "R", "RMSE", "PCA", "t", "SNE", "p", "e", "Nadeau", "Bengio", "Holm"),
    *("iris", "setosa", "versicolor", "virginica", "sepal", "petal", "length", "width", "cm"),
    *("arrays", "input", "target"),
}
"""Names, of the literature and of the data."""


@pytest.mark.parametrize(
    "page",
    [
        "depth",
        "explain",
        *(pytest.param(each, marks=pytest.mark.slow) for each in ("residual", "explain numbers")),
    ],
)
def test_pages_of_studies_are_in_chinese(page, tmp_path):
    """No English word is left but names."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3)).astype(np.float32)
    out = tmp_path / "one"
    if page in ("depth", "residual"):
        quick = {"depths": (2, 3), "widths": (8,), "seeds": 2, "rates": (3e-3,), "epochs": 2, "lang": "zh-TW"}
        ts.compare(page, (x, x[:, 0] if page == "residual" else (x[:, 0] > 0).astype(int)), out=out, **quick)
    else:
        data = "iris" if page == "explain" else (x, x[:, 0])
        model = ts.fit(data, network="8", epochs=3).model
        ts.explain(model, data, row=0, out=out, lang="zh-TW")
    html = (out / "report.html").read_text(encoding="utf-8")
    assert '<html lang="zh-TW">' in html
    assert re.findall(r'<input [^>]*id="lang-([\w-]+)" checked', html) == ["zh-TW"]
    assert set(re.findall(r"[A-Za-z]+", _in_chinese(html))) - WORDS_IN_CHINESE == set()


def test_verdicts_are_known_by_their_form():
    from threestep.study.verdict import _CLAIMS, ArmOutcome, verdict_of

    fields = dict.fromkeys(ArmOutcome.__dataclass_fields__, 0)
    base = {**fields, "mean": 0.1, "rival": 0}
    for by in _CLAIMS:
        for error in ("wrong answers", "RMSE"):
            for gains in ((0.0, 0.0), (0.0,), (0.1, 0.1), (-0.1, -0.1), (0.1, -0.1), (1e-9,)):
                outcomes = [ArmOutcome(**base | {"name": "1 × 9 plain"})]
                for gain in gains:
                    probability = 0.001 if gain else 0.8
                    if gain == 1e-9:  # nobody knows: it may be much more
                        probability = 0.8
                    own = {"name": "2 × 8 residual", "gain": gain, "probability": probability}
                    own["gain_high"] = 0.5 if gain == 1e-9 else 0.0
                    outcomes.append(ArmOutcome(**base | own))
                text = verdict_of(by, outcomes, error, 0.05, 3)
                chinese = translated(text).own["zh-TW"]
                left = set(re.findall(r"[A-Za-z]\w*", chinese)) - {"p", "RMSE"}
                assert left == set(), text


def test_sentences_of_deep_stacks_are_known_by_their_form():
    from threestep.study.health import KINDS, Stack, _sentences

    def stacks(learned):
        losses = {True: (0.1,), False: (9.0,)}
        return [
            Stack(kind.name, depth, "", sizes, (1.0,), losses[good], 0.5)
            for kind, sizes in zip(KINDS, ((1.0, 1.0), (0.0, 1.0), (1e-9, 1.0), (np.nan, 1.0)), strict=True)
            for depth, good in zip((4, 8, 16), learned, strict=True)
        ]

    for learned in ((True, True, True), (True, False, False), (False, False, False)):
        for text in _sentences(stacks(learned), 2.3):
            chinese = translated(text).own["zh-TW"]
            assert set(re.findall(r"[A-Za-z]\w*", chinese)) <= {"sigmoid", "relu"}, text
            assert ", " not in chinese
            assert "the last one before the output" in text  # the output's own gradient is not compared


def test_values_are_escaped_in_both_languages():
    text = say("{n} classes", n="<script>")
    assert text.count("&lt;script&gt;") == 2
    assert "<script>" not in text
    assert plain(text) == "<script> classes"
    assert say("<b>") == "&lt;b&gt;"


def test_sentences_of_the_journal_are_known_by_their_form():
    for text in ("all epochs done", "layer 2 widened from 64 to 128", "12 different words"):
        assert 'lang="zh-TW"' in translated(text)
    named = translated("column '<i>' is left out: one value only")
    assert "不使用欄位" in named
    assert "只有一個值" in named
    assert "<i>" not in named
    assert translated("something else") == "something else"
    assert set(JOURNAL) & set(PAGE) == set()


@pytest.mark.parametrize("lang", ["en", "zh-TW"])
def test_a_report_opens_in_the_language_that_was_asked_for(lang, tmp_path):
    ts.fit("iris", network="8", epochs=2, lang=lang, out=tmp_path / "run")
    html = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert f'<html lang="{lang}">' in html
    checked = re.findall(r'<input [^>]*id="lang-([\w-]+)" checked', html)
    assert checked == [lang]
    for text in ("Goodness of a function", "函數的好壞"):
        assert text in html


def test_a_language_that_is_not_there_is_refused():
    with pytest.raises(ts.SettingsError, match="lang"):
        ts.fit("iris", lang="fr")
    with pytest.raises(ts.SettingsError, match="lang"):
        ts.compare("depth", "iris", lang="fr")
    with pytest.raises(ts.SettingsError, match="lang"):
        ts.explain("no model", "iris", lang="fr")


def test_no_text_of_one_language_holds_markup_of_a_drawing_or_the_other_way_round(tmp_path):
    run = ts.fit("wine", effort="quick", widths=(8, 8), seed=0)
    html = report_html(run.events)
    for drawing in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        assert "<span" not in drawing
    assert "<tspan" not in re.sub(r"<svg.*?</svg>", "", html, flags=re.DOTALL)
    for attribute in re.findall(r'aria-label="([^"]*)"', html):
        assert "&lt;" not in attribute


# Pictures


@pytest.mark.parametrize("shape", [(3, 5), (4, 2, 3)])
def test_a_picture_is_a_png_with_these_pixels(shape):
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, shape)
    read = np.asarray(image.open(io.BytesIO(png(pixels.tolist()))))
    assert np.array_equal(read, pixels)
    assert isinstance(say("loss"), Markup)


# What is confused


def test_cells_of_the_matrix_open_their_samples():
    x, y = blobs(500, apart=1.0)
    run = ts.fit((x, y), **QUICK)
    details = event(run, "details")
    n_wrong = sum(map(sum, details["confusion"])) - sum(details["confusion"][at][at] for at in range(3))
    assert n_wrong > 5
    html = report_html(run.events)
    model_says = run.model.predict(x).astype(int)
    for cell in details["confused"]:
        target, predicted = cell["target"], cell["predicted"]
        assert 0 < len(cell["rows"]) <= details["confusion"][target][predicted]
        assert (y[cell["rows"]] == target).all()
        assert (model_says[cell["rows"]] == predicted).all()
        assert html.count(f'href="#cell-{target}-{predicted}"') == 1
        assert html.count(f'id="cell-{target}-{predicted}"') == 1
        assert ", ".join(map(str, cell["rows"])) in html
    assert len(details["confused"]) == html.count('class="cell"')


def test_estimators_show_what_was_found_in_a_notebook():
    estimator = ts.Classifier(network="8", epochs=2)
    assert "<b>found</b>" not in estimator._html_repr()
    x, y = blobs(100)
    shown = estimator.fit(x, y)._html_repr()
    assert "<b>found</b>" in shown
    assert f"{estimator.model_.network.n_params:,} params" in shown


def test_likely_label_errors_of_files_are_told_by_name(tmp_path):
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(0)
    for at in range(120):
        is_bright = at % 2
        folder = tmp_path / "data" / ("bright" if is_bright == (at not in (10, 51, 70, 93)) else "dark")
        folder.mkdir(parents=True, exist_ok=True)
        pixels = (rng.integers(0, 80, (8, 8)) + 150 * is_bright).astype(np.uint8)
        image.fromarray(pixels).save(folder / f"{at:03}.png")
    run = ts.fit(tmp_path / "data", network="8", epochs=30, seed=0, valid_fraction=0.3, test_fraction=0.4)
    known = event(run, "details")["label_errors"]["worst"]
    assert known
    for each in known:
        number = int(each["name"].split("/")[-1][:3])
        assert each["name"].startswith(each["target"])
        assert number in (10, 51, 70, 93)
        assert each["name"] in report_html(run.events)


# What a reviewer tried


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(3, 130), (130, 2), (1, 41), (90, 41, 3)])
def test_narrow_pictures_are_drawn(shape):
    x = np.random.default_rng(0).random((120, *shape)).astype(np.float32)
    run = ts.fit((x, np.arange(120) % 2), network="4", epochs=1)
    shown = np.array(event(run, "details")["pictures"])
    assert min(shown.shape[1:3]) > 0
    assert max(shown.shape[1:3]) <= 40
    report_html(run.events)


def test_layers_are_judged_by_samples_of_all_classes():
    """Parts are in the order of the source, which may be sorted by class."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 4000)
    run = ts.fit((rng.normal(size=(8000, 3)).astype(np.float32), y), network="8", epochs=1)
    assert max(event(run, "details")["layers"]["probes"]) < 0.7


def test_a_column_that_counts_the_samples_hides_no_copies():
    x, y = blobs(200)
    columns = {name: np.tile(x[:, at], 2) for at, name in enumerate("abc")}
    run = ts.fit({"id": np.arange(400), **columns, "target": np.tile(y, 2)}, **QUICK)
    check = event(run, "check")
    assert check["n_copies"] == 200
    assert check["n_seen"] > 10


def test_words_that_are_no_text_have_a_fingerprint():
    column = np.array(["x\udc80", "y"] * 30, object)
    run = ts.fit({"a": column, "b": np.arange(60.0), "target": np.arange(60) % 2}, network="4", epochs=1)
    assert len(event(run, "check")["hash"]) == 64


def test_a_first_step_of_rmsprop():
    """As the optimizer takes it."""
    from threestep.pick.optimizers import RULES, Pace
    from threestep.study.layers import _step_size

    gradient = np.random.default_rng(0).normal(size=(30, 20)).astype(np.float32)
    for name, rule in RULES.items():
        none = (np.zeros_like(gradient),) * rule.n_moments
        change, _ = rule.change(Pace(1.0, 0.0, 10.0, 0.001**-0.5), gradient, none)
        assert _step_size(name, gradient) == pytest.approx(float(np.linalg.norm(change)), rel=0.01)


def _notes_on_contents():
    """What may be said of a folder of pictures or sounds, and of a CSV file that names them."""
    from threestep.data.folder_layout import Contents, Sample
    from threestep.data.folder_notes import notes_on_contents

    loose = [Sample(Path("a/b")), Sample(Path("a/cut"))]
    classes = tuple((part, label) for part in ("train", "test") for label in ("a", "b", "cut"))
    known = [
        Sample(Path("a/b/a"), "a", "valid"),
        Sample(Path("a/b/a"), "a", "test"),
        Sample(Path("a/b/b"), "b", "test"),
        Sample(Path("a/b/max"), "max", "train"),
    ]
    for some in (loose, loose[:1]):
        found = Contents((*known, *some), (*classes, ("train", "max")), is_divided=True)
        yield from notes_on_contents(found, known, Path("a"), True)
    yield "3 of 50 files are longer than 0.64 s; their middle is used"
    yield "column 'a' of b names 3 files, 'cut' is their label"
    yield "2 of 10 names in a are of no file that is there; they are left out"
    yield from ("2 files beside a not named in it", "1 file beside a not named in it")
    yield "the 20 samples for the test are scored, not the 80 others"


def _sentences_of_runs():
    """What the journal of a run may say beside its numbers."""
    from threestep.data import Media, notes_on_classes, understand_target
    from threestep.data.csv_file import _on_codes, _on_header
    from threestep.data.folder_layout import unread
    from threestep.data.folder_notes import notes_on_files
    from threestep.data.kinds import _CONSTANT, _ID
    from threestep.data.written import as_python_writes
    from threestep.pick import Outcome
    from threestep.pick.proposals import ANEW, DESIGNED, LONGER, Proposal
    from threestep.study.events import SPENT_BEFORE, _read_either_way
    from threestep.study.finding import NONE_SMALL_ENOUGH
    from threestep.study.picking import _too_slow
    from threestep.study.searching import NO_TIME_FOR_CONVOLUTIONS, _not_refitted, nothing_in_words
    from threestep.study.seen import part_note

    for kind, channels in (("picture", 1), ("picture", 3), ("sound", 1)):
        media = Media(kind, 16, 12, channels, bits=12 if channels == 1 and kind == "picture" else 0)
        yield from notes_on_files([Path("x/a"), Path("x/b")], {1: "cut short"}, media, Path("x"))
    yield from (unread([Path("a.max")] * n) for n in (1, 2))
    yield from _notes_on_contents()
    yield from (_too_slow(ts.Settings(max_latency_ms=1.5)), _too_slow(ts.Settings(max_params=1_000)))
    yield from (_not_refitted(0, 1), _not_refitted(1, 3))
    yield from (NO_TIME_FOR_CONVOLUTIONS, NONE_SMALL_ENOUGH, SPENT_BEFORE)
    outcomes = Outcome.OUT_OF_TIME, Outcome.DIVERGED
    yield from (nothing_in_words(each, kind) for each in outcomes for kind in ("classes", "number", "labels"))
    yield from (part_note(21_000, 1_000_000, has_convolutions) for has_convolutions in (False, True))
    yield from (ANEW, f"{ANEW} in 4 folds", LONGER, DESIGNED, Proposal.__dataclass_fields__["change"].default)
    names = np.array([f"a{number}" for number in range(30)], object)
    yield from notes_on_classes(understand_target(names, "a"), names)
    one_of = np.eye(3, dtype=int)
    yield from notes_on_classes(understand_target(one_of, "a"), one_of)
    yield from ts.data.labelled(ts.data.read((np.zeros((2, 3, 8, 8)), [0, 1]))).notes
    yield "1,200 of 3,000 pixels are missing and count as 0"
    yield from (each.sentence for each in Outcome if each is not Outcome.RUNNING)
    for which in ("all", "the 2,900 most frequent"):
        means = f"{which} say what the target usually is there"
        yield f"column 'a' has 3,000 different words; the 2,048 most frequent are inputs, {means}"
    yield "column 'a' has 3,000 different words; the 2,048 most frequent are inputs, the others count as unknown"
    yield from (
        f"column 'a' is left out: {why}" for why in (_CONSTANT, _ID, "List(Int64) is not supported yet")
    )
    written = [("a", ["1,5", "2,5"]), ("b", ["$1,250", "$3"]), ("cut", ["1.250", "3"])]
    written += [("a b", ["(3)", "4"]), ("c", ["1.5K", "2M"])]
    yield from as_python_writes(dict(written))[1]
    yield from as_python_writes(dict(written[1:2]))[1]
    yield from (*_on_header([0, 1], [0, 1]), *_on_codes({"a": ["01", "2"]}, {}))
    yield from (_read_either_way("a", order) for order in ("mdy", "dmy"))
    yield from (
        f"column 'a' is {what}; 2 of 3,000 cells are words such as '無' and count as missing; "
        "--column a=category takes all of it as words"
        for what in ("numbers", "dates")
    )
    yield f"column 'a' is left out: {_ID}; --column a=number keeps it"
    yield "column 'a' is left out: looks like an id or free text: 200 different words; --column a=category keeps it"
    rank = "as the target does{} (rank correlation 0.999)"
    yield from (
        f"column 'a' may give the target away: {how}; --column a=ignore leaves it out"
        for how in (
            "equals the target",
            "equals the target, but for a factor",
            "equals the target, but for a factor and a constant",
            "a, b add up to the target",
            "a, b, a, b, a, … add up to the target",
            "where it is known, its 3 values determine the target",
            "its 3 values and its gaps determine the target",
            "one threshold on it separates the classes",
            "each value of the target has an interval of it for itself",
            "its 3 values are intervals of the target",
            "goes with the target in 98.5 % of the samples",
            *(
                f"orders {which} {rank.format(way)}"
                for way in ("", ", in reverse")
                for which in ("the samples", "97.5 % of the samples")
            ),
        )
    )


def test_sentences_of_runs_are_translated():
    names = {"a", "b", "cut", "short", "Hz", "max", "latency", "ms", "params", "refit", "List", "Int", "NaN"}
    names |= {
        "c",
        "K",
        "M",
        "y",
        "argmax",
        "column",
        "number",
        "category",
        "ignore",
        "target",
        "NAME",
    }  # of an option
    for text in _sentences_of_runs():
        chinese = unescape(translated(text).own["zh-TW"])
        assert set(re.findall("[A-Za-z]+", chinese)) <= names, text


def test_layers_are_named_in_chinese():
    from threestep.network import parse

    network = parse("conv8-res8x2-res16s2-meanpool-globalpool-dense16-r16", (32, 32), 3)
    for what, *_ in network.rows:
        assert set(re.findall("[A-Za-z]+", translated(what).own["zh-TW"])) <= {"relu"}, what


def test_names_that_are_sentences_are_left_alone():
    text = translated(
        "column 'random' may give the target away: its 3 values determine the target; --column random=ignore leaves it out"
    )
    assert text.count("--column random=ignore") == 2


def test_what_was_looked_for_is_said_where_no_column_gives_the_target_away():
    from threestep.report.data_check import data_check

    check = {
        "missing": [],
        "n_with_gaps": 0,
        "classes": [],
        "n_copies": 0,
        "n_contradictions": 0,
        "n_seen": 0,
    }
    target = {"classes": (), "n_columns": 1}
    start = {"columns": [("a", "number")], "target": target, "notes": [], "n_samples": {}}
    none = "no column equals, determines or orders the target by itself, and none add up to it"
    assert none in data_check(start, check)
    assert "沒有任何欄位" in data_check(start, check)
    found = data_check({**start, "notes": ["column 'a' may give the target away: equals the target"]}, check)
    assert "1: see above" in found
    assert none not in found
    for nothing_looked_for in ({"columns": []}, {"target": {**target, "n_columns": 2}}):
        assert "give the target away" not in data_check(start | nothing_looked_for, check)
