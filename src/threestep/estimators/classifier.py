"""The classifier."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax
from sklearn.base import ClassifierMixin

from threestep.estimators.base import NetworkEstimator
from threestep.estimators.callbacks import FitTask, with_callbacks
from threestep.estimators.classes import are_labels, classes_of, codes_of, given_classes, with_class_weight
from threestep.estimators.samples import groups_of, table_of, value_errors, weights_of


class Classifier(ClassifierMixin, NetworkEstimator):
    """Finds a neural network for classes, or for several yes-or-no labels.

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
    loss : {"auto", "cross_entropy", "focal", "sigmoid_cross_entropy"}
        What descent lowers.
    ensemble : "auto" or int
        How many of the best networks are averaged; "auto": as many as lower the validation loss, up to 4,
        with folds 2 in each; one with a limit or of a given network.
    folds : int or None
        In how many folds the best structures are trained in the end, each fold choosing once, the networks of
        all averaged; None: 4 of a search on fewer than 2,000 samples, and without a budget on fewer
        than 20,000 where they cost little beside it; 1: no folds.
    score_metric : str
        By what found networks are compared when some are picked: "loss", "accuracy", "balanced_accuracy",
        "f1", "auc", ...
    class_weight : dict, "balanced" or None
        How much each class counts: a dict of class to number, 1 for those not in it; "balanced": all classes
        the same. Not for labels.
    column : tuple of str
        What columns are, where they are not numbers as they seem: `("month=category", "row=ignore")`.
        Columns of an array are x0, x1, ...
    max_params : int or None
        Most params a network may have.
    bins, clip, input_scaling, label_smoothing : number or None
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
    classes_ : ndarray of shape (n_classes,)
        Of labels 0 … n_labels - 1.
    model_ : threestep.Model
        The picked function, with its prep: `model_.save(path)`. It finds columns by the names they had in a
        data frame. Its classes are indices into `classes_`.
    leaderboard_ : list of dict
        What was tried, as `threestep.pick.leaderboard` describes it; its epochs are of all folds together.
    settings_ : threestep.Settings
        As used: what was left open is chosen, but for what a search decides (`network`, rates, `ensemble`),
        limits where there are none, and `bins`, which `model_.prep.layout` has.
    loss_curve_ : list of float
        Training loss per epoch of the picked network's last descent.
    n_iter_ : int
        Its epochs, at most `settings_.epochs`; with folds those of one.
    n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> import threestep as ts
    >>> from sklearn.datasets import load_iris
    >>> x, y = load_iris(return_X_y=True)
    >>> classifier = ts.Classifier("16", epochs=100, random_state=0).fit(x, y)
    >>> bool(classifier.score(x, y) > 0.9)
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
        ensemble="auto",
        folds=None,
        score_metric="loss",
        class_weight=None,
        column=(),
        max_params=None,
        bins=None,
        clip=None,
        input_scaling=None,
        label_smoothing=None,
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
        self.label_smoothing = label_smoothing
        self.valid_fraction = valid_fraction
        self.random_state = random_state
        self.verbose = verbose
        self.class_weight = class_weight

    @with_callbacks
    def fit(self, X, y, sample_weight=None, groups=None):
        """Find a network.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            NaN is missing; a frame may have columns of words.
        y : array-like of shape (n_samples,), or (n_samples, n_labels) of 0 and 1
        sample_weight : array-like of shape (n_samples,) or None
        groups : array-like of shape (n_samples,) or None
            Samples of one value, such as a patient's, are either learned from or choose, together; then there
            are no folds.

        Raises
        ------
        ValueError
            Samples or parameters that nothing can be learned from, with a hint.
        """
        table, y = table_of(self, X, is_new=True), given_classes(y)
        with value_errors():
            self.classes_, target = classes_of(y)
            codes = codes_of(y, table.n_samples, self.classes_, target.kind)
            weight = self._weights(codes, sample_weight)
        if weight is not None and codes.ndim == 1 and len(np.unique(codes[weight > 0])) < 2:
            raise ValueError("Classifier needs weight on at least 2 classes, but only one class has any")
        task = FitTask(self, X, y, sample_weight=sample_weight, groups=groups)
        return self._fit(task, table, target, codes, weight, groups_of(groups, table.n_samples))

    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """One more pass over some samples; the first call must name all `classes`.

        The first call also decides the network, and from its samples alone how columns are scaled and whether
        they are divided into bins: it should have hundreds of samples that differ; a column with one value in
        all of them is not heard later either. After a `fit` the first of the networks found goes on: others,
        and the correction of the confidences, are dropped.

        Raises
        ------
        ValueError
            As `fit`.
        """
        is_first, y = not hasattr(self, "model_"), given_classes(y)
        with value_errors():
            if is_first and classes is None and not are_labels(y):
                raise ValueError("classes must be passed on the first call to partial_fit.")
        table = table_of(self, X, is_new=is_first)
        with value_errors():
            if is_first:
                self.classes_, target = classes_of(y, classes)
            else:
                target = self.model_.prep.target
                if target.kind == "classes":
                    self._check_classes(classes)
            codes = codes_of(y, table.n_samples, self.classes_, target.kind)
            weight = self._weights(codes, sample_weight)
        self._partial_fit(table, target, codes, weight)
        return self

    def _check_classes(self, classes: Any) -> None:
        """Refuse other classes than those that it knows, as scikit-learn's own do.

        Raises
        ------
        ValueError
        """
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(f"`classes={classes!r}` is not the same as before: {self.classes_.tolist()}")

    def predict(self, X):
        """The most likely class of each sample, shape (n_samples,); of labels 0 or 1 each."""
        outputs = self._outputs(X)
        if self.model_.prep.target.kind == "labels":
            return (outputs > 0).astype(int)
        return self.classes_[self.model_.class_indices(outputs)]

    def predict_proba(self, X):
        """The confidence of each class, shape (n_samples, n_classes), or of a yes for each label."""
        outputs = self._outputs(X)
        return self.model_.answers(outputs)

    def predict_log_proba(self, X):
        """Logarithms of what `predict_proba` says, of the same shape; finite where that is 0."""
        outputs = self._outputs(X)
        if self.model_.prep.target.kind == "labels":
            return -np.logaddexp(0, -outputs)
        return log_softmax(outputs, axis=1)

    def _weights(self, codes: NDArray, sample_weight: Any) -> NDArray | None:
        """The samples' own weights times those of their classes."""
        own = weights_of(sample_weight, len(codes))
        return with_class_weight(self.class_weight, self.classes_, codes, own)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
