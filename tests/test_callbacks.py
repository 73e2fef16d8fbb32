"""scikit-learn's callbacks: a fit is a task, each round of it one below."""

import numpy as np
import pytest

import threestep as ts

callbacks = pytest.importorskip("sklearn.callback")

X = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


class Notes:
    """Writes down what it is told; asks for the end after so many tasks below."""

    def __init__(self, most=None):
        self.most, self.told, self.n_ends = most, [], 0

    def setup(self, estimator, context):
        self.told.append("setup")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.told.append(f"begin {context.task_name}")
        assert len(X) == len(y) == 300

    def on_fit_task_end(self, estimator, context, *, metadata=None, fitted_estimator=None):
        self.told.append(f"end {context.task_name}")
        if context.task_name == "fit":
            assert fitted_estimator.predict(X[:3]).shape == (3,)
            assert metadata == {}
            return False
        assert fitted_estimator is None
        self.n_ends += 1
        return self.n_ends == self.most

    def teardown(self, estimator, context):
        self.told.append("teardown")


def told(most=None, **params):
    notes = Notes(most)
    estimator = ts.Classifier(random_state=0, **params).set_callbacks(notes)
    estimator.fit(X, Y)
    return notes.told, estimator


@pytest.mark.parametrize(
    "params", [pytest.param({"effort": "quick", "ensemble": 1}, marks=pytest.mark.slow), {"network": "8"}]
)
def test_a_fit_is_a_task_with_tasks_below(params):
    events, _ = told(**params)
    assert events[:2] == ["setup", "begin fit"]
    assert events[-2:] == ["end fit", "teardown"]
    below = events[2:-2]
    assert below[::2] == [event.replace("end", "begin") for event in below[1::2]]
    assert {"begin round", "end round"} <= set(below)


def test_a_callback_that_asks_for_the_end_gets_the_best_so_far():
    events, estimator = told(most=1, effort="thorough", ensemble=1)
    usual, _ = told(effort="quick", ensemble=1)
    assert len(events) < len(usual)
    assert estimator.score(X, Y) > 0.8


def test_weights_are_told():
    seen = []

    class Weights(Notes):
        def on_fit_task_end(self, estimator, context, *, metadata=None):
            seen.append(metadata)

    weight = np.ones(300)
    ts.Regressor(network="8", random_state=0).set_callbacks(Weights()).fit(X, X[:, 0], sample_weight=weight)
    assert all(each["sample_weight"] is weight for each in seen)
    assert seen


def test_the_progress_bar_of_scikit_learn_takes_a_fit():
    pytest.importorskip("rich")
    ts.Classifier(network="8", random_state=0).set_callbacks(callbacks.ProgressBar()).fit(X, Y)


def test_a_scoring_monitor_has_the_score_of_the_fit():
    monitor = callbacks.ScoringMonitor(scoring="accuracy")
    estimator = ts.Classifier(network="8", random_state=0).set_callbacks(monitor).fit(X, Y)
    (row,) = monitor.get_logs().data
    assert row["accuracy"] == pytest.approx(estimator.score(X, Y))


def test_callbacks_reach_the_fits_of_a_grid():
    from sklearn.model_selection import GridSearchCV

    sizes = []

    class Sizes(Notes):
        def on_fit_task_begin(self, estimator, context, *, X=None):
            sizes.append(len(X))

        def on_fit_task_end(self, estimator, context):
            return False

    estimator = ts.Classifier(network="8", random_state=0).set_callbacks(Sizes())
    GridSearchCV(estimator, {"learning_rate": [0.003, 0.01]}, cv=2).fit(X, Y)
    assert set(sizes) == {150, 300}  # the folds, and the refit


def test_a_callback_that_fails_leaves_nothing_behind():
    import signal
    import threading

    class Failing(Notes):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("told so")

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(RuntimeError, match="told so") as kept:
        ts.Classifier(network="8", random_state=0).set_callbacks(Failing()).fit(X, Y)
    assert kept.value is not None  # and with it the traceback
    assert signal.getsignal(signal.SIGINT) is before
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("train")]
