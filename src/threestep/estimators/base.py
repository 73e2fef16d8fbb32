"""What both estimators have in common."""

from collections.abc import Callable
from dataclasses import fields, replace
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from threestep.data import Table, Target
from threestep.errors import SettingsError
from threestep.estimators.callbacks import CallbackSupportMixin, FitTask
from threestep.estimators.samples import (
    in_own_order,
    parts_of,
    table_of,
    value_errors,
    warn_of_notes,
    with_column_names,
)
from threestep.limits import check_settings
from threestep.model import Model, model_of
from threestep.pick import (
    Begun,
    EpochRow,
    Job,
    Member,
    Population,
    before_the_first_step,
    ended,
    leaderboard,
)
from threestep.settings import Settings
from threestep.study import (
    Found,
    Prepared,
    arrays_of,
    find_model,
    notes_on_left_out,
    nothing_in_words,
    prepare_parts,
)

_USUAL_NETWORK = "64-64"  # of `partial_fit`, which cannot search
_SEEDS = 2**31
_HINT_PARTIAL = "give up to 8 hidden layers of one activation, the first of them plain"
_FEWEST_TO_BEGIN = 10  # samples: of fewer a column's spread may be far off, and of one there is none
_MOST_PRECISE = 1000  # samples: in single precision a sample's last digits depend on its company
_MOST_PRECISE_PARAMS = 1 << 17  # more do not lie in a core's cache: twice as many bytes take twice as long
_MAY_BE_AUTO = ("batch_size", "learning_rate", "weight_decay", "dropout", "ensemble")


class NetworkEstimator(CallbackSupportMixin, BaseEstimator):
    """A run as an estimator; see `Classifier` and `Regressor`."""

    # what both constructors keep, beside what only reaches the settings
    network: str
    random_state: Any
    verbose: int
    _begun: Begun | None = None  # what `partial_fit` goes on with
    bins = clip = input_scaling = label_smoothing = None  # of those pickled before there were these

    def _html_repr(self) -> str:
        """What a notebook shows: scikit-learn's diagram, and below what was found."""
        diagram = super()._html_repr()
        model = getattr(self, "model_", None)
        if model is None:
            return diagram
        networks = [model.network, *(network for network, _ in model.others)]
        n_params = sum(network.n_params for network in networks)
        more = f" and {len(networks) - 1} more, averaged" if len(networks) > 1 else ""
        tried = f"; the best of {len(self.leaderboard_)} tried" if len(self.leaderboard_) > 1 else ""
        return f"{diagram}<p><b>found</b>: {escape(str(model.network))}{more}, {n_params:,} params{tried}</p>"

    def _settings(self, kind: Any) -> Settings:
        """The parameters as the settings of a run, whose target is of that kind.

        Raises
        ------
        SettingsError
            One is outside its range.
        """
        known = {field.name for field in fields(Settings)} - {"class_weight"}  # it became sample weights
        given = {name: value for name, value in self.get_params().items() if name in known}
        given |= {name: _unless_auto(name, given[name]) for name in _MAY_BE_AUTO}
        given = {key: _without_numpy(value) for key, value in given.items()}
        seed = int(check_random_state(self.random_state).randint(_SEEDS - 1))
        return Settings(**given, task=kind, seed=seed, test_fraction=0.0)

    def _fit(
        self,
        task: FitTask,
        table: Table,
        target: Target,
        y: NDArray,
        weight: NDArray | None,
        groups: NDArray | None,
    ) -> "NetworkEstimator":
        """Learn from samples whose features are known; y as the target wants it."""
        warn_of_notes(table.notes)
        rows = np.arange(table.n_samples)
        table = replace(table, y=y, y_name=target.name, weight=weight, rows=rows)
        table = in_own_order(table, groups is not None)
        own = None if groups is None or table.rows is None else groups[table.rows]
        with value_errors():
            settings = replace(self._settings(target.kind), groups=None if own is None else "groups")
            check_settings(settings)  # before the samples are divided by them
            parts = parts_of(table, settings.valid_fraction, settings.seed, target.kind == "classes", own)
            prepared = prepare_parts(table, target, parts, settings)
            warn_of_notes(tuple(notes_on_left_out(prepared)))
            self._keep_found(prepared, *find_model(prepared, self._teller(task), task.stop))
        task.end()
        return self

    def _teller(self, task: FitTask) -> Callable[[dict[str, Any]], None]:
        """What is told of each event: the callbacks, and who wants to see it."""

        def tell(event: dict[str, Any]) -> None:
            task.tell(event)
            if self.verbose and event["event"] == "rung":
                loss = "none yet" if event["best_loss"] is None else f"{event['best_loss']:.4f}"
                tried = f"{event['n_tried']} network{'' if event['n_tried'] == 1 else 's'} tried"
                at = f"round {event['round']}, rung {event['rung']} of {event['n_rungs']}"
                print(f"{at}: {tried}, best validation loss {loss}")  # noqa: T201

        return tell

    def _keep_found(self, prepared: Prepared, model: Model, found: Found) -> None:
        """What a run leaves; with a warning, if it is a function that learned nothing."""
        if found.picked.best_epoch == 0:
            warn_of_notes((nothing_in_words(found.picked.outcome, prepared.goodness.kind),))
        self.settings_, self.leaderboard_ = prepared.settings, leaderboard(found.tried)
        self._begun = None
        self._keep(model, found.picked.history)

    def _keep(self, model: Model, history: list[EpochRow]) -> None:
        """What both `fit` and `partial_fit` leave."""
        self.model_ = with_column_names(model, self)
        self.loss_curve_ = [row.train_loss for row in history]
        self.n_iter_ = max(1, len(history))
        self.n_outputs_ = model.network.n_outputs

    def _partial_fit(self, table: Table, target: Target, y: NDArray, weight: NDArray | None) -> None:
        """One more pass over some samples; the first call decides the network and the prep."""
        self._warn_of_few(table.n_samples)
        table = replace(table, y=y, y_name=target.name, weight=weight)
        if weight is not None:  # what has none is not there
            table = table.take(np.flatnonzero(weight > 0))
        with value_errors():
            if hasattr(self, "model_"):
                self._go_on(table)
            else:
                self._begin(table, target)

    def _warn_of_few(self, n_samples: int) -> None:
        """That the first call says too little of the columns."""
        if not hasattr(self, "model_") and n_samples < _FEWEST_TO_BEGIN:
            samples = "one sample" if n_samples == 1 else f"{n_samples} samples"
            note = f"the first `partial_fit` has {samples}, by which alone the columns are scaled"
            warn_of_notes((f"{note}; begin with {_FEWEST_TO_BEGIN} that differ, better with hundreds",))

    def _warn_of_dropped(self, model: Model) -> None:
        """That one network goes on alone: the others, and corrections of its answers, are of other params."""
        dropped = [f"{len(model.others)} other network(s)"] if model.others else []
        if model.temperature != 1.0 or model.shifts:
            dropped.append(f"the correction of its {'quantiles' if model.shifts else 'confidences'}")
        if dropped:
            what = " and ".join(dropped)
            warn_of_notes(
                (f"`partial_fit` goes on with one network; {what}, which `fit` found, are dropped",)
            )

    def _begin(self, table: Table, target: Target) -> None:
        """The first pass of all; it decides the network and the prep.

        Raises
        ------
        UserError
            Bad data or settings, or a network that the program for several does not take.
        """
        settings = self._settings(target.kind)
        if settings.network == "auto":
            of_search = {"ensemble": 1, "folds": None, "effort": "normal", "score_metric": "loss"}
            settings = replace(settings, network=_USUAL_NETWORK, **of_search)
        check_settings(settings)
        parts = parts_of(table, settings.valid_fraction, settings.seed, False)._replace(train=table)
        # the means of levels would hold the targets of samples that come again
        settings = replace(
            settings,
            epochs=1,
            warmup_fraction=0.0,
            calibrate=False,
            input_scaling=0.0,
            level_means=False,
        )
        prepared = prepare_parts(table, target, parts, settings)
        if not prepared.shares_programs:
            raise SettingsError(f"`network` is {settings.network!r}: no `partial_fit` for it", _HINT_PARTIAL)
        self._keep_found(prepared, *find_model(prepared))

    def _go_on(self, table: Table) -> None:
        """Descend once more from where the model is; the optimizer remembers the calls before."""
        model, settings = self.model_, self.settings_
        self._warn_of_dropped(model)
        samples = arrays_of(model.prep, table)
        names = ("learning_rate", "weight_decay", "dropout")
        row = next(iter(self.leaderboard_), None) or {name: getattr(settings, name) for name in names}
        member = Member(model.network, **{name: row[name] for name in names}, seed=settings.seed)
        begun = self._begun or before_the_first_step(settings.optimizer, model.params)
        job = Job(member, 1, model.params, begun)
        how = replace(settings, input_scaling=0.0)  # factors would begin at 1 again in each call
        with Population(model.goodness, samples, samples, how, settings.seed) as population:
            (trained,) = ended(population.train([job]))
        if trained is not None and trained.is_sound:
            self._begun, curve = trained.begun, self.loss_curve_
            # what was corrected, or averaged, by other params is not right any more
            function = trained.member.network, trained.params
            self._keep(model_of(model.prep, model.goodness, [function]), trained.history)
            self.loss_curve_ = [*curve, *self.loss_curve_]
            self.n_iter_ = len(self.loss_curve_)

    def _outputs(self, X: Any) -> NDArray:
        """The network's raw outputs for samples of the same features."""
        if not hasattr(self, "model_"):
            check_is_fitted(self)  # which takes as long as a small network's answer
        table, model = table_of(self, X, is_new=False), self.model_
        is_precise = table.n_samples <= _MOST_PRECISE and model.n_params <= _MOST_PRECISE_PARAMS
        with value_errors():
            return model.outputs(table, precise=is_precise)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.required = True
        return tags


def _without_numpy(value: Any) -> Any:
    """The same as what Python itself has."""
    if isinstance(value, np.ndarray):
        return tuple(value.tolist())
    return value.item() if isinstance(value, np.generic) else value


def _unless_auto(name: str, value: Any) -> Any:
    """The value of a parameter that may be "auto"; None then.

    Raises
    ------
    SettingsError
        Some other word.
    """
    if not isinstance(value, str):
        return value
    if value != "auto":
        raise SettingsError(f"`{name}` is {value!r}; must be 'auto' or a number")
    return None
