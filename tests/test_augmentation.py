"""Samples changed at random while they are learned from: how, how much, and that their losses stay right."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import threestep as ts
from threestep.data import Layout, Media
from threestep.pick.augmentation import Augmentation, Batch, augmented
from threestep.pick.descent import _augmentation
from threestep.settings import Descent, Settings
from threestep.study.choices import choose_settings
from threestep.study.choices_on_pictures import choose_for_pictures, descent_on_pictures

KEY = jax.random.key(0)
GOODNESS = ts.goodness.Goodness("cross_entropy", label_smoothing=0.1)


def batch_of(x, y=None, weight=None):
    x = jnp.asarray(np.asarray(x, np.float32).reshape(len(x), -1))
    weight = np.ones(len(x), np.float32) if weight is None else np.asarray(weight, np.float32)
    y = np.zeros(len(x), np.int32) if y is None else np.asarray(y, np.int32)
    return Batch(x, jnp.asarray(y), jnp.asarray(weight), jnp.asarray(weight / max(1, (weight > 0).sum())))


def stripes(n, seed=0):
    rng = np.random.default_rng(seed)
    y, phase = rng.integers(0, 2, n), rng.integers(0, 4, n)
    rows, columns = np.mgrid[:12, :12]
    along = np.where(y[:, None, None] == 0, rows, columns) + phase[:, None, None]
    return (np.sin(along * 1.5) + rng.normal(0, 0.5, (n, 12, 12))).astype(np.float32), y


# Moved, mirrored


def test_pictures_are_moved_and_mirrored_at_random():
    how = Augmentation((4, 5, 1), (1, 2), flip=True)
    picture = np.arange(20.0, dtype=np.float32).reshape(4, 5)
    batch = batch_of(np.tile(picture, (400, 1, 1)))
    x, targets = augmented(how, KEY, batch)
    found = np.asarray(x).reshape(400, 4, 5)
    around = np.pad(picture, ((1, 1), (2, 2)), mode="edge")
    possible = [around[r : r + 4, c : c + 5] for r in range(3) for c in range(5)]
    possible = {each.tobytes() for part in possible for each in (part, part[:, ::-1].copy())}
    assert {each.tobytes() for each in found} == possible
    np.testing.assert_array_equal(augmented(how, KEY, batch)[0], x)
    assert targets == (batch,)


@pytest.mark.parametrize("wish", [{"shift": 0.1}, {"noise": 0.1}, {"mixup": 0.2}, {"shift_width": 0.1}])
def test_nothing_is_changed_where_neurons_alone_look(wish):
    with pytest.raises(ts.SettingsError, match="neurons only"):
        ts.fit(stripes(60), network="8", epochs=1, **wish)
    with pytest.raises(ts.SettingsError, match="no network with convolutions"):
        ts.fit(stripes(60), convolutions=False, **wish)


@pytest.mark.slow
def test_moved_pictures_are_recognized_elsewhere():
    """Learned from pictures in the middle only, with and without moving them."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    x = rng.normal(size=(400, 12, 12)).astype(np.float32) / 4
    x[:, 5:7, 5:7] += np.where(y == 0, 1, -1)[:, None, None]
    away = np.roll(x, (3, -3), axis=(1, 2))
    scores = [
        ts.fit((x, y), network="conv8-dense8", epochs=25, shift=shift)
        .model.predict(away)
        for shift in (0.0, 0.3)
    ]  # fmt: skip
    fixed, moved = ((each == y).mean() for each in scores)
    assert moved > 0.95
    assert moved > fixed


# Which changes suit the samples


def chosen(media, **asked):
    shape = media.shape if media else (70, 40)
    layout, asked = Layout(shape=shape, media=media), Settings(network="conv8", **asked)
    network = ts.network.parse("conv8", shape, 10)
    settings = choose_for_pictures(asked, choose_settings(asked, 500, True, layout, "y"), network, 500)
    return _augmentation(network, settings)


SOUND = Media("sound", 70, 40, 1, 8000, 256, 80)


@pytest.mark.parametrize(
    ("media", "asked", "moves"),
    [
        (SOUND, {}, (7, 0)),
        (SOUND, {"shift": 0.2}, (14, 0)),
        (SOUND, {"shift_width": 0.1}, (7, 4)),
        (Media("picture", 70, 40), {}, (7, 4)),
        (None, {}, (7, 4)),
        (None, {"shift": 0.2, "shift_width": 0.0}, (14, 0)),
    ],
)
def test_sounds_are_moved_in_time_and_stay_in_their_bands(media, asked, moves):
    assert chosen(media, **asked).shift == moves


def test_sounds_that_a_search_tries_stay_in_their_bands_too():
    layout = Layout(shape=SOUND.shape, media=SOUND)
    asked, network = Settings(), ts.network.parse("conv8", SOUND.shape, 10)
    settings = choose_settings(asked, 500, True, layout, "y")
    how = _augmentation(network, descent_on_pictures(asked, settings, network, 500))
    assert (how.shift, how.noise, how.mixup) == ((7, 0), 0.0, 0.0)


# Noise


def test_noise_is_a_share_of_how_much_a_picture_varies():
    pictures = np.random.default_rng(0).normal(size=(3, 5000)) * [[1.0], [10.0], [0.0]] + 5
    batch = batch_of(pictures)
    how = Augmentation((50, 100, 1), noise=0.3)
    x, targets = augmented(how, KEY, batch)
    noise = np.asarray(x - batch.x)
    np.testing.assert_allclose(noise.std(axis=1), [0.3, 3.0, 0.0], rtol=0.05)
    assert np.abs(noise.mean(axis=1)).max() < 0.15
    assert targets == (batch,)
    np.testing.assert_array_equal(x, augmented(how, KEY, batch)[0])
    assert not np.array_equal(x, augmented(how, jax.random.key(1), batch)[0])


# Mixed with one another


def mixed(n, weight=None, alpha=0.7, key=KEY):
    """Samples that show what they are mixed of: how much of each there is in each, and the targets."""
    y = np.arange(n) % 4
    x, targets = augmented(Augmentation((1, n, 1), mixup=alpha), key, batch_of(np.eye(n), y, weight))
    return np.asarray(x), y, targets


def smoothed(y):
    return 0.9 * np.eye(4)[y] + 0.1 / 4


@pytest.mark.parametrize("weight", [None, [1.0, 3.0, 0.25, 2.0, 1.0, 5.0, 0.5, 1.0, 0.0, 0.0]])
def test_the_loss_of_mixed_samples_is_that_of_the_mixed_targets(weight):
    """Smoothed and weighted, written out: each target counts by its own sample's weight."""
    shares, y, targets = mixed(10, weight)
    outputs = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    log_p = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
    w = np.ones(10) if weight is None else np.array(weight)
    n = (w > 0).sum()
    target = (shares * w) @ smoothed(y)  # of each place, weighted
    wanted = -(target * log_p)[:n].sum() / n
    found = sum(float((each.share * GOODNESS.losses(outputs, each.y)).sum()) for each in targets)
    assert found == pytest.approx(wanted, rel=1e-5)
    told = sum(
        np.where(each.weight > 0, each.weight * GOODNESS.losses(outputs, each.y), 0) for each in targets
    )
    assert told.sum() / n == pytest.approx(wanted, rel=1e-5)


def test_samples_are_mixed_with_samples_and_not_with_what_fills_a_batch_up():
    shares, _, targets = mixed(10, [1] * 7 + [0] * 3)
    assert (shares[:7, 7:] == 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    assert ((shares[:7] > 0).sum(axis=1) == 2).all()
    assert all((np.asarray(each.share)[7:] == 0).all() for each in targets)
    shares, *_ = mixed(3, [1, 0, 0])
    assert shares[0].tolist() == [1, 0, 0]


def test_partners_and_shares_are_drawn_anew_by_each_key():
    many = [mixed(8, key=jax.random.key(seed))[0] for seed in range(60)]
    np.testing.assert_array_equal(many[0], mixed(8)[0])
    partners = {np.flatnonzero(shares[0]).tolist()[-1] for shares in many}
    assert partners == set(range(1, 8))
    own = np.array([np.diag(shares) for shares in many]).ravel()
    assert own.mean() == pytest.approx(0.5, abs=0.06)  # of Beta(0.7, 0.7)
    assert own.var() == pytest.approx(1 / (4 * 2.4), rel=0.15)


@pytest.mark.parametrize(
    "wish",
    [
        pytest.param({"noise": 0.2}, marks=pytest.mark.slow),
        pytest.param({"mixup": 0.3}, marks=pytest.mark.slow),
        {"noise": 0.1, "mixup": 0.3, "flip": True},
    ],
)
def test_what_is_learned_from_changed_samples_is_the_same_each_time(wish):
    x, y = stripes(90)
    network = ts.network.parse("conv4-dense8", (12, 12), 2)
    parts = (x[:70], y[:70]), (x[70:], y[70:])
    how = Descent(epochs=3, batch_size=16, **wish)
    one, same, other, plain = (
        ts.pick.train(network, GOODNESS, *parts, *each)
        for each in ((how, 0), (how, 0), (how, 1), (replace(how, noise=None, mixup=None), 0))
    )
    for a, b in zip(jax.tree.leaves(one.params), jax.tree.leaves(same.params), strict=True):
        np.testing.assert_array_equal(a, b)
    losses = [[row.train_loss for row in each.history] for each in (one, other, plain)]
    assert losses[0] != losses[1]
    assert losses[0] != losses[2]


@pytest.mark.parametrize("class_weight", ["even", pytest.param("balanced", marks=pytest.mark.slow)])
def test_mixed_samples_teach(class_weight):
    run = ts.fit(
        stripes(400), network="conv8-dense8", epochs=15, mixup=0.3, noise=0.1, class_weight=class_weight
    )
    assert run.scores["test"]["accuracy"] > 0.9
