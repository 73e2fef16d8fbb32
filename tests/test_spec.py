"""Network specifications: what is read, and what is refused and how."""

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

import threestep as ts
from threestep.network import ACTIVATION_NAMES, Network


def read(spec, input_shape=(4,), n_outputs=3):
    return ts.network.parse(spec, input_shape=input_shape, n_outputs=n_outputs)


@pytest.mark.parametrize(
    ("spec", "printed"),
    [
        ("128-64", "4 → 128 relu → 64 relu → 3"),
        ("64-64 tanh", "4 → 64 tanh → 64 tanh → 3"),
        ("256", "4 → 256 relu → 3"),
        ("", "4 → 3"),
        ("   ", "4 → 3"),
        ("  8-4   gelu ", "4 → 8 gelu → 4 gelu → 3"),
        ("1", "4 → 1 relu → 3"),
        ("008", "4 → 8 relu → 3"),
        ("65536", "4 → 65536 relu → 3"),
        ("tanh", "4 → 3"),
    ],
)
def test_good_spec_is_read(spec, printed):
    assert str(read(spec)) == printed


@pytest.mark.parametrize("name", ACTIVATION_NAMES)
def test_every_activation_can_be_named(name):
    assert [layer.activation for layer in read(f"8-4 {name}").layers] == [name, name, "linear"]


@pytest.mark.parametrize(
    "spec",
    [
        "12--8",
        "-8",
        "8-",
        "-",
        "0",
        "8-0",
        "65537",
        "99999999999",
        "9" * 5000,
        "0000000000000640000000",
        "000000000001" + "0" * 5000,
        "64 32",
        "64 32 relu",
        "64 relu relu",
        "relu 64",
        "64 reluu",
        "64-32relu",
        "64,32",
        "6.4",
        "1e3",
        "+8",
        "८",
        "८-८",
        "8-²",
        "１２-８",
        "8–4",
        "foo",
        "64 RELU",
        "64 batch",
        "64-32 tanh group",
        "maxpool group",
        "\x00",
        "8-4\x00",
        "-".join(["8"] * 1001),
    ],
)
def test_bad_spec_is_refused_in_few_words_with_a_hint(spec):
    with pytest.raises(ts.SpecError) as caught:
        read(spec)
    assert caught.value.message
    assert caught.value.hint
    assert isinstance(caught.value, ts.UserError)


def test_message_names_the_part_that_cannot_be_read():
    with pytest.raises(ts.SpecError, match="got 'x3' where a width belongs"):
        read("12-x3-8")
    with pytest.raises(ts.SpecError, match="got 'res8s2x2' where a width belongs"):
        read("res8-res8s2x2", (8, 8))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("64 reluu", "relu"),
        ("64 Tanh", "tanh"),
        ("64 Relu", "relu"),
        ("sigmoyd", "sigmoid"),
        ("Conv8", "conv8"),
        ("avgpool", "maxpool"),
    ],
)
def test_unknown_activation_is_answered_with_the_nearest(given, meant):
    with pytest.raises(ts.SpecError, match=f"did you mean `{meant}`"):
        read(given)


@pytest.mark.parametrize(
    ("input_shape", "n_outputs"),
    [((0,), 3), ((4, 0), 3), ((4,), 0), ((4,), -1), ((-4,), 3), ((-2, -2), 3), ((), 3), (4, 3), ("4", 3)],
)
def test_network_needs_inputs_and_outputs(input_shape, n_outputs):
    with pytest.raises(ts.SpecError, match="at least one"):
        read("8", input_shape, n_outputs)


def test_output_activation_is_checked_too():
    with pytest.raises(ts.SpecError, match="did you mean `sigmoid`"):
        ts.network.parse("8", (4,), 3, output="sigmoidd")


any_text = st.one_of(
    st.text(max_size=40),
    st.text("0123456789- relutanh", max_size=40),
    st.from_regex(r"[0-9]{1,14}(-[0-9]{1,14}){0,3}( [a-z_]{1,10})?", fullmatch=True),
)


@given(any_text)
@example("00000000000009999999999999")
def test_any_text_gives_a_network_or_a_spec_error(text):
    try:
        network = read(text)
    except ts.SpecError:
        return
    assert isinstance(network, Network)
    assert all(1 <= layer.width <= 1 << 16 for layer in network.layers)


@given(st.lists(st.integers(1, 1 << 16), max_size=20), st.sampled_from(ACTIVATION_NAMES))
def test_any_widths_are_read_as_written(widths, name):
    network = read("-".join(map(str, widths)) + f" {name}")
    assert [layer.width for layer in network.layers] == [*widths, 3]
