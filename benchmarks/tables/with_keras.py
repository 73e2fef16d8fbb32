"""Keras with the two methods that scikit-learn's pipelines want."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator


class KerasNetwork(BaseEstimator):
    """A Keras network with scikit-learn's two methods."""

    def __init__(self, is_classes: bool, seed: int):
        self.is_classes, self.seed = is_classes, seed

    def fit(self, x: Any, y: Any) -> "KerasNetwork":
        import keras

        keras.utils.set_random_seed(self.seed)
        if self.is_classes:
            self.classes_, y = np.unique(y, return_inverse=True)
        n_outputs = len(self.classes_) if self.is_classes else 1
        last = keras.layers.Dense(n_outputs, "softmax" if self.is_classes else None)
        layers = [keras.layers.Dense(64, "relu"), keras.layers.Dense(64, "relu"), last]
        self.network_ = keras.Sequential(layers)
        self.network_.compile("adam", "sparse_categorical_crossentropy" if self.is_classes else "mse")
        order = np.random.default_rng(self.seed).permutation(len(x))
        stop = keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
        data = np.asarray(x, np.float32)[order], np.asarray(y)[order]
        self.network_.fit(
            *data, epochs=200, batch_size=32, validation_split=0.15, callbacks=[stop], verbose=0
        )
        return self

    def predict_proba(self, x: Any) -> np.ndarray:
        return np.asarray(self.network_.predict(np.asarray(x, np.float32), batch_size=1024, verbose=0))

    def predict(self, x: Any) -> np.ndarray:
        outputs = self.predict_proba(x)
        return self.classes_[outputs.argmax(axis=1)] if self.is_classes else outputs[:, 0]
