"""Keras on its JAX backend, alone and under KerasTuner."""

from collections.abc import Sequence
from math import nan
from time import perf_counter

from benchmarks.search.records import JUDGED_AT_ONCE, Data, Errand, Report, Space, Structure, Train

_STEPS_TOGETHER = 16  # in a compiled call; its fastest, see the benchmark `dense`


def trainer(data: Data, batch_size: int) -> Train:
    """`model.fit`, one network after another; each is compiled anew, within its first epoch."""
    import keras

    class Ends(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.seconds = []

        def on_epoch_end(self, epoch, logs=None):
            self.seconds.append(perf_counter())

    def train(structures: Sequence[Structure], n_epochs: int) -> float:
        compile_seconds = 0.0
        for structure in structures:
            began, ends = perf_counter(), Ends()
            keras.utils.clear_session()
            model, rows = _model(structure, data, batch_size), (data.x_train, data.y_train)
            model.fit(*rows, batch_size=batch_size, epochs=n_epochs, verbose=0, callbacks=[ends])
            compile_seconds += beyond_epochs(began, ends.seconds, perf_counter())
        return compile_seconds

    return train


def beyond_epochs(began: float, ends: Sequence[float], done: float) -> float:
    """Seconds that were not spent in epochs, if the first one is as long as the others are on average.

    Parameters
    ----------
    began : float
    ends : sequence of float
        Of each epoch; at least two.
    done : float

    Examples
    --------
    >>> beyond_epochs(0.0, [5.0, 6.0, 7.0], 7.5)
    4.5
    """
    each = (ends[-1] - ends[0]) / (len(ends) - 1)
    return max(0.0, done - began - each * len(ends))


def _model(structure: Structure, data: Data, batch_size: int, metrics: tuple[str, ...] = ()):
    """Dense layers, each hidden one with its activation and dropout."""
    import keras

    layers: list[keras.layers.Layer] = []
    for width in structure.hidden:
        layers.append(keras.layers.Dense(width, activation=structure.activation))
        if structure.dropout > 0:
            layers.append(keras.layers.Dropout(structure.dropout))
    inputs = keras.Input(data.x_train.shape[1:])
    model = keras.Sequential([inputs, *layers, keras.layers.Dense(data.n_classes)])
    model.compile(
        optimizer=keras.optimizers.Adam(structure.learning_rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=list(metrics),
        jit_compile=True,
        steps_per_execution=min(_STEPS_TOGETHER, -(-len(data.x_train) // batch_size)),
    )
    return model


def search(errand: Errand, report: Report) -> None:
    """KerasTuner's Hyperband; the best model of each trial that beats all before is loaded and tested."""
    import keras
    import keras_tuner

    data, space, best = errand.data, errand.space, -1.0

    class Tuner(keras_tuner.Hyperband):
        def on_trial_end(self, trial):
            super().on_trial_end(trial)
            nonlocal best
            score = self.oracle.get_trial(trial.trial_id).score
            if score is not None and score > best:
                best = score
                answers = self.load_model(trial).predict(data.x_test, batch_size=JUDGED_AT_ONCE, verbose=0)
                report(score, (answers.argmax(1) == data.y_test).mean())
            elif score is not None:
                report(score, nan)  # one more result, but not the best: no need to test it

    keras.utils.set_random_seed(errand.seed)
    tuner = Tuner(
        lambda choices: _model(_structure(choices, space), data, space.batch_size, ("accuracy",)),
        objective="val_accuracy",
        max_epochs=space.n_epochs,
        hyperband_iterations=1_000_000,
        seed=errand.seed,
        directory=errand.folder,
        project_name="search",
    )
    tuner.search(
        data.x_train,
        data.y_train,
        validation_data=(data.x_valid, data.y_valid),
        batch_size=space.batch_size,
        verbose=0,
    )


def _structure(choices, space: Space) -> Structure:
    """One network, as the tuner suggests it."""
    low, high = space.learning_rates
    width = choices.Choice("width", list(space.widths))
    return Structure(
        hidden=(width,) * choices.Int("depth", *space.depths),
        learning_rate=choices.Float("learning_rate", low, high, sampling="log"),
        activation=choices.Choice("activation", list(space.activations)),
        dropout=choices.Float("dropout", *space.dropouts),
    )
