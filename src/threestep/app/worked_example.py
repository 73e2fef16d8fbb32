"""The worked example as text on stdout: every number of it."""

from typing import Any

from threestep.app.lines import INDENT, in_columns, say
from threestep.study import WorkedExample


def tell_example(worked: WorkedExample) -> None:
    """Every number of the worked example."""
    outputs = worked.layers[-1].a
    print(f"input   {_pair(worked.x)}\n")
    say("step 1  the function: three layers of two sigmoid neurons, z = weights · input + bias")
    rows = [["", "weights", "bias", "z", "output"]]
    for index, (params, output) in enumerate(zip(worked.params, worked.layers, strict=True)):
        for neuron in range(2):
            weights, bias = params["weight"][:, neuron], params["bias"][neuron]
            numbers = f"{bias:.2f}", f"{output.z[neuron]:.4f}", f"{output.a[neuron]:.4f}"
            rows.append([_neuron(index, neuron), _pair(weights), *numbers])
    _tell_rows(rows)
    print(f"\nstep 2  goodness: target {_pair(worked.target)}, output {_pair(outputs)}")
    print(f"{INDENT}cross-entropy loss {worked.loss:.4f}\n")
    say("step 3  the pick: how the loss changes with every param, and one step downhill")
    rows = [["", "gradient: weights", "bias", "then: weights", "bias"]]
    for index, (gradient, stepped) in enumerate(zip(worked.gradient, worked.stepped, strict=True)):
        for neuron in range(2):
            both = [f(each, neuron) for each in (gradient, stepped) for f in (_weights, _bias)]
            rows.append([_neuron(index, neuron), *both])
    _tell_rows(rows)
    print(f"{INDENT}loss after the step (learning rate {worked.learning_rate}): {worked.loss_after:.4f}")


def _tell_rows(rows: list[list[str]]) -> None:
    for line in in_columns(rows):
        print(f"    {line}")


def _weights(layer: Any, neuron: int) -> str:
    return _pair(layer["weight"][:, neuron], 4)


def _bias(layer: Any, neuron: int) -> str:
    return f"{layer['bias'][neuron]:.4f}"


def _neuron(layer_index: int, neuron_index: int) -> str:
    """Which neuron, counted from 1."""
    return f"layer {layer_index + 1} neuron {neuron_index + 1}"


def _pair(values: Any, digits: int = 2) -> str:
    """Two numbers in brackets."""
    return "(" + ", ".join(f"{float(value):{digits + 3}.{digits}f}" for value in values) + ")"
