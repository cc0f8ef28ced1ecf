"""A new run put into the catalog and its first attempt asked for, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import Run
from cloudtui_engine.runs import model_jobs


def create(catalog: Catalog, run: Run, instance_ids: Sequence[str]) -> Run:
    """Keep a run with its tags and ask for its first attempt.

    Raises:
        RefusedError: its dataset was read in place on another machine, or a machine of it is gone or to go.
    """
    if run.dataset_id:
        dataset = catalog.datasets.get(run.dataset_id)
        for instance_id in instance_ids:
            model_jobs.check_place(dataset, catalog.instances.get(instance_id).name)
    with catalog.write("run", "operation"):
        for instance_id in instance_ids:
            check_stays(catalog, instance_id)
        created = catalog.runs.create(run, instance_ids)
        if run.tags:
            catalog.runs.tag(run.id, add=run.tags)
        submit_start(catalog, run.id, 1)
    return created


def check_stays(catalog: Catalog, instance_id: str) -> None:
    """See that a job may begin on a machine.

    In the transaction that queues the job: who ends the machine at the same time sees the job, or is seen.

    Raises:
        RefusedError: it is gone, or is to be stopped or ended.
    """
    machine = catalog.instances.get(instance_id)
    if machine.is_gone or machine.wanted == "terminated":
        state = machine.cloud_state if machine.is_gone else "being terminated"
        raise RefusedError(f"{machine.name} is {state}.", "Choose another machine.", code="gone")
    if machine.wanted == "stopped":
        raise RefusedError(
            f"{machine.name} is stopped, or about to be.",
            f"Start it: cloudtui instance start {machine.name}",
            code="stopped",
        )


def submit_start(catalog: Catalog, run_id: str, attempt: int) -> Operation:
    """The operation that brings an attempt to its host."""
    return catalog.operations.submit(
        "run.start", run_id, {"attempt": attempt}, f"run.start:{run_id}:{attempt}"
    )


def free_name(catalog: Catalog, wanted: str) -> str:
    """`wanted-N` with the first N that no run has."""
    stem, _, number = wanted.rpartition("-")
    base = stem if stem and number.isdigit() else wanted
    return catalog.runs.free_name(base)
