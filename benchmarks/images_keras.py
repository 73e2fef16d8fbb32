"""The network of Keras' own example for pictures (keras.io/examples/vision/mnist_convnet).

Two convolutions, each pooled, dropout of a half, Adam, batches of 128, a tenth of the samples to choose the
epoch by. A process of its own: `python -m benchmarks.images_keras FILE SECONDS`, where FILE is an npz of `x`
(n, height, width, channels), `y`, `x_test` and `y_test`; prints the accuracy on the test samples.
"""

import json
import os
import sys
from time import perf_counter

import numpy as np

_BATCH_SIZE, _VALID_FRACTION = 128, 0.1


def main(path: str, seconds: float) -> None:
    """Train, then judge."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    with np.load(path) as arrays:
        x, y, x_test, y_test = (arrays[name] for name in ("x", "y", "x_test", "y_test"))
    keras.utils.set_random_seed(0)
    began = perf_counter()
    model = keras.Sequential(
        [
            keras.Input(x.shape[1:]),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(int(y.max()) + 1, activation="softmax"),
        ]
    )
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    order = np.random.default_rng(0).permutation(len(y))
    valid, train = np.split(order, [int(_VALID_FRACTION * len(y))])
    best, weights, n_epochs = -1.0, model.get_weights(), 0
    while perf_counter() - began < seconds:
        model.fit(x[train], y[train], batch_size=_BATCH_SIZE, epochs=1, verbose=0)
        n_epochs += 1
        _, accuracy = model.evaluate(x[valid], y[valid], batch_size=_BATCH_SIZE, verbose=0)
        if accuracy > best:
            best, weights = accuracy, model.get_weights()
    model.set_weights(weights)
    said = model.predict(x_test, batch_size=_BATCH_SIZE, verbose=0).argmax(axis=1)
    print(json.dumps({"accuracy": float((said == y_test).mean()), "epochs": n_epochs}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
