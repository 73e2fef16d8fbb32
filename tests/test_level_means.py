"""Categories of more levels than inputs: what the target usually is at each level."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import threestep as ts
from threestep.data import (
    Prep,
    Table,
    encode,
    encode_learned,
    fit_prep,
    notes_on_strangers,
    understand_target,
)
from threestep.data import levels as levels_module
from threestep.data.level_means import _drawn, fold_of, n_means_of

N, N_TOWNS = 3000, 300


@pytest.fixture(autouse=True, scope="module")
def few_inputs():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(levels_module, "_MOST_LEVELS_IN_ALL", 100)
        yield


def towns(seed: int = 0, n: int = N) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.arange(n) % N_TOWNS)


def table_of(y: np.ndarray, codes: np.ndarray, weight: np.ndarray | None = None) -> Table:
    town = np.array([f"t{code:03d}" for code in codes], object)
    return Table("t", {"x": np.arange(len(y)) % 7.0, "town": town}, y, "y", weight=weight)


def prep_of(table: Table) -> Prep:
    return fit_prep(table, understand_target(np.asarray(table.y), "y"), most_bins=0)


def said(prep: Prep, inputs: np.ndarray) -> np.ndarray:
    return inputs[:, -prep.layout.n_means :]


def test_a_level_says_what_the_target_usually_is_there():
    codes, rng = towns(), np.random.default_rng(1)
    level = rng.normal(size=N_TOWNS)
    table = table_of(5 + 2 * (level[codes] + 0.1 * rng.normal(size=N)), codes)
    prep = prep_of(table)
    assert (prep.layout.n_means, len(dict(prep.layout.words)["town"])) == (1, 100)
    assert prep.means.shape == (N_TOWNS, 1)
    says = said(prep, encode(prep, table))[:, 0]
    spread = level[codes].std()
    np.testing.assert_allclose(says, (level[codes] - level[codes].mean()) / spread, atol=0.15)
    stranger = Table("t", {"x": np.zeros(3), "town": np.array(["t299", "never seen", ""], object)})
    expected = np.array([prep.means[299, 0], 0, 0], np.float32)
    np.testing.assert_array_equal(said(prep, encode(prep, stranger))[:, 0], expected)
    assert not notes_on_strangers(prep, table)


def test_chance_says_nothing():
    codes, rng = towns(), np.random.default_rng(1)
    prep = prep_of(table_of(rng.normal(size=N), codes))
    assert np.abs(prep.means).max() < 0.25  # the plain means go up to 0.9


def test_fewer_samples_say_less():
    places = np.repeat([0, 1, 2, 3], [100, 5, 100, 5])
    y = np.where(places < 2, 1.0, -1.0)[:, None] + 0.8 * np.random.default_rng(0).normal(size=(210, 1))
    means = _drawn(places, 5, y, np.ones((210, 1)))
    plain = np.array([y[places == each].mean() for each in range(4)]) - y.mean()
    shares = means[:4, 0] / plain
    assert (shares > 0).all()
    assert (shares < 1).all()
    assert max(shares[1], shares[3]) < min(shares[0], shares[2])
    assert means[4] == 0  # a level without samples


def test_what_a_sample_learns_from_is_what_others_say():
    """Fold by fold it is what a prep would say that never saw the fold."""
    codes, rng = towns(), np.random.default_rng(1)
    y = rng.normal(size=N_TOWNS)[codes] + rng.normal(size=N)
    table = table_of(y, codes)
    prep = prep_of(table)
    own = said(prep, encode_learned(prep, table))[:, 0]
    for fold in range(5):
        inside = fold_of(N) == fold
        others = fit_prep(table.take(np.flatnonzero(~inside)), prep.target, most_bins=0, layout=prep.layout)
        expected = said(others, encode(others, table.take(np.flatnonzero(inside))))[:, 0]
        np.testing.assert_allclose(own[inside] * y.std(), expected * y[~inside].std(), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(encode_learned(prep, table)[:, :-1], encode(prep, table)[:, :-1])


def test_levels_in_turn_are_not_all_in_one_fold():
    codes = np.arange(N) % N_TOWNS
    table = table_of(np.random.default_rng(1).normal(size=N_TOWNS)[codes], codes)
    prep = prep_of(table)
    own, seen = (said(prep, each(prep, table))[:, 0] for each in (encode_learned, encode))
    assert np.corrcoef(own, seen)[0, 1] > 0.99


def test_a_sample_alone_at_its_level_does_not_learn_its_own_target():
    rng = np.random.default_rng(1)
    codes = np.concatenate([np.arange(N_TOWNS), rng.integers(0, 10, 2700)])
    y = rng.normal(size=N_TOWNS)[codes] * 3 + 0.1 * rng.normal(size=N)
    table = table_of(y, codes)
    prep = prep_of(table)
    own, seen = (said(prep, each(prep, table))[:, 0] for each in (encode_learned, encode))
    alone = np.arange(10, N_TOWNS)
    assert not own[alone].any()
    assert np.corrcoef(seen[alone], y[alone])[0, 1] > 0.99


@pytest.mark.parametrize(
    ("y", "n_means"),
    [
        (np.arange(N) % 2, 1),
        (np.array(["a", "b", "c"], object)[np.arange(N) % 3], 3),
        (np.arange(N) % 17, 0),
        (np.arange(N) / 7, 1),
        (np.stack([np.arange(N) / 7, np.arange(N) % 11 / 3], 1), 2),
    ],
)
def test_how_many_means_there_are(y, n_means):
    prep = prep_of(table_of(y, towns()))
    assert n_means_of(prep.target) == n_means
    assert prep.layout.n_means == n_means
    inputs = encode_learned(prep, table_of(y, towns()))
    assert inputs.shape == (N, 1 + 100 + n_means)
    assert np.isfinite(inputs).all()


def test_of_classes_each_says_its_share():
    codes = towns()
    y = np.where(codes % 2 == 0, "even", "odd").astype(object)
    prep = prep_of(table_of(y, codes))
    assert (np.sign(prep.means[:, 0]) == np.where(np.arange(N_TOWNS) % 2, 1, -1)).all()


def test_samples_count_as_their_weights_say():
    codes, rng = towns(), np.random.default_rng(1)
    y, is_heavy = rng.normal(size=N_TOWNS)[codes] + rng.normal(size=N), rng.random(N) < 0.5
    weight = np.where(is_heavy, 1.0, 1e-6)
    weighted, other = (prep_of(table_of(y, codes, unit * weight)) for unit in (1.0, 1e-12))
    np.testing.assert_allclose(weighted.means, other.means, atol=1e-9)
    rows = np.flatnonzero(is_heavy)
    heavy = fit_prep(table_of(y[rows], codes[rows]), weighted.target, most_bins=0, layout=weighted.layout)
    assert np.corrcoef(weighted.means[:, 0], heavy.means[:, 0])[0, 1] > 0.99


@given(
    st.lists(
        st.tuples(st.integers(-1, 5), st.floats(-1e6, 1e6), st.sampled_from([0.5, 1.0, 3.0])), min_size=1
    )
)
def test_means_are_always_numbers_between_those_of_the_samples(samples):
    places, y, weight = (np.array(each) for each in zip(*samples, strict=True))
    means = _drawn(places, 6, y[:, None], weight[:, None])[:, 0]
    assert np.isfinite(means).all()
    if (places >= 0).any():
        assert np.abs(means).max() <= np.ptp(y[places >= 0]) * (1 + 1e-9) + 1e-9


def test_a_model_learns_from_levels_that_have_no_input(tmp_path):
    rng = np.random.default_rng(0)
    codes, size = towns(), rng.normal(size=N)
    price = rng.normal(size=N_TOWNS)[codes] + 0.5 * size + 0.2 * rng.normal(size=N)
    frame = {"town": np.array([f"town {code}" for code in codes], object), "size": size, "price": price}
    run = ts.fit(frame, target="price", network="32", epochs=30, seed=0)
    assert run.scores["test"]["r2"] > 0.8  # by the hundred with an input alone 0.35
    run.model.save(tmp_path / "m.safetensors")
    loaded = ts.load(tmp_path / "m.safetensors")
    assert loaded.predict(frame).tolist() == run.model.predict(frame).tolist()


def noisy(noise: float = 1.0) -> dict[str, np.ndarray]:
    codes, rng = towns(), np.random.default_rng(1)
    y = rng.normal(size=N_TOWNS)[codes] + noise * rng.normal(size=N)
    return {"town": np.array([f"t{code}" for code in codes], object), "x": rng.normal(size=N), "y": y}


def test_training_scores_hold_no_sample_s_own_target():
    run = ts.fit(noisy(2.0), target="y", network="8", epochs=10, seed=0)
    assert (
        run.scores["train"]["r2"] < run.scores["test"]["r2"] + 0.1
    )  # 0.16 more with its own in it, 0.06 without


def test_levels_say_nothing_where_that_is_not_wanted():
    run = ts.fit(noisy(), target="y", network="8", epochs=2, level_means=False)
    assert run.model.prep.layout.means == ()
    (said,) = [note for note in run.events[0]["notes"] if "town" in note]
    assert said.endswith("count as unknown")


def test_partial_fit_has_none_for_samples_may_come_again():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(noisy())
    regressor = ts.Regressor(network="16", random_state=0)
    for _ in range(3):
        regressor.partial_fit(frame[["town", "x"]], frame["y"])
    assert regressor.model_.prep.layout.means == ()


def test_balanced_classes_are_learned_from_as_they_are_seen_later():
    columns = noisy()
    columns["y"] = np.where(columns["y"] > 1.5, "rare", "usual").astype(object)
    table = ts.data.label(ts.data.read(columns), "y")
    prepared = ts.study.prepare_run(table, ts.Settings(class_weight="balanced", bins=0))
    train = prepared.parts.train
    own, seen = (said(prepared.prep, each(prepared.prep, train))[:, 0] for each in (encode_learned, encode))
    others = said(prepared.prep, encode(prepared.prep, prepared.parts.test))[:, 0]
    for each in (seen, others):
        assert abs(each.mean() - own.mean()) < 0.1 * own.std()
        assert 0.8 < each.std() / own.std() < 1.25


def test_labels_may_be_yes_and_no():
    columns = noisy()
    rng = np.random.default_rng(0)
    labels = {name: np.where(rng.random(N) < 0.5, "yes", "no").astype(object) for name in ("a", "b")}
    run = ts.fit({"town": columns["town"], **labels}, target="a,b", network="4", epochs=1)
    assert run.model.prep.layout.n_means == 2


@pytest.mark.parametrize(("n_letters", "n_levels"), [(2_000, 110), (900, 1_200)])
def test_long_words_stand_in_the_file_or_are_left_out(n_letters, n_levels, tmp_path, monkeypatch):
    monkeypatch.setattr(levels_module, "_MOST_LETTERS", 500_000)
    monkeypatch.setattr(levels_module, "_MOST_LEVELS_IN_ALL", 2048)
    rng = np.random.default_rng(0)
    codes = rng.permutation(np.arange(3 * n_levels) % n_levels)
    longest = {0: "x" * n_letters} if n_letters > 1000 else {}
    cells = [
        longest.get(code, f"{code:04d}" + "y" * (n_letters if n_letters < 1000 else 1)) for code in codes
    ]
    columns = {"text": np.array(cells, object), "y": rng.normal(size=len(codes))}
    run = ts.fit(columns, target="y", network="4", epochs=1, column=("text=category",))
    (levels,) = (levels for _, levels in run.model.prep.layout.words)
    if n_letters > 1000:
        assert "x" * n_letters not in levels or len(levels) == 100
    else:
        assert len(levels) == 100 + 500_000 // 904
    run.model.save(tmp_path / "m.safetensors")
    assert ts.load(tmp_path / "m.safetensors").prep.layout == run.model.prep.layout
