"""A machine is no more, by its cloud's word: what was on its way or at work there is lost with it."""

from __future__ import annotations

from cloudtui_engine import kept
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.run import ON_HOST, RunState

TAKEN = "Its machine is gone"
"""How the reason of such an attempt begins."""


def lose(catalog: Catalog, instance_id: str, why: str, at: float) -> list[str]:
    """End what lives on a machine that does not; its own word of another end, read later, beats that.

    In the transaction that writes the machine's end down.

    Args:
        catalog: the catalog.
        instance_id: the machine.
        why: the cloud's word, or ours.
        at: the moment.

    Returns:
        The ids of the runs.
    """
    lost: list[str] = []
    for _, attempt in catalog.runs.on_instance(instance_id):
        if attempt.state.is_finished:
            continue
        run = catalog.runs.get(attempt.run_id)
        found = kept.Kept(catalog.paths, run.id).newest()
        reason = f"{TAKEN} ({why})." + (
            f" {kept.told(found, run.progress)}" if is_begun(attempt.state) else ""
        )
        to = RunState.FAILED if attempt.state is RunState.STAGING else RunState.LOST
        expected = (attempt.state,)
        if catalog.runs.move(run.id, attempt.number, to, expected=expected, ended_at=at, reason=reason):
            lost.append(run.id)
    return lost


def is_begun(state: RunState) -> bool:
    """Whether something of it may have been done there."""
    return state in ON_HOST
