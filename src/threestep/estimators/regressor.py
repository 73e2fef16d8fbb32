"""The regressor."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import d2_pinball_score
from sklearn.utils.validation import check_array, check_consistent_length

from threestep.data import Target
from threestep.estimators.base import NetworkEstimator
from threestep.estimators.callbacks import FitTask, with_callbacks
from threestep.estimators.samples import groups_of, table_of, weights_of


class Regressor(RegressorMixin, NetworkEstimator):
    """Finds a neural network for a number, or for several.

    Parameters
    ----------
    network : str
        `auto` searches; else hidden widths, then optionally the activation: `128-64 relu`.
    budget : str, float or None
        Time for `fit`: `60s`, `2m`, or seconds; None: `effort` decides.
    effort : {"quick", "normal", "thorough"}
        How much is tried where there is no budget.
    epochs : int or None
        Most passes over the training samples; None: by their number.
    batch_size, learning_rate, weight_decay, dropout : "auto" or number
        As in `threestep.Settings`; "auto" is chosen from the data, or searched.
    loss : {"auto", "squared_error", "absolute_error", "huber", "quantile"}
        What descent lowers.
    quantiles : tuple of float
        Predict these instead of the mean: one column each.
    ensemble : "auto" or int
        How many of the best networks are averaged; "auto": as many as lower the validation loss, up to 4,
        with folds 2 in each; one with a limit or of a given network.
    folds : int or None
        In how many folds the best structures are trained in the end, each fold choosing once, the networks of
        all averaged; None: 4 of a search on fewer than 2,000 samples, and without a budget on fewer
        than 20,000 where they cost little beside it; 1: no folds.
    score_metric : str
        By what found networks are compared when some are picked: "loss", "r2", "rmse" or "mae".
    column : tuple of str
        What columns are, where they are not numbers as they seem: `("month=category", "row=ignore")`.
        Columns of an array are x0, x1, ...
    max_params : int or None
        Most params a network may have.
    bins, clip, input_scaling : number or None
        Tricks for tables, as in `threestep.Settings`; None: by the data, 0: without. `partial_fit` never has
        `input_scaling`, nor means of levels.
    valid_fraction : float
        Share of the samples that choose; of fewer than 40 all learn and choose.
    random_state : int, RandomState or None
        Equal ones give equal networks.
    verbose : int
        Above 0, a line per rung of each round of the search.

    Attributes
    ----------
    model_ : threestep.Model
        The picked function, with its prep: `model_.save(path)`. It finds columns by the names they had in a
        data frame.
    leaderboard_ : list of dict
        What was tried, as `threestep.pick.leaderboard` describes it; its epochs are of all folds together.
    settings_ : threestep.Settings
        As used: what was left open is chosen, but for what a search decides (`network`, rates, `ensemble`),
        limits where there are none, and `bins`, which `model_.prep.layout` has.
    loss_curve_ : list of float
        Training loss per epoch of the picked network's last descent, in standard deviations of the target.
    n_iter_ : int
        Its epochs, at most `settings_.epochs`; with folds those of one.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> import numpy as np, threestep as ts
    >>> x = np.random.default_rng(0).normal(size=(200, 2))
    >>> regressor = ts.Regressor("16", epochs=100, random_state=0).fit(x, x[:, 0] * x[:, 1])
    >>> bool(regressor.score(x, x[:, 0] * x[:, 1]) > 0.8)
    True
    """

    def __init__(
        self,
        network="auto",
        *,
        budget=None,
        effort="normal",
        epochs=None,
        batch_size="auto",
        learning_rate="auto",
        weight_decay="auto",
        dropout="auto",
        loss="auto",
        quantiles=(),
        ensemble="auto",
        folds=None,
        score_metric="loss",
        column=(),
        max_params=None,
        bins=None,
        clip=None,
        input_scaling=None,
        valid_fraction=0.15,
        random_state=None,
        verbose=0,
    ):
        self.network = network
        self.budget = budget
        self.effort = effort
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.loss = loss
        self.ensemble = ensemble
        self.folds = folds
        self.score_metric = score_metric
        self.column = column
        self.max_params = max_params
        self.bins = bins
        self.clip = clip
        self.input_scaling = input_scaling
        self.valid_fraction = valid_fraction
        self.random_state = random_state
        self.verbose = verbose
        self.quantiles = quantiles

    @with_callbacks
    def fit(self, X, y, sample_weight=None, groups=None):
        """Find a network.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            NaN is missing; a frame may have columns of words.
        y : array-like of shape (n_samples,), or (n_samples, n_numbers)
        sample_weight : array-like of shape (n_samples,) or None
        groups : array-like of shape (n_samples,) or None
            Samples of one value, such as a patient's, are either learned from or choose, together; then there
            are no folds.

        Raises
        ------
        ValueError
            Samples or parameters that nothing can be learned from, with a hint.
        """
        table = table_of(self, X, is_new=True)
        numbers = self._numbers(y, table.n_samples)
        target = Target("y", "number", (), "given", 1 if numbers.ndim == 1 else numbers.shape[1])
        task = FitTask(self, X, y, sample_weight=sample_weight, groups=groups)
        weight, groups = weights_of(sample_weight, table.n_samples), groups_of(groups, table.n_samples)
        return self._fit(task, table, target, numbers, weight, groups)

    def partial_fit(self, X, y, sample_weight=None):
        """One more pass over some samples.

        The first call decides the network, and from its samples alone how columns are scaled and whether they
        are divided into bins: it should have hundreds of samples that differ; a column with one value in all
        of them is not heard later either. After a `fit` the first of the networks found goes on: others, and
        the correction of the quantiles, are dropped.

        Raises
        ------
        ValueError
            As `fit`.
        """
        is_first = not hasattr(self, "model_")
        table = table_of(self, X, is_new=is_first)
        numbers = self._numbers(y, table.n_samples)
        n_numbers = 1 if numbers.ndim == 1 else numbers.shape[1]
        target = Target("y", "number", (), "given", n_numbers) if is_first else self.model_.prep.target
        self._partial_fit(table, target, numbers, weights_of(sample_weight, table.n_samples))
        return self

    def predict(self, X):
        """The number, shape (n_samples,); of several numbers or quantiles a column each."""
        outputs = self._outputs(X)
        numbers = self.model_.answers(outputs)
        return numbers[:, 0] if numbers.shape[1] == 1 else numbers

    def score(self, X, y, sample_weight=None):
        """How much of y is explained, 1 at best: R², or of quantiles D².

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,), or (n_samples, n_numbers)
        sample_weight : array-like of shape (n_samples,) or None

        Returns
        -------
        float
            Of quantiles the mean over them of 1 - pinball loss / that of the quantile of y itself
            (`sklearn.metrics.d2_pinball_score`; Koenker & Machado 1999).
        """
        quantiles = tuple(self.quantiles)
        if not quantiles:
            return super().score(X, y, sample_weight)
        predicted = self.predict(X).reshape(-1, len(quantiles)).T
        scores = [
            d2_pinball_score(y, each, sample_weight=sample_weight, alpha=quantile)
            for quantile, each in zip(quantiles, predicted, strict=True)
        ]
        return float(np.mean(scores))

    def _numbers(self, y, n_samples: int):
        """y as float64; one column is a number."""
        if y is None:
            raise ValueError("This Regressor estimator requires y to be passed, but the target y is None.")
        numbers = check_array(y, ensure_2d=False, dtype="float64", input_name="y")
        check_consistent_length(np.empty(n_samples), numbers)
        return numbers[:, 0] if numbers.ndim == 2 and numbers.shape[1] == 1 else numbers

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
