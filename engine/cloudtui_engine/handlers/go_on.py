"""`instance.replace`, `run.resume`: a machine in the place of a lost one, and what was cut off there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui_engine import kept
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.fleet import commands, spot
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.runs.commands import resume as resume_run


def replace(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Ask for the machine again, as far as that needs nobody's yes.

    Returns:
        `{"instance"}`: the new one; null where somebody has replaced or forgotten the lost one.

    Raises:
        RefusedError: a budget forbids it. A person is told, who may free some and ask for it.
    """
    catalog = context.catalog
    lost = catalog.instances.get(operation.target)
    if lost.forgotten_at is not None:
        return {"instance": None}
    try:
        made = commands.submit_replacement(
            catalog, context.paths, lost, now=context.clock.now(), by_itself=True
        )
    except RefusedError as error:
        text = f"It is not replaced. {error.message} {error.hint} Then: cloudtui instance replace {lost.name}"
        catalog.notices.tell("launch", f"replace:{lost.id}", lost.name, text)
        raise
    return {"instance": made.id}


def resume(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Another attempt of a run that was cut off, on the machine in the place of its own.

    Returns:
        `{"attempt"}`: its number; null where the run went on otherwise, or has another end by now.

    Raises:
        RefusedError: that machine is gone, too, or is to be ended.
    """
    catalog, run_id = context.catalog, operation.target
    machine = catalog.instances.get(str(operation.args["instance"]))
    with catalog.write("run", "operation"):
        lost = spot.places(catalog, machine)[1:]
        if spot.CutOff(run_id, int(operation.args["attempt"])) not in spot.cut_off(catalog, lost):
            return {"attempt": None}
        run = catalog.runs.get(run_id)
        told = kept.told(kept.Kept(context.paths, run_id).newest(), run.progress)
        made = resume_run(catalog, run, dict.fromkeys(lost, machine.id))
        where = machine.zone or machine.region
        catalog.events.add(
            run_id,
            "warning",
            "goes_on",
            f"Its machine was taken back. It goes on on {machine.name} ({where}). {told}",
        )
    return {"attempt": made.attempt}
