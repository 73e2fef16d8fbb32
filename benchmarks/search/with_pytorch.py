"""PyTorch, alone and under Optuna."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

from numpy.typing import NDArray

from benchmarks.search.records import JUDGED_AT_ONCE, Data, Errand, Report, Space, Structure, Train


def trainer(data: Data, batch_size: int, device: str = "cpu") -> Train:
    """The usual eager loop, one network after another; nothing to compile."""
    import torch

    # on a GPU products of float32 are then as rough, and as fast, as those of JAX
    torch.set_float32_matmul_precision("high")

    def train(structures: Sequence[Structure], n_epochs: int) -> float:
        for structure in structures:
            epochs = _epochs(structure, data, batch_size, device)
            for _ in range(n_epochs):
                next(epochs)
        if device == "cuda":
            torch.cuda.synchronize()
        return 0.0

    return train


trainer_on_gpu = partial(trainer, device="cuda")
"""Model and samples stay on the GPU; nothing is waited for until the end."""


def _epochs(structure: Structure, data: Data, batch_size: int, device: str = "cpu") -> Iterator:
    """The model after each epoch; no `DataLoader`: that would cost more than a small network's step."""
    import torch

    torch.set_num_threads(1)
    x, y = torch.from_numpy(data.x_train).to(device), torch.from_numpy(data.y_train).long().to(device)
    model = _model(structure, data).to(device)
    # fused: the fastest Adam that PyTorch has
    optimizer = torch.optim.Adam(model.parameters(), lr=structure.learning_rate, fused=True)
    while True:
        order = torch.randperm(len(x), device=device)
        for inputs, labels in zip(x[order].split(batch_size), y[order].split(batch_size)):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
        yield model


def _model(structure: Structure, data: Data):
    """Dense layers, each hidden one with its activation and dropout."""
    from torch import nn

    activation = {"relu": nn.ReLU, "tanh": nn.Tanh}[structure.activation]
    layers: list[nn.Module] = []
    for fan, width in pairwise((data.x_train.shape[1], *structure.hidden)):
        layers += [nn.Linear(fan, width), activation()]
        if structure.dropout > 0:
            layers.append(nn.Dropout(structure.dropout))
    return nn.Sequential(*layers, nn.Linear(structure.hidden[-1], data.n_classes))


def _accuracy(model, x: NDArray, y: NDArray) -> float:
    """Share of right answers."""
    import torch

    model.eval()
    with torch.inference_mode():
        answers = [model(chunk).argmax(1) for chunk in torch.from_numpy(x).split(JUDGED_AT_ONCE)]
    model.train()
    return float((torch.cat(answers).numpy() == y).mean())


def search(pruner: str, errand: Errand, report: Report) -> None:
    """TPE over one study in a journal file, this process beside the others; PyTorch trains."""
    import optuna
    import torch

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.manual_seed(errand.seed + errand.index)
    journal = optuna.storages.journal.JournalFileBackend(str(Path(errand.folder) / "journal"))
    study = optuna.create_study(
        study_name="search",
        storage=optuna.storages.JournalStorage(journal),
        load_if_exists=True,
        direction="maximize",
        # constant_liar: so that two processes do not try the same
        sampler=optuna.samplers.TPESampler(seed=errand.seed + errand.index, constant_liar=True),
        pruner={
            "none": optuna.pruners.NopPruner(),
            "median": optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=5),
            "hyperband": optuna.pruners.HyperbandPruner(max_resource=errand.space.n_epochs),
        }[pruner],
    )
    study.optimize(partial(_trial, errand, report, pruner != "none"), n_trials=None)


def _trial(errand: Errand, report: Report, is_pruned: bool, trial) -> float:
    """Train one network; its value is the best accuracy on valid after any epoch."""
    import optuna

    data, best, kept = errand.data, -1.0, {}
    structure = _structure(trial, errand.space)
    model = None
    epochs = _epochs(structure, data, errand.space.batch_size)
    for epoch, model in zip(range(errand.space.n_epochs), epochs):
        valid = _accuracy(model, data.x_valid, data.y_valid)
        if valid > best:
            best, kept = valid, {name: value.clone() for name, value in model.state_dict().items()}
        if is_pruned:
            trial.report(valid, epoch)
            if trial.should_prune():
                raise optuna.TrialPruned()
    assert model is not None
    model.load_state_dict(kept)
    report(best, _accuracy(model, data.x_test, data.y_test))
    return best


def _structure(trial, space: Space) -> Structure:
    """One network, as the study suggests it."""
    width = trial.suggest_categorical("width", space.widths)
    return Structure(
        hidden=(width,) * trial.suggest_int("depth", *space.depths),
        learning_rate=trial.suggest_float("learning_rate", *space.learning_rates, log=True),
        activation=trial.suggest_categorical("activation", space.activations),
        dropout=trial.suggest_float("dropout", *space.dropouts),
    )
