"""Step 3 for many networks: what comes of a member follows from itself alone, and costs no compile."""

import hashlib
import math
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest
from scipy.special import logsumexp

import threestep as ts
from threestep import devices
from threestep.pick import (
    EpochRow,
    Job,
    Member,
    Outcome,
    Population,
    Trained,
    before_the_first_step,
    compiled,
    ended,
    population,
    program,
    programs,
)
from threestep.pick.optimizers import RULES
from threestep.pick.samples import epoch_order

CROSS, SQUARED = ts.goodness.Goodness("cross_entropy"), ts.goodness.Goodness("squared_error")
SETTINGS = ts.Descent(batch_size=20)  # two steps of 20 samples and one of 8 per epoch
EPOCHS = 5


def classes(n_samples=48, seed=0):
    """x (n_samples, 6) and three classes that depend on it, with some noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, 6)).astype(np.float32)
    return x, (x[:, :3] + 0.5 * rng.normal(size=(n_samples, 3))).argmax(axis=1)


def numbers(n_samples=48, seed=0):
    """x (n_samples, 6) and a target that bends."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_samples, 6)).astype(np.float32)
    return x, np.sin(x[:, 0]) + x[:, 1] + 0.1 * rng.normal(size=n_samples)


def member(spec, seed=0, n_outputs=3, **rates) -> Member:
    return Member(ts.network.parse(spec, (6,), n_outputs), seed=seed, **rates)


def many(n, first=0):
    """Different members of two programs."""
    specs = ("16", "", "8-12 silu", "5-9-16-3", "12-r12-r12")
    return [
        member(specs[at % 5], seed=at, learning_rate=1e-3 * 2 ** (at % 4), weight_decay=0.01 * (at % 3))
        for at in range(first, first + n)
    ]


def jobs_of(members, epochs=EPOCHS):
    return [Job(each, epochs) for each in members]


def people(goodness=CROSS, data=None, valid=None, settings=SETTINGS, **others) -> Population:
    """A population on the small data; `closing` closes it."""
    make = classes if goodness is CROSS else numbers
    return Population(goodness, data or make(), valid or make(30, seed=1), settings, **others)


def train(members, epochs=EPOCHS, **others) -> list[Trained]:
    """In a population of its own, whose programs are compiled (or read from the cache) anew."""
    own = people(**others)
    trained = ended(own.train(jobs_of(members, epochs)))
    own.close()
    return trained


def train_without_waiting(own, members) -> list[Trained | None]:
    """Where nothing is left to wait for: it must not wait for ever."""
    stop = threading.Event()
    steps = own.train(jobs_of(members), stop)
    for _ in range(30):
        try:
            next(steps)
        except StopIteration as end:
            return end.value
    stop.set()
    ended(steps)
    raise AssertionError("it waits for a compile that nobody will do")


@pytest.fixture(scope="module")
def crowd():
    """One population for all tests that need no other."""
    own = people()
    yield own
    own.close()


def programs_of(own: Population) -> list:
    """All that the population has compiled."""
    return [future.result() for future in own._programs.promised.values()]


def bits(trained: Trained) -> str:
    """All that came of a member."""
    leaves = [*jax.tree.leaves(trained.params), trained.losses, trained.hits, np.array(trained.history)]
    ends = f"{trained.best_epoch} {trained.outcome.name} {trained.member}"
    return hashlib.sha256(b"".join(leaf.tobytes() for leaf in leaves) + ends.encode()).hexdigest()


def digest(tree) -> str:
    return hashlib.sha256(b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(tree))).hexdigest()


def start_of(spec, seed=0):
    return member(spec).network.init(seed)


def all_bits(trained):
    return list(map(bits, trained))


# A member and its company


@pytest.fixture(scope="module")
def alone(crowd) -> list[str]:
    """Bits of five members of both programs, each trained alone."""
    return [bits(*ended(crowd.train(jobs_of([each])))) for each in many(5)]


@pytest.mark.parametrize("n_others", [8, 64])
def test_a_member_is_the_same_in_any_company(crowd, alone, n_others):
    trained = ended(crowd.train(jobs_of([*many(n_others, first=100), *many(5)])))
    assert all_bits(trained[n_others:]) == alone
    assert len(set(all_bits(trained))) == n_others + 5  # each has bits of its own


def test_a_member_is_the_same_at_any_place(crowd, alone):
    order = [3, 0, 4, 2, 1]
    trained = ended(crowd.train(jobs_of([many(5)[at] for at in order])))
    assert all_bits(trained) == [alone[at] for at in order]


@pytest.mark.slow
def test_a_member_is_the_same_whatever_of_an_epoch_is_one_call(monkeypatch):
    monkeypatch.setattr(program, "_BYTES_AHEAD", 2 * 32 * 8 * 4)  # two steps ahead, in padded sizes
    monkeypatch.setattr("threestep.devices._code", lambda: "other code")  # no program of an earlier test
    compiled._compiled.cache_clear()
    usual = train(many(4))
    monkeypatch.setattr(programs, "_CALL_SECONDS", 1e-6)
    own = people()
    cut = ended(own.train(jobs_of(many(4))))
    own.close()
    assert {len(each.sections) for each in programs_of(own)} == {2}
    compiled._compiled.cache_clear()
    assert all_bits(cut) == all_bits(usual)


def test_a_member_may_see_the_first_inputs_only(crowd):
    few = Member(ts.network.parse("16", (4,), 3), seed=3)
    among = ended(crowd.train([*jobs_of(many(2)), Job(few, EPOCHS)]))[2]
    (x, y), (vx, vy) = classes(), classes(30, seed=1)
    own = people(data=(x[:, :4], y), valid=(vx[:, :4], vy))
    (alone,) = ended(own.train([Job(few, EPOCHS)]))
    own.close()
    assert bits(among) == bits(alone)
    assert among.params[0]["weight"].shape == (4, 16)


def test_members_of_other_inputs_but_one_padded_number_do_not_share_samples():
    x, y = np.random.default_rng(0).normal(size=(60, 10)).astype(np.float32), np.arange(60) % 3
    nine, ten = (Member(ts.network.parse("16", (n,), 3), seed=1) for n in (9, 10))
    for members in ([nine, ten], [ten, nine]):
        own = people(data=(x, y), valid=(x[:30], y[:30]))
        both = {each.member.network.n_inputs: each for each in ended(own.train(jobs_of(members)))}
        own.close()
        alone = people(data=(x[:, :9], y), valid=(x[:30, :9], y[:30]))
        assert bits(both[9]) == bits(*ended(alone.train(jobs_of([nine]))))
        alone.close()
        outputs = ten.network.predict(both[10].params, x[:30])
        losses = logsumexp(outputs, axis=1) - outputs[np.arange(30), y[:30]]
        np.testing.assert_allclose(both[10].losses, losses, rtol=1e-4, atol=1e-5)


def test_the_same_member_twice_is_the_same_twice(crowd, alone):
    assert all_bits(ended(crowd.train(jobs_of([many(5)[0]] * 9)))) == [alone[0]] * 9


@pytest.mark.parametrize("n_workers", [1, 3])
def test_a_member_is_the_same_on_any_number_of_workers(monkeypatch, alone, n_workers):
    monkeypatch.setattr(population, "workplaces", lambda: jax.local_devices()[:1] * n_workers)
    assert all_bits(train(many(14))[:5]) == alone


@pytest.mark.parametrize(("together", "most_epochs"), [pytest.param(1, 50, marks=pytest.mark.slow), (7, 2)])
def test_a_member_is_the_same_in_chunks_of_any_size(monkeypatch, alone, together, most_epochs):
    monkeypatch.setattr(programs, "_MOST_TOGETHER", {True: together, False: together})
    monkeypatch.setattr(programs, "_MOST_EPOCHS", most_epochs)
    own = people()
    trained = ended(own.train(jobs_of(many(10))))
    own.close()
    sizes = {(each.shape.n_members, each.shape.n_epochs) for each in programs_of(own)}
    assert sizes == {(together, most_epochs)}  # or this test would show nothing
    assert all_bits(trained[:5]) == alone


def test_a_member_is_the_same_beside_ones_that_train_longer_or_shorter(crowd, alone):
    others = [Job(each, epochs) for each in many(4, first=50) for epochs in (1, 3, 60)]
    trained = ended(crowd.train([*others, *jobs_of(many(5))]))
    assert [len(each.history) for each in trained[:3]] == [1, 3, 60]
    assert all_bits(trained[len(others) :]) == alone


def test_a_small_member_that_trains_for_long_is_not_cut_off_with_a_large_one(monkeypatch, crowd):
    large, small = Job(member("16-16-16-16"), 10), Job(member("1"), 60)
    monkeypatch.setattr(population, "workplaces", lambda: jax.local_devices()[:1])  # so both are of one chunk
    own = people()
    together = ended(own.train([large, small]))
    own.close()
    assert [len(each.history) for each in together] == [10, 60]
    assert all_bits(together) == [bits(*ended(crowd.train([each]))) for each in (large, small)]


FRESH = """
import os, sys, threading
if "one core" in sys.argv:
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
if "jax first" in sys.argv:
    import jax, jax.numpy as jnp
    jax.jit(lambda x: jnp.tanh(x @ x.T))(jnp.ones((300, 300))).block_until_ready()
    assert jax.random.normal(jax.random.key(0), 3).shape == (3,)
import jax
sys.path.insert(0, TESTS)
from test_population import all_bits, many, population, train
if "each device" in sys.argv:
    population.workplaces = jax.local_devices
trained = train(many(10))[:5]
print(len(jax.local_devices()), len(population.workplaces()), *all_bits(trained))
[each.join() for each in threading.enumerate() if each.name == "compile"]
"""


@pytest.mark.parametrize(
    ("n_devices", "how"),
    [
        pytest.param(1, "one core", marks=pytest.mark.slow),
        pytest.param(2, "jax first", marks=pytest.mark.slow),
        (2, "each device"),
    ],
)
def test_a_member_is_the_same_in_a_process_of_its_own(fresh_python, alone, n_devices, how):
    flags = f"--xla_force_host_platform_device_count={n_devices}" if n_devices > 1 else ""
    code = f"import sys; sys.argv, TESTS = ['', {how!r}], {str(Path(__file__).parent)!r}\n{FRESH}"
    seen, n_workers, *bits_there = fresh_python(code, XLA_FLAGS=flags).split()
    assert int(seen) == n_devices
    assert int(n_workers) == {"one core": 1, "each device": 2}.get(how, devices.n_cores())
    assert bits_there == alone


# What goes wrong


def refuse_more_than(monkeypatch, most, message="RESOURCE_EXHAUSTED: out of memory", n_workers=1):
    """Programs fail in chunks of more members, on all workers at once; gives the sizes that were called."""
    compiled, seen, together = programs.Programs._compiled, [], threading.Barrier(n_workers)

    def wrapped(self, recipe, device):
        program = compiled(self, recipe, device)

        def call(*arguments):
            n_members = len(arguments[-1].outcome)
            seen.append(n_members)
            if n_members > most:
                with suppress(threading.BrokenBarrierError):
                    together.wait(2)
                raise jax.errors.JaxRuntimeError(message)
            return program.call(*arguments)

        return program._replace(call=call)

    monkeypatch.setattr(programs.Programs, "_compiled", wrapped)
    monkeypatch.setattr(population, "workplaces", lambda: jax.local_devices()[:1] * n_workers)
    return seen


@pytest.mark.parametrize(("most", "n_workers"), [(1, 1), (2, 2), (2, 4)])
def test_chunks_that_do_not_fit_in_memory_are_halved_until_they_do(monkeypatch, crowd, most, n_workers):
    members = [member("16", seed) for seed in range(24)]
    usual = all_bits(ended(crowd.train(jobs_of(members))))
    seen = refuse_more_than(monkeypatch, most, n_workers=n_workers)
    assert all_bits(train(members)) == usual
    assert set(seen) == {4, 2, most}  # and no further


def test_a_member_that_fits_nowhere_in_memory_is_an_error(monkeypatch):
    refuse_more_than(monkeypatch, 0)
    with pytest.raises(jax.errors.JaxRuntimeError, match="RESOURCE_EXHAUSTED"):
        train(many(1))


def test_any_other_error_of_the_machine_is_passed_on(monkeypatch):
    seen = refuse_more_than(monkeypatch, 0, "INTERNAL: something else")
    with pytest.raises(jax.errors.JaxRuntimeError, match="something else"):
        train(many(1))
    assert seen == [4]  # and is not tried again


def test_an_error_of_the_compiler_is_passed_on(monkeypatch):
    def broken(*_):
        raise jax.errors.JaxRuntimeError("INTERNAL: no such instruction")

    monkeypatch.setattr(programs.Programs, "_compiled", broken)
    with pytest.raises(jax.errors.JaxRuntimeError, match="no such instruction"):
        train_without_waiting(people(), many(3))


def test_a_program_that_needs_more_memory_than_there_is_takes_fewer_members(monkeypatch, alone):
    monkeypatch.setattr(programs, "free_bytes", lambda: 2e5)
    own = people()
    assert all_bits(ended(own.train(jobs_of(many(5))))) == alone
    own.close()
    n_workers = len(own._devices)
    for each in programs_of(own):
        assert each.shape.n_members == 1 or 0 < n_workers * each.call.n_bytes <= 2e5
    assert min(each.shape.n_members for each in programs_of(own)) < 4  # or this test would show nothing


def test_how_much_memory_a_program_needs_is_asked_once(monkeypatch):
    asked, ask = [], compiled._bytes_needed
    monkeypatch.setattr(compiled, "_bytes_needed", lambda program: asked.append(program) or ask(program))
    monkeypatch.setattr(compiled, "kept", lambda _, make: make())  # as if no earlier process had asked
    settings = replace(SETTINGS, batch_size=7)  # of no other test
    for _ in range(3):
        train([member("16", seed=0)], settings=settings)
    assert len(asked) == 1


def test_orders_are_numpy_s_whether_they_are_kept_or_not():
    for n_samples in (10, 2100):
        order = epoch_order(3, 5, n_samples, 64)
        assert order.shape == (-(-n_samples // 64), 64)
        wanted = np.random.default_rng([3, 5]).permutation(n_samples)
        np.testing.assert_array_equal(order.ravel()[:n_samples], wanted)
        assert (order.ravel()[n_samples:] == -1).all()
        with pytest.raises(ValueError, match="read-only"):  # others may have the same array
            order[0, 0] = 1


@pytest.mark.slow
def test_a_process_may_end_in_the_middle_of_a_compile(fresh_python, tmp_path):
    code = f"""
import sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_population import member, people
own = people()
own.compile([member(spec, n_outputs=7) for spec in ("8 tanh", "33 mish", "65 selu")])
time.sleep(0.7)
own.close()
print("done")
"""
    assert fresh_python(code, XDG_CACHE_HOME=str(tmp_path)) == "done\n"  # nothing is compiled already


def test_a_diverged_member_says_so_and_the_others_never_notice(crowd, alone):
    bad = [member("16", seed, learning_rate=1e6) for seed in range(7)]
    trained = ended(crowd.train(jobs_of([*bad, *many(5)], EPOCHS)))
    for each in trained[:7]:
        assert each.outcome is Outcome.DIVERGED
        assert len(each.history) < EPOCHS
        assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(each.params))
    assert all_bits(trained[7:]) == alone


def test_a_member_that_never_came_to_a_finite_loss_is_not_sound(crowd):
    spoilt = [{name: np.full_like(part, 1e30) for name, part in own.items()} for own in start_of("16")]
    (trained,) = ended(crowd.train([Job(member("16"), EPOCHS, tuple(spoilt))]))
    assert (trained.outcome, trained.best_epoch, trained.is_sound) == (Outcome.DIVERGED, 0, False)
    assert digest(trained.params) == digest(spoilt)  # those of its start


def test_samples_that_do_not_fit_a_member_are_refused(crowd):
    with pytest.raises(ts.DataError, match="6 inputs, the network has 7"):
        ended(crowd.train([Job(Member(ts.network.parse("4", (7,), 3)), 1)]))
    with pytest.raises(ts.DataError, match="0 to 1"):
        ended(crowd.train([Job(member("4"), 1), Job(member("4", n_outputs=2), 1)]))
    with pytest.raises(ts.DataError, match="shape"):
        people(valid=(np.zeros((4, 6)), np.zeros(3, int)))
    with pytest.raises(ts.DataError, match="finite"):
        people(data=(np.full((4, 6), np.nan), np.zeros(4, int)))
    with pytest.raises(ts.SettingsError, match="seed"):
        people(seed=-1)


# Beside descent on one network


def descend(each: Member, goodness, data, valid, epochs, settings=SETTINGS) -> ts.pick.Picked:
    own = {name: getattr(each, name) for name in ("learning_rate", "weight_decay", "dropout")}
    return ts.pick.train(
        each.network, goodness, data, valid, replace(settings, epochs=epochs, **own), each.seed
    )


def assert_same_but_for_rounding(trained: Trained, picked: ts.pick.Picked):
    """In the epochs that a population looks at, too."""
    assert len(trained.history) == len(picked.history)
    for own, other in zip(trained.history, picked.history, strict=True):
        assert own.epoch == other.epoch
        assert own.learning_rate == pytest.approx(other.learning_rate, rel=1e-5, abs=1e-9)
        assert own.train_loss == pytest.approx(other.train_loss, rel=1e-3, abs=1e-5)
        if not math.isnan(own.valid_loss):
            assert own.valid_loss == pytest.approx(other.valid_loss, rel=1e-3, abs=1e-5)
            assert own.valid_score == pytest.approx(other.valid_score, rel=1e-3, abs=1e-5)
    assert (trained.outcome, trained.best_epoch) == (picked.outcome, picked.best_epoch)
    for own, other in zip(jax.tree.leaves(trained.params), jax.tree.leaves(picked.params), strict=True):
        np.testing.assert_allclose(own, other, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize(
    ("spec", "rates", "epochs"),
    [
        ("", {}, 4),
        pytest.param(
            "12-r12-9 sigmoid", {"learning_rate": 0.02, "weight_decay": 0.3}, 4, marks=pytest.mark.slow
        ),
        ("16-16-16-16", {"learning_rate": 0.01, "dropout": 0.3}, 4),  # fills its supernet: the same drops out
    ],
)
def test_a_member_comes_to_what_descent_on_that_network_comes_to(crowd, spec, rates, epochs):
    each = member(spec, seed=0, **rates)  # of its population's seed: the same order of the samples
    (trained,) = ended(crowd.train([Job(each, epochs)]))
    assert_same_but_for_rounding(trained, descend(each, CROSS, classes(), classes(30, seed=1), epochs))


def test_numbers_are_learned_as_descent_learns_them():
    each, settings = member("7-5 silu", seed=3, n_outputs=1), ts.Descent(batch_size=20, input_dropout=0.2)
    (trained,) = train([each], 4, goodness=SQUARED, settings=settings, seed=3)
    assert_same_but_for_rounding(trained, descend(each, SQUARED, numbers(), numbers(30, seed=1), 4, settings))


@pytest.mark.parametrize("optimizer", ["sgd", "lion"])
def test_every_optimizer_is_that_of_descent(optimizer):
    each, settings = member("", learning_rate=0.01), replace(SETTINGS, optimizer=optimizer)
    (trained,) = train([each], 4, settings=settings)
    assert_same_but_for_rounding(trained, descend(each, CROSS, classes(), classes(30, seed=1), 4, settings))


def test_losses_and_hits_are_those_of_the_params_sample_by_sample():
    x, y = classes(1500, seed=1)  # validation samples of two blocks, the second not full
    each = member("", learning_rate=0.05)
    (trained,) = train([each], 3, valid=(x, y))
    outputs = each.network.predict(trained.params, x)
    losses = logsumexp(outputs, axis=1) - outputs[np.arange(1500), y]
    np.testing.assert_allclose(trained.losses, losses, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(trained.hits, outputs.argmax(axis=1) == y)
    row = trained.history[trained.best_epoch - 1]
    assert (row.valid_loss, row.valid_score) == pytest.approx((losses.mean(), trained.hits.mean()), rel=1e-5)


def test_dropout_changes_what_is_learned_but_not_how_it_is_judged(crowd):
    each = member("16", learning_rate=0.01)
    plain, dropped, more = ended(
        crowd.train(jobs_of([replace(each, dropout=share) for share in (0.0, 0.2, 0.5)]))
    )
    assert len({bits(one) for one in (plain, dropped, more)}) == 3
    x, y = classes(30, seed=1)
    for one in (plain, dropped, more):
        outputs = each.network.predict(one.params, x)
        np.testing.assert_allclose(
            one.losses, logsumexp(outputs, axis=1) - outputs[np.arange(30), y], rtol=1e-4, atol=1e-5
        )


# Where a member starts


def test_descent_starts_from_the_seed_or_from_given_params(crowd):
    each, given = member("5-9", seed=4, learning_rate=0.0), member("5-9", seed=8).network.init(8)
    from_seed, from_given = ended(crowd.train([Job(each, 1), Job(each, 1, given)]))
    assert digest(from_seed.params) == digest(each.network.init(4))
    assert digest(from_given.params) == digest(given)
    assert from_seed.best_epoch == from_given.best_epoch == 1


def test_given_params_are_not_written_to(crowd):
    given = member("5-9").network.init(8)
    before = digest(given)
    ended(crowd.train([Job(member("5-9"), 3, given)]))
    assert digest(given) == before


def test_no_jobs_give_nothing(crowd):
    assert ended(crowd.train([])) == []


# When the best epoch is looked for


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 5, 8, 9, 22])
def test_the_best_epoch_is_looked_for_four_times_at_most(crowd, epochs):
    every = -(-epochs // 4)
    looks = {epoch for epoch in range(1, epochs + 1) if epoch % every == 0 or epoch == epochs}
    assert len(looks) <= 4
    for each in ended(crowd.train(jobs_of(many(4), epochs))):
        assert [row.epoch for row in each.history] == list(range(1, epochs + 1))
        for row in each.history:
            assert isinstance(row, EpochRow)
            assert math.isfinite(row.valid_loss) == math.isfinite(row.valid_score) == (row.epoch in looks)
        seen = {row.valid_loss: row.epoch for row in reversed(each.history) if row.epoch in looks}
        assert each.best_epoch == seen[min(seen)]


# Weights


def weighed(weight, data=None, **settings):
    """Full batches, so that the order says nothing."""
    x, y = data or classes()
    settings = ts.Descent(batch_size=1000, **settings)
    own = Population(CROSS, (x, y, weight), (x, y, weight), settings)
    (trained,) = ended(own.train([Job(member("8 tanh", learning_rate=0.03), 20)]))
    own.close()
    return trained


def test_a_weight_of_two_is_the_sample_twice_and_zero_is_no_sample():
    x, y = classes()
    counts = np.arange(48) % 3
    by_weight, by_count = weighed(counts), weighed(None, (x.repeat(counts, axis=0), y.repeat(counts)))
    for own, other in zip(jax.tree.leaves(by_weight.params), jax.tree.leaves(by_count.params), strict=True):
        np.testing.assert_allclose(own, other, rtol=2e-3, atol=2e-4)
    assert by_weight.losses.mean() == pytest.approx(by_count.losses.mean(), rel=1e-3)
    assert by_weight.history[-1].train_loss == pytest.approx(by_count.history[-1].train_loss, rel=1e-3)
    assert by_weight.hits.mean() == pytest.approx(by_count.hits.mean(), rel=1e-5)


def test_only_the_proportions_of_weights_count():
    weight = np.random.default_rng(0).uniform(0.1, 3, 48)
    assert bits(weighed(weight)) == bits(weighed(4 * weight))
    assert bits(weighed(np.full(48, 7.0))) == bits(weighed(None))


@pytest.mark.parametrize("wrong", [-np.ones(48), np.zeros(48), np.ones(47), np.full(48, np.nan)])
def test_weights_that_are_none_are_refused(wrong):
    with pytest.raises(ts.DataError, match="weights"):
        weighed(wrong)


# What it costs


def test_the_number_of_members_never_causes_a_compile(compiles):
    counts = []
    for n_members in (3, 50):
        compiled._compiled.cache_clear()
        own, before = people(), len(compiles)
        specs = ("16", "3-5", "12-r12-r12 silu", "9-2-16-7")
        ended(own.train(jobs_of([member(specs[at % 4], at) for at in range(n_members)], 2)))
        counts.append(len(compiles) - before)
        ended(own.train(jobs_of([member(specs[at % 4], 9, learning_rate=0.1) for at in range(7)], 60)))
        assert len(compiles) - before == counts[-1]  # nor do other rates, seeds and epochs
        assert len(programs_of(own)) == 1
        own.close()
    assert counts == [1, 1]


def test_a_few_samples_or_inputs_more_cost_no_compile(compiles):
    counts = []
    for n_samples, n_valid, n_inputs in ((130, 33, 25), (136, 40, 27), (159, 34, 28)):
        x = np.random.default_rng(0).normal(size=(n_samples, n_inputs)).astype(np.float32)
        data, before = (x, np.arange(n_samples) % 3), len(compiles)
        own = people(data=data, valid=(x[:n_valid], data[1][:n_valid]))
        network = ts.network.parse("16-16", (n_inputs,), 3)
        trained = ended(own.train([Job(Member(network, seed=seed), 3) for seed in range(3)]))
        own.close()
        counts.append(len(compiles) - before)
        assert trained[0].params[0]["weight"].shape == (n_inputs, 16)
        assert len(trained[0].losses) == n_valid
    assert counts == [1, 0, 0]


def test_each_supernet_has_one_program(monkeypatch):
    asked = []
    monkeypatch.setattr(
        programs.Programs, "_compiled", lambda _, recipe, device: asked.append(recipe.network)
    )
    own, specs = people(), ("", "16", "8-8", "17", "32-20", "5-5-5-5-5")
    own.compile(member(specs[at % 6], at, dropout=0.1 * (at // 12)) for at in range(24))
    programs_of(own)  # waits
    widths_and_depths = sorted((each.width, each.n_hidden) for each in asked)
    assert widths_and_depths == sorted([(0, 0), (16, 4), (32, 4), (16, 8)] * 2)  # with dropout, without
    own.close()


def test_core_seconds_are_counted_never_measured(crowd):
    def cost(spec, epochs=10, own=crowd):
        return own.pace.core_seconds(Job(member(spec), epochs))

    assert cost("16") == cost("16") == cost("16", own=people(deadline=0.0))
    assert cost("16", 10) < cost("16", 11) < cost("16", 1000)
    assert cost("") < cost("16") < cost("16-16") < cost("16-16-16")
    assert cost("16-16") < cost("64-64") < cost("256-256")
    assert cost("16", own=people(data=classes(480))) > cost("16")
    with_params = Job(member("16"), 10, member("16").network.init(1))
    assert crowd.pace.core_seconds(with_params) == cost("16")
    assert crowd.pace.core_seconds(Job(member("16", 9, learning_rate=0.3, dropout=0.2), 10)) == cost("16")


# When it ends


def test_no_job_begins_after_the_deadline():
    assert train_or_none(deadline=0.0) == [None] * 3


def test_no_compile_begins_that_would_end_after_the_deadline(monkeypatch, compiles):
    monkeypatch.setattr(programs, "_COMPILE_SECONDS", 1e6)
    before = len(compiles)
    assert train_or_none(deadline=time.perf_counter() + 1e3) == [None] * 3
    assert len(compiles) == before


def test_no_call_begins_that_would_end_after_the_deadline(monkeypatch):
    own, calls = people(), []
    block = own._shared.orders

    def slow(*arguments):
        calls.append(1)
        time.sleep(0.1)
        return block(*arguments)

    monkeypatch.setattr(own._shared, "orders", slow)
    assert None not in ended(own.train(jobs_of(many(3))))
    own.deadline, before = time.perf_counter() + 0.09, len(calls)
    assert ended(own.train(jobs_of(many(3)))) == [None] * 3
    assert len(calls) == before
    own.close()


def test_a_short_call_does_not_make_a_long_one_seem_quick(monkeypatch):
    """Each epoch takes 20 ms: a call of one says of a call of twenty that it would take 0.4 s."""
    monkeypatch.setattr(population, "workplaces", lambda: jax.local_devices()[:1])
    own, waited = people(), []
    rows_by_member = population._rows_by_member

    def slow(rows):
        epochs = rows_by_member(rows)
        waited.append(max(map(len, epochs)))
        time.sleep(0.02 * waited[-1])
        return epochs

    monkeypatch.setattr(population, "_rows_by_member", slow)
    assert None not in ended(own.train(jobs_of(many(1), 1)))
    own.deadline, before = time.perf_counter() + 0.2, len(waited)
    assert ended(own.train(jobs_of(many(1), 20))) == [None]
    assert len(waited) == before
    own.close()


def test_what_there_was_no_time_to_compile_is_compiled_once_there_is(monkeypatch):
    own = people(deadline=time.perf_counter() + 0.05)
    assert ended(own.train(jobs_of(many(2)))) == [None] * 2
    own.deadline = time.perf_counter() + 60
    assert None not in ended(own.train(jobs_of(many(2))))
    own.close()


def test_no_job_begins_once_it_is_stopped(crowd):
    stop = threading.Event()
    stop.set()
    assert ended(crowd.train(jobs_of(many(3)), stop)) == [None] * 3
    assert None not in ended(crowd.train(jobs_of(many(3)), threading.Event()))  # and is not spoilt by it


def train_or_none(**others):
    own = people(**others)
    trained = ended(own.train(jobs_of(many(3))))
    own.close()
    return trained


@pytest.mark.parametrize(("by", "outcome"), [("stop", "INTERRUPTED"), ("deadline", "OUT_OF_TIME")])
def test_what_was_begun_when_the_end_came_is_kept(monkeypatch, by, outcome):
    """The end comes in the third call of two epochs each, of members that one worker trains."""
    monkeypatch.setattr(population, "workplaces", lambda: jax.local_devices()[:1])
    monkeypatch.setattr(programs, "_MOST_EPOCHS", 2)
    whole = train([member("16", seed) for seed in range(8)], 40)
    own, stop, calls = people(), threading.Event(), []
    block = own._shared.orders

    def counted(*arguments):
        calls.append(1)
        if len(calls) == 3:
            stop.set() if by == "stop" else setattr(own, "deadline", 0.0)
        return block(*arguments)

    monkeypatch.setattr(own._shared, "orders", counted)
    trained = ended(own.train(jobs_of([member("16", seed) for seed in range(8)], 40), stop))
    own.close()
    assert trained[4:] == [None] * 4
    for each, all_of_it in zip(trained[:4], whole[:4], strict=True):
        assert each.outcome is Outcome[outcome]
        assert repr(each.history) == repr(all_of_it.history[:6])
        assert not each.is_sound  # the first look is at the tenth epoch


def test_who_leaves_early_stops_the_workers(monkeypatch, crowd):
    block, calls = crowd._shared.orders, []
    monkeypatch.setattr(crowd._shared, "orders", lambda *arguments: calls.append(1) or block(*arguments))
    steps = crowd.train(jobs_of([member("16", seed) for seed in range(64)], 4000))
    assert 0 <= next(steps) < 64
    steps.close()
    assert not [each for each in threading.enumerate() if each.name.startswith("train")]
    assert 0 < len(calls) < 0.25 * 64 / 4 * 4000 / 50  # chunks, and calls of each to its end


def test_no_compile_begins_after_close(monkeypatch):
    begun, go_on = [], threading.Event()

    def slow(*arguments):
        begun.append(1)
        go_on.wait(10)

    monkeypatch.setattr(programs.Programs, "_compiled", slow)
    monkeypatch.setattr(population, "workplaces", lambda: jax.local_devices()[:1] * 2)
    own = people()
    own.compile([member(spec) for spec in ("", "16", "32", "64", "128")])
    own.close()
    go_on.set()
    assert programs_of(own) == [None] * 5
    assert len(begun) <= 2  # those that had begun


def test_a_closed_population_trains_what_it_has_compiled_and_nothing_else(alone):
    own = people()
    assert all_bits(ended(own.train(jobs_of(many(2))))) == alone[:2]
    assert own.is_ready(many(1)[0])
    own.close()
    assert all_bits(ended(own.train(jobs_of(many(2))))) == alone[:2]
    assert train_without_waiting(own, [member("100")]) == [None]


def test_train_members_gives_what_a_population_gives(alone):
    settings = replace(SETTINGS, epochs=EPOCHS)
    trained = ts.pick.train_members(many(5), CROSS, classes(), classes(30, seed=1), settings)
    assert all_bits(trained) == alone
    assert [each.member for each in trained] == many(5)


# Going on


def gone_on(own, one, n_calls, begun=None, params=None, company=()):
    """What comes of a member after so many calls of one epoch each, and that of each call."""
    params = one.network.init(one.seed) if params is None else params
    begun, each = begun or before_the_first_step(own.settings.optimizer, params), []
    for _ in range(n_calls):
        trained, *_ = ended(own.train([Job(one, 1, params, begun), *jobs_of(company)]))
        params, begun = trained.params, trained.begun
        each.append(trained)
    return each


def test_a_descent_that_goes_on_is_pytorch_s_at_one_rate():
    torch = pytest.importorskip("torch")
    x, y = classes()
    one = member("16 tanh", learning_rate=0.01, weight_decay=0.1)
    with people(settings=replace(SETTINGS, batch_size=len(y))) as own:
        *_, last = gone_on(own, one, 12)
    start = one.network.init(one.seed)
    leaves = [torch.tensor(np.array(layer[part])) for layer in start for part in ("weight", "bias")]
    leaves = [leaf.requires_grad_() for leaf in leaves]
    groups = [{"params": leaves[0::2]}, {"params": leaves[1::2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.01, weight_decay=0.1)
    for _ in range(12):
        optimizer.zero_grad()
        hidden = torch.tanh(torch.tensor(x) @ leaves[0] + leaves[1])
        loss = torch.nn.functional.cross_entropy(hidden @ leaves[2] + leaves[3], torch.tensor(y).long())
        loss.backward()
        optimizer.step()
    ours = [layer[part] for layer in last.params for part in ("weight", "bias")]
    for own_leaf, leaf in zip(ours, leaves, strict=True):
        np.testing.assert_allclose(own_leaf, leaf.detach().numpy(), atol=2e-5)
    assert last.begun is not None
    assert last.begun.n_steps == 12
    assert last.history[0].learning_rate == pytest.approx(0.01)


def test_a_descent_that_goes_on_is_one_epoch_and_the_same_in_any_company(crowd):
    one = member("16-r16")
    alone, together = gone_on(crowd, one, 3), gone_on(crowd, one, 3, company=many(3, first=50))
    assert all_bits(alone) == all_bits(together)
    assert [len(each.history) for each in alone] == [1, 1, 1]
    assert digest([each.begun for each in alone]) == digest([each.begun for each in together])
    first, *later = gone_on(crowd, one, 1), *gone_on(crowd, one, 2, alone[0].begun, alone[0].params)
    assert all_bits([*first, *later]) == all_bits(alone)


def test_other_descents_have_nothing_to_go_on_with(crowd):
    assert all(each.begun is None for each in ended(crowd.train(jobs_of(many(3)))))


@pytest.mark.parametrize(
    "name", ["lion", *(pytest.param(name, marks=pytest.mark.slow) for name in ("sgd", "rmsprop"))]
)
def test_every_optimizer_goes_on(name):
    one = member("16", learning_rate=1e-3)
    with people(settings=replace(SETTINGS, optimizer=name)) as own:
        begun = before_the_first_step(name, one.network.init(one.seed))
        assert len(begun.moments) == RULES[name].n_moments
        first, second = gone_on(own, one, 2, begun)
    assert second.begun is not None
    assert len(second.begun.moments) == RULES[name].n_moments
    assert second.losses.mean() < first.losses.mean()
