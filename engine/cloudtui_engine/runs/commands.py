"""What a person may do with runs: rows and one operation, in one transaction. None talks to a host."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError, UsageError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import PULL_POLICIES, Run, RunState
from cloudtui_engine.runs import model_jobs, pull_policy, queueing, script_folder
from cloudtui_engine.sanitize import clean_line

FIRST_MODELS = {"image": "cnn", "tabular": "mlp"}
"""What is trained for a task where no architecture is named."""


def start_training(
    catalog: Catalog,
    *,
    dataset: Dataset,
    instances: Sequence[Instance],
    task: str | None = None,
    model: str | None = None,
    params: Mapping[str, Any],
    name: str | None = None,
    gpus: str = "auto",
    weights: Model | None = None,
    pull: str = "best",
    pull_max: int = pull_policy.MAX_BYTES,
    then: Sequence[Mapping[str, Any]] = (),
) -> Run:
    """A new run of the bundled trainer, queued.

    Args:
        catalog: where it is kept.
        dataset: what it learns from.
        instances: where it runs.
        task: default: the dataset's.
        model: the architecture; default: that of the `weights`, else the trainer's for the task.
        params: hyperparameters.
        name: default: made up.
        gpus: `auto`, indices or how many.
        weights: a model whose weights it begins from.
        pull: what is brought here when it has ended: `none`, `best` or `all`.
        pull_max: no more bytes than these are brought here by themselves.
        then: jobs on its model once it has succeeded, see `follow_up.plan`.

    Raises:
        RefusedError: the model has no weights that a training on this dataset can begin from, or what is to
            follow cannot.
        UsageError: there is no such pull policy, or the dataset is for another task.
    """
    if pull not in PULL_POLICIES:
        raise UsageError(f"There is no pull policy {pull!r}.", f"Choose one of {', '.join(PULL_POLICIES)}.")
    chosen_task = task or dataset.task
    if dataset.task and chosen_task != dataset.task:
        raise UsageError(
            f"{dataset.name} is {dataset.task} data, not {clean_line(chosen_task, 40)}.", "Leave out --task."
        )
    model_jobs.check_follows(then, dataset)
    if weights is not None:
        model_jobs.check_weights(weights, dataset)
        model = model or weights.architecture
    architecture = model or FIRST_MODELS.get(chosen_task, chosen_task)
    return queueing.create(
        catalog,
        Run(
            id=new_id(),
            name=name or queueing.free_name(catalog, f"{dataset.name}-{architecture}"),
            kind="train",
            status=RunState.QUEUED,
            attempt=1,
            instances=(),
            dataset=dataset.name,
            dataset_id=dataset.id,
            task=chosen_task,
            model=architecture,
            params=dict(params),
            spec={"gpus": gpus, "pull": pull, "pull_max": pull_max, **_then(then)},
            created_at=time.time(),
            model_id=weights.id if weights else None,
        ),
        [instance.id for instance in instances],
    )


def start_evaluation(
    catalog: Catalog,
    *,
    model: Model,
    dataset: Dataset,
    instance: Instance,
    split: str = "test",
    params: Mapping[str, Any] | None = None,
    then: Sequence[Mapping[str, Any]] = (),
) -> Run:
    """A job that measures a model on the rows of a split, queued.

    Raises:
        RefusedError: the model has no files, or learned another task than the dataset's.
        UsageError: the dataset has no such split.
    """
    spec = {"gpus": "auto", "split": split, "pull": "all", **_then(then)}
    model_jobs.check_evaluation(model, dataset, split)
    name = queueing.free_name(catalog, f"{model.name}-evaluate")
    job = _job("evaluate", model, dataset, name, params or {})
    return queueing.create(catalog, replace(job, spec=spec), [instance.id])


def start_compression(
    catalog: Catalog,
    *,
    model: Model,
    dataset: Dataset,
    instance: Instance,
    max_drop: float = 0.5,
    params: Mapping[str, Any] | None = None,
    then: Sequence[Mapping[str, Any]] = (),
) -> Run:
    """A job that makes smaller variants of a model and judges each, queued.

    Args:
        catalog: where it is kept.
        model: what is made smaller.
        dataset: whose rows calibrate, choose and judge.
        instance: where it runs; latencies are of that machine.
        max_drop: how many points of accuracy a variant may lose.
        params: more for the trainer's compression.
        then: jobs on the model after this one.

    Raises:
        RefusedError: the model has no files, is a variant or a regression, or learned another task.
        UsageError: `max_drop` is no share of accuracy.
    """
    model_jobs.check_compression(model, dataset, max_drop)
    chosen = {**(params or {}), "max_drop": max_drop}
    name = queueing.free_name(catalog, f"{model.name}-compress")
    job = _job("compress", model, dataset, name, chosen)
    spec = {"gpus": "auto", "pull": "best", **_then(then)}
    return queueing.create(catalog, replace(job, spec=spec), [instance.id])


def _then(then: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"then": [dict(job) for job in then]} if then else {}


def _job(kind: str, model: Model, dataset: Dataset, name: str, params: Mapping[str, Any]) -> Run:
    """A job on a model version, not kept yet."""
    return Run(
        id=new_id(),
        name=name,
        kind=kind,
        status=RunState.QUEUED,
        attempt=1,
        instances=(),
        dataset=dataset.name,
        dataset_id=dataset.id,
        task=model.task or dataset.task,
        model=model.label,
        params=dict(params),
        created_at=time.time(),
        model_id=model.id,
    )


def start_script(
    catalog: Catalog,
    *,
    instances: Sequence[Instance],
    folder: Path | None,
    command: Sequence[str],
    python: str = "",
    setup: str = "",
    env: Mapping[str, str],
    secrets: Sequence[str],
    name: str | None = None,
    gpus: str | None = None,
) -> Run:
    """A new run of the user's own command, queued; the folder is packed now, as it is now.

    Raises:
        BadInputError: the folder is missing, empty or too large.
    """
    spec: dict[str, Any] = {
        "command": list(command),
        "python": python,
        "setup": setup,
        "env": dict(env),
        "secrets": list(secrets),
        "gpus": gpus,
    }
    if folder is not None:
        spec["folder"] = script_folder.pack(catalog.paths, folder)
    default = next((Path(word).stem for word in command if word.endswith(".py")), Path(command[0]).name)
    return queueing.create(
        catalog,
        Run(
            id=new_id(),
            name=name or queueing.free_name(catalog, default),
            kind="script",
            status=RunState.QUEUED,
            attempt=1,
            instances=(),
            spec=spec,
            created_at=time.time(),
        ),
        [instance.id for instance in instances],
    )


def stop(catalog: Catalog, run: Run) -> Operation:
    """Ask for the newest attempt to end; asking again while that is under way is asking once.

    Raises:
        RefusedError: it has ended.
    """
    if run.status.is_finished:
        raise RefusedError(
            f"{run.name} is not running: it is {run.status}.", "Nothing to stop.", code="not_live"
        )
    with catalog.write("run", "operation"):
        catalog.runs.request_stop(run.id, run.attempt, time.time())
        for asked in catalog.operations.open_for(run.id):
            if asked.kind == "run.stop" and asked.args.get("attempt") == run.attempt:
                return asked
        return catalog.operations.submit("run.stop", run.id, {"attempt": run.attempt})


def resume(catalog: Catalog, run: Run, instead: Mapping[str, str] | None = None) -> Run:
    """Another attempt of a run that ended early, from its newest checkpoint where it has one.

    Args:
        catalog: the catalog.
        run: the run.
        instead: the machine in the place of another, by their ids; the rest stay where they were.

    Raises:
        RefusedError: it is live, it has succeeded, or its machine is gone or to go, or cannot have its data.
    """
    if not run.status.is_finished:
        hint = "Wait for its end." if run.status is RunState.STOPPING else "Stop it first."
        raise RefusedError(f"{run.name} is {run.status}.", hint, code="live")
    if run.status is RunState.SUCCEEDED:
        raise RefusedError(
            f"{run.name} has succeeded.", f"Do it once more: cloudtui run again {run.name}", code="done"
        )
    with catalog.write("run", "operation"):
        before = catalog.runs.attempt(run.id, run.attempt).instance_id
        host = (instead or {}).get(before, before)
        queueing.check_stays(catalog, host)
        if host != before and run.dataset_id:
            model_jobs.check_place(catalog.datasets.get(run.dataset_id), catalog.instances.get(host).name)
        attempt = catalog.runs.add_attempt(run.id, [host], time.time())
        queueing.submit_start(catalog, run.id, attempt.number)
    return catalog.runs.get(run.id)


def again(
    catalog: Catalog, run: Run, params: Mapping[str, Any] | None = None, name: str | None = None
) -> Run:
    """A new run like `run`, with `params` changed."""
    host = catalog.runs.attempt(run.id, run.attempt).instance_id
    changed = {key: value for key, value in {**run.params, **(params or {})}.items() if value is not None}
    fresh = replace(
        run,
        id=new_id(),
        name=name or queueing.free_name(catalog, run.name),
        status=RunState.QUEUED,
        attempt=1,
        params=changed,
        spec={key: value for key, value in run.spec.items() if key != "about"},
        metrics={},
        progress={},
        artifacts=(),
        stale_since=None,
        created_at=time.time(),
        started_at=None,
        ended_at=None,
        duration_s=None,
        cost_usd=None,
        exit_code=None,
        reason="",
        note="",
        deleted_at=None,
    )
    return queueing.create(catalog, fresh, [host])
