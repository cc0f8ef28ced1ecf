"""The spec that a host starts a job with, from the run's row. Pure; the fields are in engine/DESIGN.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.run import Run

GRACE_S = 30
SAMPLE_S = 2


def common(run: Run, dataset: Dataset | None, gpus: Sequence[int] | None) -> dict[str, Any]:
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
        "about": about(run, dataset),
    }


def training(run: Run, number: int, *, trainer: str, data: str, python: str) -> dict[str, Any]:
    """The bundled trainer; `trainer` is its folder below the root, `data` the dataset's, absolute."""
    return {
        "argv": ["{python}", "-u", "-m", "cloudtui_trainer", "{config}"],
        "python": python,
        "packages": [trainer],
        "config": {
            "run": run.id,
            "attempt": number,
            "name": run.name,
            "dataset": data,
            "task": run.task,
            "model": run.model,
            "params": dict(run.params),
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


def about(run: Run, dataset: Dataset | None) -> dict[str, Any]:
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
    return found


def _argv(command: Sequence[str], *, python_chosen: bool) -> list[str]:
    """As the host runs it: a bare script gets a python, and the chosen one stands for `python`."""
    first = command[0]
    if first.endswith(".py"):
        return ["{python}", "-u", *command]
    if python_chosen and first in {"python", "python3"}:
        return ["{python}", *command[1:]]
    return list(command)
