"""Categories of more levels than inputs: what the target usually is at each level."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import threestep as ts
from threestep.data import Table, encode, encode_learned, fit_prep, notes_on_strangers, understand_target
from threestep.data import prep as prep_module
from threestep.data.level_means import _drawn, fold_of, n_means_of

N, N_TOWNS = 3000, 300


@pytest.fixture(autouse=True, scope="module")
def few_inputs():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prep_module, "_MOST_LEVELS_IN_ALL", 100)
        yield


def towns(seed: int = 0, n: int = N) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.arange(n) % N_TOWNS)


def table_of(y: np.ndarray, codes: np.ndarray, weight: np.ndarray | None = None) -> Table:
    town = np.array([f"t{code:03d}" for code in codes], object)
    return Table("t", {"x": np.arange(len(y)) % 7.0, "town": town}, y, "y", weight=weight)


def prep_of(table: Table) -> prep_module.Prep:
    return fit_prep(table, understand_target(np.asarray(table.y), "y"), most_bins=0)


def said(prep: prep_module.Prep, inputs: np.ndarray) -> np.ndarray:
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
    assert run.scores["test"]["r2"] > 0.8  # by the hundred with an input alone 0.4
    run.model.save(tmp_path / "m.safetensors")
    loaded = ts.load(tmp_path / "m.safetensors")
    assert loaded.predict(frame).tolist() == run.model.predict(frame).tolist()


def test_partial_fit_knows_them_too():
    pd = pytest.importorskip("pandas")
    codes, rng = towns(), np.random.default_rng(1)
    y = rng.normal(size=N_TOWNS)[codes] + 0.1 * rng.normal(size=N)
    frame = pd.DataFrame({"town": [f"t{code}" for code in codes], "x": rng.normal(size=N)})
    regressor = ts.Regressor(network="16", random_state=0)
    for _ in range(10):
        regressor.partial_fit(frame, y)
    assert regressor.model_.prep.layout.n_means == 1
    assert regressor.score(frame, y) > 0.8
