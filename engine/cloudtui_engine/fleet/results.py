"""What would be lost with a machine: what is nowhere else, and the work of runs that are at it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cloudtui_engine import kept
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import Attempt, RunState

_SHOWN = 6
_GO_ON = frozenset({"train", "script", "compress"})
"""Kinds of jobs that go on from what they saved; others begin anew wherever they are."""
_ENDED_EARLY = frozenset({RunState.STOPPED, RunState.FAILED, RunState.LOST})


@dataclass(frozen=True, slots=True)
class AtStake:
    """A run of which something lies on the machine alone; or a version of a dataset that does."""

    run_id: str
    """Of the run, or of the dataset."""
    name: str
    files: int
    """Results that are not on this machine."""
    is_live: bool
    checkpoint: bool = False
    """It could go on from what it saved there, which is not on this machine."""
    is_data: bool = False

    def __str__(self) -> str:
        if self.is_live:
            return f"{self.name} (still running)"
        if self.is_data:
            return f"{self.name} (the only copy of this data)"
        files = f"{self.files} {'file' if self.files == 1 else 'files'}" if self.files else ""
        saved = "its checkpoint" if self.checkpoint else ""
        return f"{self.name} ({' and '.join(part for part in (files, saved) if part)})"


def at_stake(catalog: Catalog, instance_id: str) -> list[AtStake]:
    """What would be lost with this machine, the oldest run first, then data; deleted runs do not count."""
    found: dict[str, AtStake] = {}
    for name, attempt in catalog.runs.on_instance(instance_id):
        before = found.get(attempt.run_id, AtStake(attempt.run_id, name, 0, is_live=False))
        files = before.files + _only_there(catalog, attempt, instance_id)
        is_live = before.is_live or not attempt.state.is_finished
        saved = before.checkpoint or _has_saved_there(catalog, attempt, instance_id)
        found[attempt.run_id] = AtStake(attempt.run_id, name, files, is_live, saved)
    runs = [one for one in found.values() if one.files or one.is_live or one.checkpoint]
    data = [
        AtStake(one.id, f"{one.name}@{one.version}", 0, is_live=False, is_data=True)
        for one in catalog.datasets.lying_only_on(instance_id)
    ]
    return runs + data


def _only_there(catalog: Catalog, attempt: Attempt, instance_id: str) -> int:
    """Files of an attempt that are not here; of several machines the first has them."""
    if attempt.instance_id != instance_id:
        return 0
    files = catalog.runs.artifacts(attempt.run_id, attempt.number)
    return sum(one.local is None or not catalog.paths.file(one.sha256).is_file() for one in files)


def _has_saved_there(catalog: Catalog, attempt: Attempt, instance_id: str) -> bool:
    """Whether its run could go on from what it saved there, as far as is known, and that is not here.

    What was stopped has saved itself, if it could; what failed or was lost may have since it first logged
    something. Where `run.keep` has come to its end, all that there was is here.
    """
    is_there = attempt.instance_id == instance_id and attempt.started_at is not None
    if attempt.state not in _ENDED_EARLY or not is_there:
        return False
    run = catalog.runs.get(attempt.run_id)
    newest = max(one.number for one in catalog.runs.attempts(run.id) if one.started_at is not None)
    may_have_saved = attempt.state is RunState.STOPPED or bool(run.metrics)
    if run.kind not in _GO_ON or newest != attempt.number or not may_have_saved:
        return False
    brought = catalog.operations.newest("run.keep", run.id, {"attempt": attempt.number})
    if brought is None:
        return True
    return bool(brought.result.get("files")) and kept.Kept(catalog.paths, run.id).newest() is None


def check_named(
    catalog: Catalog,
    instance: Instance,
    named: Collection[str],
    *,
    bring: str = "Bring them here (cloudtui run pull RUN)",
) -> None:
    """See that everything that would be lost with a machine was named.

    Args:
        catalog: the catalog.
        instance: the machine.
        named: names or ids of runs, and of datasets.
        bring: how results are saved, to be said where something was not named.

    Raises:
        RefusedError: something was not; the message names it.
    """
    left = [one for one in at_stake(catalog, instance.id) if not {one.name, one.run_id} & set(named)]
    if not left:
        return
    shown = ", ".join(str(one) for one in left[:_SHOWN]) + (", ..." if len(left) > _SHOWN else "")
    saved = next(
        (f" It can go on there: cloudtui run resume {one.name}." for one in left if one.checkpoint), ""
    )
    raise RefusedError(
        f"{instance.name} alone has: {shown}.",
        f"{bring}, or name what may be lost (--lose).{saved}",
        code="unpulled",
    )
