"""The spec that a host starts a job with, from the run's row. Pure; the fields are in engine/DESIGN.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Run
from cloudtui_engine.runs import model_jobs
from cloudtui_engine.runs.model_jobs import WEIGHTS

GRACE_S = 30
SAMPLE_S = 2


def common(
    run: Run, dataset: Dataset | None, gpus: Sequence[int] | None, model: Model | None = None
) -> dict[str, Any]:
    """What every job has, whatever it runs."""
    return {
        "gpus": None if gpus is None else list(gpus),
        "grace_s": GRACE_S,
        "sample_s": SAMPLE_S,
        "env": dict(run.spec.get("env") or {}),
        "secrets": {},
        "setup": str(run.spec.get("setup") or ""),
        "cwd": "",
        "packages": [],
        "about": about(run, dataset, model),
    }


@dataclass(frozen=True, slots=True)
class Brought:
    """What lies on the host for a job of the bundled trainer."""

    trainer: str
    """Its folder below the root; of a preparation, that of what reads data."""
    data: str
    """The dataset's folder, absolute; of a preparation, that of all of them."""
    python: str
    """Its path there; empty: the one that serves us."""
    given: str = ""
    """The folder of the model that the job acts on or begins from, absolute."""


def training(run: Run, number: int, there: Brought, model: Model | None = None) -> dict[str, Any]:
    """Training, from the weights of the model in `given` where there is one."""
    weights = f"{there.given}/{WEIGHTS}" if there.given else ""
    content = next((file.sha256 for file in model_jobs.weights(model)), "") if model else ""
    more = {"task": run.task, "model": run.model, "params": dict(run.params), "weights": weights}
    more["weights_sha256"] = content
    return _bundled(run, number, there, more)


def on_model(run: Run, number: int, there: Brought, model: Model) -> dict[str, Any]:
    """An evaluation or a compression of a model."""
    more: dict[str, Any] = {"job": run.kind, "given": there.given, "of": model.label, "task": run.task}
    more["params"] = dict(run.params)
    if run.kind == "evaluate":
        more["split"] = str(run.spec.get("split") or "test")
    return _bundled(run, number, there, more)


def _bundled(run: Run, number: int, there: Brought, more: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "argv": ["{python}", "-u", "-m", "cloudtui_trainer", "{config}"],
        "python": there.python,
        "packages": [there.trainer],
        "config": {"run": run.id, "attempt": number, "name": run.name, "dataset": there.data, **more},
    }


def preparing(run: Run, there: Brought) -> dict[str, Any]:
    """Making a dataset version of what lies on the host; `there.data` is the folder of all versions."""
    return {
        "argv": ["{python}", "-u", "-m", "cloudtui_engine.data.in_place", "{config}"],
        "python": there.python,
        "packages": [there.trainer],
        "config": {
            "run": run.id,
            "name": run.name,
            "dataset": run.spec.get("as"),
            "source": run.spec.get("source"),
            "wishes": dict(run.spec.get("wishes") or {}),
            "data": there.data,
        },
    }


def script(run: Run, *, folder: str, secrets: Mapping[str, str]) -> dict[str, Any]:
    """The user's own command; `folder` is where its files lie below the root, or empty."""
    chosen = str(run.spec.get("python") or "")
    return {
        "argv": _argv(run.spec["command"], python_chosen=bool(chosen)),
        "python": chosen,
        "copy": folder,
        "config": {"run": run.id, "name": run.name},
        "secrets": dict(secrets),
    }


def about(run: Run, dataset: Dataset | None, model: Model | None = None) -> dict[str, Any]:
    """What a catalog that lost this run needs to have it again (`run import --from`)."""
    found: dict[str, Any] = {
        "name": run.name,
        "kind": run.kind,
        "task": run.task,
        "model": run.model,
        "params": dict(run.params),
        "created_at": run.created_at,
        "tags": list(run.tags),
        "note": run.note,
        "spec": {key: value for key, value in run.spec.items() if key != "about"},
    }
    if dataset is not None:
        found["dataset"] = {"name": dataset.name, "version": dataset.version, "sha256": dataset.sha256}
    if model is not None:
        found["of"] = {
            "name": model.name,
            "version": model.version,
            "run": model.run_id,
            "variant": model.variant,
        }
    return found


def _argv(command: Sequence[str], *, python_chosen: bool) -> list[str]:
    """As the host runs it: a bare script gets a python, and the chosen one stands for `python`."""
    first = command[0]
    if first.endswith(".py"):
        return ["{python}", "-u", *command]
    if python_chosen and first in {"python", "python3"}:
        return ["{python}", *command[1:]]
    return list(command)
