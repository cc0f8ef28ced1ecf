"""What follows a training: jobs on its model that were asked for when it was started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, UsageError
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Attempt, Run, RunState
from cloudtui_engine.runs import commands, model_jobs

JOBS = ("evaluate", "compress")


def plan(jobs: Sequence[str], max_drop: float) -> list[dict[str, Any]]:
    """What `then` of a run's spec holds: the jobs in their order, one after another.

    Raises:
        UsageError: there is no such job, or no model can lose so much.
    """
    if "compress" in jobs:
        model_jobs.check_max_drop(max_drop)
    for job in jobs:
        if job not in JOBS:
            raise UsageError(f"Nothing called {job!r} can follow a training.", f"Choose: {', '.join(JOBS)}.")
    return [{"job": job, **({"max_drop": max_drop} if job == "compress" else {})} for job in jobs]


def begin(catalog: Catalog, attempt: Attempt, state: RunState) -> Run | None:
    """Queue the next job that a run asked for, if it succeeded; on the machine where that ran.

    For the transaction that stores the end of the attempt: it is queued with that, or not at all.
    """
    run = catalog.runs.get(attempt.run_id)
    # An older attempt that was taken for lost may prove to have succeeded after all: what follows is the
    # newest one's, which follows once.
    is_newest = attempt.number == run.attempt
    if state is not RunState.SUCCEEDED or not is_newest or not (then := run.spec.get("then")):
        return None
    try:
        model = _model_of(catalog, run)
        return _start(catalog, run, model, attempt.instance_id, then) if model else None
    except CloudtuiError as error:
        text = f"{then[0]['job'].capitalize()} could not follow: {error.message}"
        catalog.events.add(run.id, "warning", "not_followed", text, {"hint": error.hint})
        return None


def _start(
    catalog: Catalog, run: Run, model: Model, instance_id: str, then: Sequence[Mapping[str, Any]]
) -> Run:
    job, rest = then[0], list(then[1:])
    dataset = catalog.datasets.get(str(run.dataset_id))
    instance = catalog.instances.get(instance_id)
    if job["job"] == "evaluate":
        return commands.start_evaluation(catalog, model=model, dataset=dataset, instance=instance, then=rest)
    return commands.start_compression(
        catalog, model=model, dataset=dataset, instance=instance, max_drop=float(job["max_drop"]), then=rest
    )


def _model_of(catalog: Catalog, run: Run) -> Model | None:
    """The model that a training made, or that a job acted on."""
    if run.kind in JOBS:
        return catalog.models.get(run.model_id) if run.model_id else None
    return next((model for model in catalog.models.of_run(run.id) if not model.variant), None)
