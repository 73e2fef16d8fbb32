"""How each library learns a table: with no settings, or those its own users begin with.

All get the same data frame. Where a library takes no words or no missing numbers, the usual recipe
prepares them: median, standardised, one 0/1 column per level.
"""

import warnings
from typing import Any

OURS = "threestep"


def make_ours(is_classes: bool, seed: int) -> Any:
    """No settings."""
    import threestep as ts

    return (ts.Classifier if is_classes else ts.Regressor)(random_state=seed)


def make_sklearn(is_classes: bool, seed: int, **more: Any) -> Any:
    """scikit-learn's own network, its target standardised."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    return _prepared((MLPClassifier if is_classes else MLPRegressor)(random_state=seed, **more), is_classes)


def make_sklearn_early(is_classes: bool, seed: int) -> Any:
    """The same with early stopping."""
    return make_sklearn(is_classes, seed, early_stopping=True)


def make_sklearn_grid(is_classes: bool, seed: int) -> Any:
    """A small grid, as its users would search."""
    from sklearn.model_selection import GridSearchCV

    own = "regressor__" if not is_classes else ""
    grid = {
        f"{own}network__hidden_layer_sizes": [(64,), (64, 64), (256, 256)],
        f"{own}network__alpha": [1e-4, 1e-2],
    }
    return GridSearchCV(make_sklearn(is_classes, seed), grid, cv=3, n_jobs=2)


def make_keras(is_classes: bool, seed: int) -> Any:
    """The 64-64 net of the tutorials, 15 % of the samples for early stopping."""
    from benchmarks.tables.with_keras import KerasNetwork

    return _prepared(KerasNetwork(is_classes, seed), is_classes)


def make_realmlp(is_classes: bool, seed: int) -> Any:
    """RealMLP with its tuned defaults (Holzmüller et al. 2024), missing numbers filled in."""
    from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    kind = RealMLP_TD_Classifier if is_classes else RealMLP_TD_Regressor
    return _Filled(kind(random_state=seed, device="cpu", n_threads=2))


def make_lightgbm(is_classes: bool, seed: int) -> Any:
    """Boosted trees, as the reference that is no network."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    kind = LGBMClassifier if is_classes else LGBMRegressor
    return _Categories(kind(random_state=seed, n_jobs=2, verbose=-1))


LIBRARIES = {
    OURS: make_ours,
    "scikit-learn": make_sklearn,
    "scikit-learn-early": make_sklearn_early,
    "scikit-learn-grid": make_sklearn_grid,
    "keras": make_keras,
    "realmlp": make_realmlp,
    "lightgbm": make_lightgbm,
}


def _prepared(network: Any, is_classes: bool) -> Any:
    """Columns as any network needs them, and a number to predict standardised."""
    from sklearn.compose import ColumnTransformer, TransformedTargetRegressor, make_column_selector
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False, max_categories=100)
    columns = ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("words", words, make_column_selector(dtype_exclude="number")),
        ]
    )
    pipeline = Pipeline([("columns", columns), ("network", network)])
    if is_classes:
        return pipeline
    return TransformedTargetRegressor(pipeline, transformer=StandardScaler())


class _Filled:
    """Missing numbers as the median, missing words as a word of their own."""

    def __init__(self, estimator: Any):
        self.estimator, self._medians = estimator, None

    def _frame(self, frame: Any) -> Any:
        numbers = frame.select_dtypes("number").columns
        frame = frame.copy()
        frame[numbers] = frame[numbers].fillna(self._medians)
        for name in frame.columns.difference(numbers):
            frame[name] = frame[name].fillna("missing").astype(str)
        return frame

    def fit(self, frame: Any, y: Any) -> "_Filled":
        self._medians = frame.select_dtypes("number").median().fillna(0.0)
        self.estimator.fit(self._frame(frame), y)
        return self

    def predict(self, frame: Any) -> Any:
        return self.estimator.predict(self._frame(frame))

    def predict_proba(self, frame: Any) -> Any:
        return self.estimator.predict_proba(self._frame(frame))


class _Categories(_Filled):
    """Words as categories."""

    def _frame(self, frame: Any) -> Any:
        frame = frame.copy()
        frame.columns = [f"column_{place}" for place in range(frame.shape[1])]  # it takes no odd names
        for name in frame.columns:
            if frame[name].dtype.kind not in "biuf":
                frame[name] = frame[name].astype("category")
        return frame


warnings.filterwarnings("ignore")
