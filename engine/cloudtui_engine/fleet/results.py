"""What would be lost with a machine: results that are not here, and runs that still work on it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import Attempt

_SHOWN = 6


@dataclass(frozen=True, slots=True)
class AtStake:
    """A run of which something lies on the machine alone."""

    run_id: str
    name: str
    files: int
    """Results that are not on this machine."""
    is_live: bool

    def __str__(self) -> str:
        if self.is_live:
            return f"{self.name} (still running)"
        return f"{self.name} ({self.files} {'file' if self.files == 1 else 'files'})"


def at_stake(catalog: Catalog, instance_id: str) -> list[AtStake]:
    """What would be lost with this machine, the oldest run first; deleted runs do not count."""
    found: dict[str, AtStake] = {}
    for name, attempt in catalog.runs.on_instance(instance_id):
        before = found.get(attempt.run_id, AtStake(attempt.run_id, name, 0, is_live=False))
        files = before.files + _only_there(catalog, attempt, instance_id)
        is_live = before.is_live or not attempt.state.is_finished
        found[attempt.run_id] = AtStake(attempt.run_id, name, files, is_live)
    return [one for one in found.values() if one.files or one.is_live]


def _only_there(catalog: Catalog, attempt: Attempt, instance_id: str) -> int:
    """Files of an attempt that are not here; of several machines the first has them."""
    if attempt.instance_id != instance_id:
        return 0
    files = catalog.runs.artifacts(attempt.run_id, attempt.number)
    return sum(one.local is None or not catalog.paths.file(one.sha256).is_file() for one in files)


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
        named: names or ids of runs.
        bring: how results are saved, to be said where something was not named.

    Raises:
        RefusedError: something was not; the message names it.
    """
    left = [one for one in at_stake(catalog, instance.id) if not {one.name, one.run_id} & set(named)]
    if not left:
        return
    shown = ", ".join(str(one) for one in left[:_SHOWN]) + (", ..." if len(left) > _SHOWN else "")
    raise RefusedError(
        f"{instance.name} alone has the results of: {shown}.",
        f"{bring}, or name the runs whose results may be lost.",
        code="unpulled",
    )
