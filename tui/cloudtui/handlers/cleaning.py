"""Removing from a machine what is not needed there any more."""

from __future__ import annotations

from dataclasses import dataclass

from cloudtui.handlers import instance as instances
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.records.operation import Operation


@dataclass(frozen=True, slots=True)
class Entry:
    """A folder there, whether it may go (or has gone), and why."""

    name: str
    size_bytes: int
    goes: bool
    why: str


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What lies on a machine."""

    instance: str
    entries: tuple[Entry, ...]
    untouched: tuple[str, ...]
    """Names in the folder that are none of ours."""
    removed: int | None
    """How many have gone; None where nothing was to go."""
    bytes: int
    """What may go, or has gone."""


def clean(session: Session, instance: str, dry_run: bool = False, yes: bool = False) -> Cleaning:
    """List what may go; with `yes` remove that.

    Raises:
        RefusedError: something may go, and nobody has said yes.
    """
    from cloudtui_engine import operations

    machine = instances.find(session, instance)
    looked = session.finish(operations.submit(session.catalog, "instance.clean", machine.id, {}))
    found = _cleaning(machine.name, looked)
    going = [entry.name for entry in found.entries if entry.goes]
    if dry_run or not going:
        return found
    if not yes:
        raise RefusedError(
            f"{len(going)} things may go from {machine.name}: {found.bytes / 1e6:,.1f} MB.",
            "See them with --dry-run, and remove them with --yes.",
            code="needs_yes",
        )
    arguments = {"remove": going}
    removed = operations.submit(session.catalog, "instance.clean", machine.id, arguments)
    return _cleaning(machine.name, session.finish(removed))


def _cleaning(name: str, operation: Operation) -> Cleaning:
    result = operation.result
    entries = tuple(
        Entry(one["name"], one["size_bytes"], one["goes"], one["why"]) for one in result["entries"]
    )
    return Cleaning(name, entries, tuple(result["untouched"]), result["removed"], result["bytes"])
