"""What a user can set: frozen plain data, described once; `limits` says which values.

The Python call, the command line, `config.toml` and (later) the page are all made from these
records. A field of `None` means "chosen from the data"; `threestep.study` fills it in, and the
run folder's `config.toml` shows what was chosen.
"""

from dataclasses import dataclass
from typing import Literal

from threestep.described import described

DEFAULT_LEARNING_RATE, DEFAULT_WEIGHT_DECAY = 3e-3, 0.01
USUAL_DECAYS = (1e-3, 0.1)  # weight decays that a search tries

CHANGES = ("shift", "shift_width", "flip", "noise", "mixup")
"""Settings of how pictures are changed at random while they are learned from."""

Optimizer = Literal["adamw", "adam", "sgd", "momentum", "rmsprop", "lion"]
Language = Literal["en", "zh-TW"]
Precision = Literal["auto", "float32", "bfloat16"]
Task = Literal["auto", "classes", "number", "labels"]
Loss = Literal[
    "auto",
    "cross_entropy",
    "focal",
    "sigmoid_cross_entropy",
    "squared_error",
    "absolute_error",
    "huber",
    "quantile",
]
Decision = Literal["accuracy", "balanced_accuracy", "f1"]
ClassWeight = Literal["even", "balanced"]
Metric = Literal[
    "loss",
    "accuracy",
    "balanced_accuracy",
    "f1",
    "auc",
    "log_loss",
    "ece",
    "label_accuracy",
    "r2",
    "rmse",
    "mae",
]
Effort = Literal["quick", "normal", "thorough"]
Searcher = Literal["evolution", "random", "optuna"]


@described
@dataclass(frozen=True)
class Descent:
    """How the best params of one network are picked by gradient descent.

    What is not set is chosen from the data by `fit`; in Python `threestep.pick.train` alone takes 80
    epochs, batches of 64 and no dropout.
    """

    epochs: int | None = None
    """Most passes over the training samples; by default 80, more for few samples, fewer for many."""
    batch_size: int | None = None
    """Samples per step; by default 16 to 256, by the number of samples."""
    optimizer: Optimizer = "adamw"
    """How a gradient becomes an update."""
    learning_rate: float | None = None
    """Peak learning rate, reached after the warm-up; a cosine takes it to zero. By default 0.003, or
    searched."""
    weight_decay: float | None = None
    """Decoupled weight decay of the weights (not of the biases); used by adamw and lion. By default
    0.01, or searched."""
    warmup_fraction: float = 0.05
    """Share of all steps during which the learning rate rises from zero."""
    dropout: float | None = None
    """Share of hidden neurons left out per step; by default 0.2 for classes and 0 for numbers, or
    searched."""
    input_dropout: float | None = None
    """Share of inputs left out per step; by default 0.1 for pictures, else 0."""
    input_rate: float | None = None
    """Share of the rate that the weights of the inputs learn with, in networks of neurons only: many
    inputs that rise and fall together move a neuron far in one step. By default below 1 for pictures and
    sounds of more than 1,024 numbers."""
    input_scaling: float | None = None
    """Times the learning rate at which a factor of each input is learned, which ends up in the weights of the
    first layer; in networks of neurons only; 0: there is none. By default 1 for tables with numbers."""
    shift: float | None = None
    """Share of a picture's sides by which it is moved at random each time it is learned from, a random crop
    then; by default 0.1 for networks with convolutions."""
    shift_width: float | None = None
    """The same for the width alone; by default as `shift`, but 0 for sounds, whose bands stay where they are
    while they are moved in time."""
    flip: bool | None = None
    """Mirror half of the pictures each time they are learned from; by default only colour ones, for networks
    with convolutions."""
    drop_path: float = 0.0
    """Share of the samples of a step that skip the last residual block, chosen at random; of earlier blocks
    less, in proportion to their depth (stochastic depth)."""
    noise: float | None = None
    """Standard deviation of what is added to each pixel at random each time, as a share of the picture's own;
    for networks with convolutions."""
    mixup: float | None = None
    """α of the Beta(α, α) that says how much of each picture, and of its target, is mixed with another one's
    each time; for networks with convolutions."""
    patience: int | None = None
    """Epochs without a better validation loss after which training stops; by default half of all."""
    precision: Precision = "auto"
    """Numbers that products are computed with while learning; params, sums and losses are float32 always. By
    default bfloat16 for networks with convolutions on a GPU, else float32, as of all members of a search."""


@described
@dataclass(frozen=True)
class Question:
    """What is looked for: the target, the function set, the loss, who measures."""

    target: str | None = None
    """Column to predict, or several as `a,b`; by default `target`, `label`, `class` or `y`, else the last."""
    task: Task = "auto"
    """What the target is: `classes`, `number`, `labels` (several yes-or-no ones), or seen from its values."""
    network: str = "auto"
    """`auto` searches; else hidden widths, then optionally the activation: `128-64`, `64-r64 tanh` (r: the
    layer's input is added to its output); empty for no hidden layer; of pictures `conv32-conv64-dense128`
    or `resnet18`, too."""
    seed: int = 0
    """Everything random follows from it."""
    lang: Language = "en"
    """Language in which the report is first seen: English or traditional Chinese; it has a switch."""
    loss: Loss = "auto"
    """What descent lowers; by default `cross_entropy` for classes, `sigmoid_cross_entropy` for labels,
    `squared_error` for a number."""
    quantiles: tuple[float, ...] = ()
    """Of a number: predict these quantiles, such as 0.05 0.5 0.95, instead of the mean."""
    weight: str | None = None
    """Column that says how much each sample counts where is learned and chosen; metrics count each once."""
    class_weight: ClassWeight = "even"
    """How much a class counts: each of its samples as any other, or `balanced`, all classes the same."""
    groups: str | None = None
    """Column whose equal values stay together in train, valid or test, such as a patient's number."""
    order: str | None = None
    """Column of dates or numbers: learn from the first samples, choose and test on the last."""
    convolutions: bool | None = None
    """Whether a search tries networks with convolutions, too; by default for pictures and sounds, unless
    `depths`, `widths`, `folds` or `refit` ask for something else."""
    bins: int | None = None
    """Into how many bins a column of numbers is divided at most, each an input of its own; by default up to
    48, by the number of samples."""
    clip: float | None = None
    """Within how many scales a column of numbers is brought, smoothly, of which a few are very far out, so
    that these do not drown the others; 0: they stay as they are. By default 3."""
    level_means: bool = True
    """Whether each level of a category with more levels than inputs says what the target usually is there."""
    calibrate: bool = True
    """Whether confidences are corrected by a temperature, and intervals between quantiles by a shift, learned
    on the validation samples; not if those are learned from, too (`refit`)."""
    decide_by: Decision = "accuracy"
    """The metric that is to be highest: of two classes it decides from which confidence on the second is
    said."""
    score_metric: Metric = "loss"
    """The metric by which the best of those that a search found are picked; descent, and the search on its
    way, go by the loss."""
    label_smoothing: float | None = None
    """Share of each target spread over all classes; by default 0.05 for classes."""
    valid_fraction: float = 0.15
    """Share of the samples that choose the best epoch."""
    test_fraction: float = 0.2
    """Share of the samples that only measure the outcome."""


@described
@dataclass(frozen=True)
class Files:
    """How data are read; the model keeps it, so that new data are read alike."""

    column: tuple[str, ...] = ()
    """What columns are, where they are not what they seem: `NAME=number` (words in it count as missing),
    `NAME=category`, `NAME=date` or `NAME=ignore`."""
    strict: bool = False
    """Stop where files of a folder are damaged, naming them; else they are named, counted and left out."""
    picture_size: int | tuple[int, int] | None = None
    """Height and width in pixels that pictures are brought to, or one number for both; by default theirs, or
    the middle ones, no side longer than 64."""
    sound_window: float | None = None
    """Milliseconds of sound that a moment of a spectrogram is made of; by default about 32, or two hops
    where that is more."""
    sound_hop: float | None = None
    """Milliseconds from a moment to the next; by default 10, or more where that would be over 96 moments."""
    sound_bands: int | None = None
    """Bands of the mel scale; by default 40."""


@described
@dataclass(frozen=True)
class Space:
    """What a search may try. `None` is chosen from the data; a pair is a range, ends included."""

    depths: tuple[int, int] | None = None
    """Hidden layers, 0 to 8; by default 0 to 4. The network without any is always tried, too."""
    widths: tuple[int, int] | None = None
    """Neurons of a hidden layer, 8 to 1024; by default 64, and more for many samples, up to 512."""
    channels: tuple[int, int] | None = None
    """Channels of the convolutions that are varied, 4 to 512; by default 8 to 128."""
    activations: tuple[str, ...] = ("relu", "silu")
    """Of hidden layers; networks with convolutions have relu."""
    residual: bool = True
    """Whether layers may add their input to their output."""
    learning_rates: tuple[float, float] = (1e-3, 3e-2)
    """Peak learning rates; drawn on a logarithmic scale."""
    weight_decays: tuple[float, float] | None = None
    """Weight decays; drawn on a logarithmic scale. By default 0.001 to 0.1, where samples are few to 0.5."""
    dropouts: tuple[float, float] | None = None
    """Dropout; by default 0.05 to 0.4 for classes, none for numbers."""


@described
@dataclass(frozen=True)
class Search(Space):
    """How a network is searched for, where `network` is `auto`."""

    budget: str | float | None = None
    """Time for the whole command: `60s`, `2m`, `1h`, or seconds; by default `effort` decides, or the
    number of epochs of a given network."""
    effort: Effort = "normal"
    """How much is tried where there is no budget."""
    searcher: Searcher = "evolution"
    """Who proposes networks; `optuna` needs that library."""
    max_params: int | None = None
    """Most params a network may have."""
    max_latency_ms: float | None = None
    """Most milliseconds that the networks themselves may take for one sample, all that answer together;
    measured here, on inputs that are ready: reading a sample and making inputs of it is not in it."""
    ensemble: int | None = None
    """How many networks are averaged: the best of a search, or a given one from so many starts. By default
    as many of a search as lower the validation loss, up to 4 (with folds 2 in each), or one where there is a
    limit; of a given network one."""
    folds: int | None = None
    """In how many folds the best structures are trained in the end: each network learns from all folds but
    one, which chooses, and those of all folds are averaged. By default 4 of a search on fewer than 2,000
    samples, and without a budget on fewer than 20,000 where they cost little beside it; 1: no folds."""
    refit: bool = False
    """Let the picked network go on learning from all samples but the test ones; then nothing is left that
    could judge it beside those."""


@described
@dataclass(frozen=True)
class Settings(Search, Descent, Files, Question):
    """Everything a run is made of, beside its data; the question's fields come first."""


@described
@dataclass(frozen=True)
class Study:
    """How networks that differ in one thing are compared: see `threestep.compare`."""

    target: str | None = None
    """Column to predict; by default `target`, `label`, `class` or `y`, else the last."""
    task: Task = "auto"
    """What the target is: `classes`, `number`, `labels`, or seen from its values."""
    column: tuple[str, ...] = ()
    """What columns are, where they are not what they seem; as for `fit`."""
    depths: tuple[int, ...] = ()
    """Numbers of hidden layers; by default 1 2 3 4 5 7, or 2 4 6 8 with and without residuals."""
    params: tuple[int, ...] = ()
    """Params of each network, for a comparison of depths; by default those of three middling layers."""
    widths: tuple[int, ...] = ()
    """Neurons, for a comparison of widths (by default 8 to 1024), or of a layer with residuals (64)."""
    margin: float = 0.05
    """The least difference that matters, as a share of the errors; 0: any that is no chance."""
    seeds: int = 10
    """How often the samples are divided and every network is trained."""
    rates: tuple[float, ...] = (3e-4, 1e-3, 3e-3, 1e-2)
    """Learning rates, of which every network gets the one that suits it."""
    activation: str = "relu"
    """Of all hidden layers."""
    epochs: int | None = None
    """Passes over the training samples; by default as `fit` has them, at most 60."""
    budget: str | float | None = None
    """Seconds, or `60s`, `2m`, `1h`, after which no more divisions are begun; by default none."""
    valid_fraction: float = 0.15
    """Share of the samples that choose the epoch and the rate."""
    test_fraction: float = 0.2
    """Share of the samples that only measure."""
    seed: int = 0
    """Everything random follows from it."""
    lang: Language = "en"
    """Language in which the page is first seen: English or traditional Chinese; it has a switch."""


def usual_patience(n_epochs: int) -> int:
    """Half of all epochs: under a cosine the best ones come late."""
    return max(20, n_epochs // 2)
