"""Which models a job can act on, on which data, and where. Pure: what only the job can know, the job says."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui_engine.errors import RefusedError, UsageError
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Artifact

WEIGHTS = "model.safetensors"
_REPORT = "report.json"


def files(model: Model) -> list[Artifact]:
    """What a job is given of a model: its files `model.*` and its report."""
    return [file for file in model.files if file.name == _REPORT or _is_model(file)]


def weights(model: Model) -> list[Artifact]:
    """What a training begins from."""
    return [file for file in model.files if file.name == WEIGHTS]


def check_weights(model: Model, dataset: Dataset) -> None:
    """See that a training on a dataset can begin from this model.

    Raises:
        RefusedError: it has no weights, or learned from data of another kind.
    """
    _check_kind(model, dataset)
    if not weights(model):
        raise RefusedError(
            f"{model.label} has no {WEIGHTS} to begin from.",
            "Choose a model that the bundled trainer trained: cloudtui model list",
            code="no_weights",
        )


def check_place(dataset: Dataset, machine: str) -> None:
    """See that a machine has a dataset version, or can be sent it from here.

    Raises:
        RefusedError: it was read in place on another machine.
    """
    if not dataset.is_here and machine not in dataset.instances:
        hint = "Copy its source to this machine and add it from here."
        if dataset.instances:
            hint = f"Use it there (--on {dataset.instances[0]}), or: {hint[0].lower()}{hint[1:]}"
        raise RefusedError(
            f"{dataset.name} v{dataset.version} lies {dataset.only_on}: it was read there in place.",
            hint,
            code="elsewhere",
        )


def check_evaluation(model: Model, dataset: Dataset, split: str) -> None:
    """See that a model may be measured on a split.

    Raises:
        RefusedError: it has no files, or learned another task.
        UsageError: there is no such split.
    """
    _check(model, dataset)
    if dataset.splits and not dataset.splits.get(split):
        there = ", ".join(name for name, rows in dataset.splits.items() if rows) or "none"
        raise UsageError(f"{dataset.name} has no split {split!r}.", f"It has: {there}.")


def check_compression(model: Model, dataset: Dataset, max_drop: float) -> None:
    """See that a model may be made smaller.

    Raises:
        RefusedError: it has no files, learned another task or predicts numbers, or is a variant already.
        UsageError: `max_drop` is none.
    """
    _check(model, dataset)
    check_max_drop(max_drop)
    if model.variant:
        raise RefusedError(
            f"{model.label} is a variant already.", f"Compress what it was made from: {model.parent}",
            code="is_variant",
        )  # fmt: skip
    if (dataset.manifest.get("target") or {}).get("kind") == "number":
        raise _only_a_number(model, dataset)


def check_max_drop(points: float) -> None:
    """See that so much accuracy can be lost.

    Raises:
        UsageError: it cannot.
    """
    if not math.isfinite(points) or not 0.01 <= points <= 50:
        raise UsageError(
            f"--max-drop {points:g} is none.", "Give points of accuracy from 0.01 to 50, for instance 0.5."
        )


def check_follows(jobs: Sequence[Mapping[str, Any]], dataset: Dataset) -> None:
    """See that what is to follow a training on a dataset can, before the hours that it takes.

    Raises:
        RefusedError: a compression is to follow, and the dataset has a number to predict.
    """
    target = (dataset.manifest.get("target") or {}).get("kind")
    if target == "number" and any(job.get("job") == "compress" for job in jobs):
        raise RefusedError(
            f"{dataset.name} has a number to predict; compression is judged by accuracy, which only classes"
            " have.",
            "Leave out --then compress.",
            code="regression",
        )


def _only_a_number(model: Model, dataset: Dataset) -> RefusedError:
    why = "compression is judged by accuracy, which only classes have."
    if dataset.name != model.dataset:
        hint = "Name a dataset of classes with --dataset."
        return RefusedError(f"{dataset.name} has a number to predict; {why}", hint, code="regression")
    hint = f"Evaluate it instead: cloudtui model evaluate {model.label}"
    return RefusedError(f"{model.label} predicts a number; {why}", hint, code="regression")


def _check(model: Model, dataset: Dataset) -> None:
    if not any(_is_model(file) for file in model.files):
        raise RefusedError(
            f"{model.label} has no files.",
            f"See what its run left: cloudtui run show {model.run_id}",
            code="no_files",
        )
    _check_kind(model, dataset)


def _check_kind(model: Model, dataset: Dataset) -> None:
    if model.task and dataset.task != model.task:
        raise RefusedError(
            f"{model.label} learned from {model.task} data, and {dataset.name} is {dataset.task} data.",
            "Name a dataset of its kind with --dataset.",
            code="incompatible",
        )


def _is_model(file: Artifact) -> bool:
    return file.name.startswith("model.")


def missing(found: Sequence[Artifact]) -> list[Artifact]:
    """Those that are not on this machine."""
    return [file for file in found if file.local is None]
