"""What the data decide of networks with convolutions: which are tried, and how they are trained."""

import math
from collections.abc import Sequence
from dataclasses import replace

from threestep.data import Layout
from threestep.network import Network, parse
from threestep.pick import Field, Member
from threestep.settings import DEFAULT_WEIGHT_DECAY, Descent, Settings, Space, usual_patience
from threestep.study.choices import given

_WORK_ON_PICTURES = 10_000_000_000_000  # floating-point operations: about two minutes on two cores
_FEWEST_LOOKS, _MOST_LOOKS = 8, 40
_LOOKS_BY_SAMPLES = ((20_000, 8), (2_000, 24), (0, 25))
"""From how many training pictures on each is looked at how often at least, beside a search."""
_LOOKING_STEPS = {"quick": 250, "normal": 500, "thorough": 2000}
_DESIGNED = {"quick": (1, 1), "normal": (1, 2), "thorough": (4, 4)}
"""Networks with convolutions, beside a search: of few numbers in all training pictures together, of more."""
_MANY_NUMBERS = 500_000
_SMALL, _SMALLEST = (
    ("conv16-conv32-dense32", "conv8-conv16-dense16"),
    ("conv16-conv32-globalpool", "conv8-conv16-globalpool"),
)
"""Where none of the usual ones keeps `max_params`."""
_PICTURE_RATE = 0.002
_SMALL_PICTURE = 40  # its longer side
_SHIFT = 0.1  # of a picture's sides
_COLOURS = 3
_RATES_AROUND, _MOST_DROPOUT = 4, 0.3  # that a search of convolutions may vary
_MOST_WORK = 2  # times that of the largest network that people design, for others with convolutions


def choose_for_pictures(asked: Settings, chosen: Settings, network: Network, n_train: int) -> Settings:
    """As `choose_settings`, for a network that is not of neurons only: the same picture is looked at fewer
    times if one look takes long, and pixels are not left out."""
    work = 6 * network.n_products * n_train
    epochs = asked.epochs or min(chosen.epochs or 1, max(_FEWEST_LOOKS, _WORK_ON_PICTURES // work))
    patience = asked.patience or usual_patience(epochs)
    return _on_pictures(asked, chosen, network, {"epochs": epochs, "patience": patience})


def _on_pictures(
    asked: Settings, chosen: Settings, network: Network, times: dict[str, int | None]
) -> Settings:
    """Rates and changes that suit networks with convolutions, where nobody asked for others."""
    shift, is_sound = given(asked.shift, _SHIFT), chosen.sound_bands is not None
    return replace(
        chosen,
        **times,
        learning_rate=given(asked.learning_rate, _PICTURE_RATE),
        weight_decay=given(asked.weight_decay, DEFAULT_WEIGHT_DECAY),
        dropout=given(asked.dropout, 0.0),
        shift=shift,
        shift_width=given(asked.shift_width, 0.0 if is_sound else shift),
        noise=given(asked.noise, 0.0),
        mixup=given(asked.mixup, 0.0),
        flip=network.first_shape[-1] == _COLOURS if asked.flip is None else asked.flip,
        input_dropout=given(asked.input_dropout, 0.0),
    )


def designed_networks(settings: Settings, layout: Layout, n_outputs: int, n_train: int) -> list[Network]:
    """Networks with convolutions that are tried for pictures beside a search; the usual one first.

    Few small pictures are a matter of seconds: another network would take longer than all the rest.

    Where in a spectrogram something is says which frequency it has: a mean over all of it forgets that.
    """
    if not settings.convolutions:
        return []
    is_small = max(layout.shape[:2]) <= _SMALL_PICTURE
    is_sound = layout.media is not None and layout.media.kind == "sound"
    ending = "meanpool-dense128" if is_sound else "globalpool"
    usual = "conv32-conv64-dense128" if is_small else "conv16-conv32-conv64-dense128"
    first = "conv16s1" if is_small else "conv16s2"
    residual = f"{first}-res16-res32s2-res64s2-{ending}"
    wide = "conv32+32-conv64+64-dense128" if is_small else "conv32-conv64-conv128-dense128"
    deeper = f"{first}-res32x2-res64x3s2-res128x3s2-{ending}"
    small = [f"{'' if is_small else 'conv8-'}{spec}" for spec in (*_SMALL, *([] if is_sound else _SMALLEST))]
    most = math.inf if settings.max_params is None else settings.max_params

    def fitting(specs: Sequence[str]) -> list[Network]:
        networks = (parse(spec, layout.shape, n_outputs) for spec in specs)
        return [network for network in networks if network.n_params <= most]

    of_few, of_many = _DESIGNED[settings.effort]
    of_effort = of_many if n_train * layout.n_numbers >= _MANY_NUMBERS else of_few
    networks = fitting((usual, residual, wide, deeper)) or fitting(small)
    return networks if settings.budget is not None else networks[:of_effort]


def field_on_pictures(asked: Settings, how: Descent, networks: Sequence[Network], wanted: Field) -> Field:
    """What networks with convolutions may be proposed beside a search, those networks first.

    Parameters
    ----------
    asked : Settings
        As the user gave them.
    how : Descent
        How those networks are trained.
    networks : sequence of Network
        At least one.
    wanted : Field
        Of the search.
    """
    rates = how.learning_rate or 0.0, how.weight_decay or 0.0, how.dropout or 0.0
    own: dict[str, tuple] = {"activations": ("relu",)}  # of those that all children can keep
    if asked.learning_rate is None and asked.learning_rates == Space().learning_rates:
        own["learning_rates"] = (rates[0] / _RATES_AROUND, rates[0] * _RATES_AROUND)
    if asked.dropout is None and asked.dropouts is None:
        own["dropouts"] = (0.0, _MOST_DROPOUT)
    return replace(
        wanted,
        space=replace(wanted.space, **own),
        few_inputs=None,
        designed=tuple(Member(network, *rates) for network in networks),
        most_products=_MOST_WORK * max(network.n_products for network in networks),
    )


def descent_on_pictures(asked: Settings, settings: Settings, network: Network, n_train: int) -> Settings:
    """How networks with convolutions are trained beside a search: as asked for, else as suits them. Without a
    patience: to the end, whenever that is."""
    batch_size = settings.batch_size or 1
    steps = _LOOKING_STEPS[settings.effort]
    fewest = next(looks for n, looks in _LOOKS_BY_SAMPLES if n_train >= n)
    fewest = max(1, fewest // 2) if settings.effort == "quick" else fewest
    usual = min(max(fewest, -(-steps * batch_size // n_train)), max(_MOST_LOOKS, fewest))
    epochs = asked.epochs or usual
    return _on_pictures(asked, settings, network, {"epochs": epochs, "patience": asked.patience})
