"""Networks with convolutions: drawn, changed, and children that begin where their parents ended."""

import numpy as np
import pytest

import threestep as ts
from threestep.network import random_pictures_network, vary
from threestep.network.picture_inherit import (
    deepen_pictures,
    narrow_conv,
    shorten_pictures,
    widen_conv,
)
from threestep.pick import Field, Member, searcher_of
from threestep.settings import Space

SHAPE, N_OUTPUTS = (12, 12, 3), 5
SPACE = Space(depths=(0, 4), widths=(64, 256), channels=(8, 32), dropouts=(0.0, 0.3))
X = np.random.default_rng(0).normal(size=(20, *SHAPE)).astype(np.float32)


def parsed(spec, shape=SHAPE):
    return ts.network.parse(spec, shape, N_OUTPUTS)


def lived(network, seed=0):
    """Params as descent leaves them: no scale is 1 and no mean is 0."""
    generator = np.random.default_rng(seed)
    return tuple(
        {
            name: (np.asarray(array) + generator.uniform(0.05, 0.3, np.shape(array))).astype(np.float32)
            for name, array in own.items()
        }
        for own in network.init(seed)
    )


def is_same_function(one, other):
    np.testing.assert_allclose(one[0].predict(one[1], X), other[0].predict(other[1], X), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("spec", "index"),
    [
        ("conv8-conv8-dense16", 0),
        ("conv8-conv8-dense16", 2),
        ("conv8+8-dense16", 0),
        ("conv8+8-dense16", 1),
        ("conv8-conv16-globalpool", 2),
        ("conv8s1-res16-globalpool", 0),
        ("conv8 relu none", 0),
        ("conv8s2-meanpool-dense16 tanh", 0),
    ],
)
def test_more_filters_are_the_same_function(spec, index):
    network = parsed(spec)
    params = lived(network)
    wider = network.layers[index].width + 4
    child = widen_conv(network, params, index, wider, np.random.default_rng(1))
    assert child[0].layers[index].width == wider
    is_same_function(child, (network, params))


@pytest.mark.parametrize("spec", ["conv8s1-res8-dense4", "conv8 relu group", "conv8 relu layer"])
def test_filters_that_are_added_to_outputs_or_normalized_together_stay(spec):
    network = parsed(spec)
    assert widen_conv(network, lived(network), 0, 12, np.random.default_rng(1)) is None
    assert narrow_conv(network, lived(network), 0, 4) is None


def test_no_more_filters_than_make_a_block_add_its_inputs():
    network = parsed("conv8s1-res16-dense4")
    assert widen_conv(network, lived(network), 0, 16, np.random.default_rng(1)) is None


def test_the_filters_that_matter_are_kept():
    network = parsed("conv8-conv8-dense16")
    params = lived(network)
    for name in ("scale", "shift"):
        params[0][name][[1, 4]] = 0.0  # says nothing
    child, own = narrow_conv(network, params, 0, 6)
    assert child.layers[0].width == 6
    is_same_function((child, own), (network, params))


@pytest.mark.parametrize(
    ("spec", "index", "wanted"),
    [
        ("conv8-dense16", 0, "conv8-res8-dense16 relu"),
        ("conv8-conv16-dense16", 2, "conv8-conv16-res16-dense16 relu"),
        ("conv8s1-res8-dense16", 0, "conv8s1-res8x2-dense16 relu"),
        ("conv8s1-res8-dense16", 1, "conv8s1-res8x2-dense16 relu"),
        ("conv8s1-res8x2-globalpool", 1, "conv8s1-res8x3-globalpool relu"),
        ("conv8s1-res16s2-globalpool", 1, "conv8s1-res16x2s2-globalpool relu"),
        ("conv8-globalpool relu none", 0, "conv8-res8-globalpool relu none"),
    ],
)
def test_a_block_more_is_the_same_function(spec, index, wanted):
    network = parsed(spec)
    params = lived(network)
    child, own = deepen_pictures(network, params, index, np.random.default_rng(1))
    assert ts.network.spec_of(child) == wanted
    assert child == parsed(wanted)
    is_same_function((child, own), (network, params))


@pytest.mark.parametrize(("spec", "index"), [("conv8-dense16 tanh", 0), ("conv8-dense16", 2)])
def test_no_block_where_it_would_change_the_function(spec, index):
    network = parsed(spec)
    assert deepen_pictures(network, lived(network), index, np.random.default_rng(1)) is None


@pytest.mark.parametrize(
    ("spec", "index", "wanted"),
    [
        ("conv8-res8-dense16", 2, "conv8-dense16 relu"),
        ("conv8-res8x2-dense16", 2, "conv8-res8-dense16 relu"),
        ("conv8-res8x3-dense16", 2, "conv8-res8x2-dense16 relu"),
    ],
)
def test_the_last_block_is_taken_away(spec, index, wanted):
    network = parsed(spec)
    params = lived(network)
    child, own = shorten_pictures(network, params, index)
    assert child == parsed(wanted)
    longer = deepen_pictures(network, params, index, np.random.default_rng(1))
    is_same_function(shorten_pictures(*longer, index), (network, params))
    assert [{name: np.shape(array) for name, array in layer.items()} for layer in own] == list(
        child.param_shapes
    )


def test_a_block_that_changes_the_shape_stays():
    network = parsed("conv8s1-res16s2-globalpool")
    assert shorten_pictures(network, lived(network), 1) is None
    assert shorten_pictures(network, lived(network), 0) is None


@pytest.mark.parametrize("shape", [(8, 8), (16, 16), (28, 28), (64, 64, 3), (70, 40, 1)])
def test_all_that_is_drawn_and_varied_is_in_the_space_and_can_be_written_down(shape):
    generator = np.random.default_rng(3)
    changes = set()
    for _ in range(12):
        network = random_pictures_network(SPACE, shape, N_OUTPUTS, generator)
        params = network.init(0)
        for _ in range(8):
            made = vary(SPACE, network, params, generator)
            if made is None:
                break
            network, params, change = made
            changes.add(change.split()[-1] if "removed" in change else change.split()[2])
            assert ts.network.parse(ts.network.spec_of(network), shape, N_OUTPUTS) == network
            assert not network.is_dense
            widths = [layer.width for layer in network.layers if isinstance(layer, ts.network.Conv)]
            assert all(8 <= width <= 32 for width in widths)
            for own, wanted in zip(params, network.param_shapes, strict=True):
                assert {name: np.shape(array) for name, array in own.items()} == dict(wanted)
    assert len(changes) >= 4


def field(**more):
    designed = tuple(
        Member(parsed(spec), 0.002, 0.01, 0.1) for spec in ("conv8-dense16", "conv8-conv16-globalpool")
    )
    return Field(SPACE, (432,), N_OUTPUTS, designed=designed, **more)


@pytest.mark.parametrize("name", ["evolution", "random"])
def test_a_searcher_proposes_those_that_people_design_first(name):
    searcher = searcher_of(name)
    _, proposals = searcher.ask(searcher.init(field()), 12)
    members = [proposal.member for proposal in proposals]
    assert [member.network for member in members[:2]] == [member.network for member in field().designed]
    assert not any(member.network.is_dense for member in members)
    assert len({member.network for member in members}) > 6
    assert len({member.seed for member in members}) == 12


def test_limits_hold_for_what_is_drawn():
    most = 2000
    searcher = searcher_of("random")
    _, proposals = searcher.ask(searcher.init(field(max_params=most, most_products=10**6)), 20)
    drawn = [proposal.member.network for proposal in proposals[2:]]
    assert all(
        network == field().designed[0].network or (network.n_params <= most and network.n_products <= 10**6)
        for network in drawn
    )


def test_no_residual_block_where_the_space_has_none():
    generator = np.random.default_rng(0)
    space = Space(channels=(8, 32), residual=False)
    network = parsed("conv8-conv16-dense32")
    for _ in range(40):
        made = vary(space, network, network.init(0), generator)
        assert made is None or not any(isinstance(layer, ts.network.Blocks) for layer in made[0].layers)
