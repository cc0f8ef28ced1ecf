"""Whether this machine's clock may end a machine: it is held against what clouds say the time is.

A deadline is a moment by the clock of this machine, and that clock may be set: by three days, forward or
back. What was meant is how much was left. So beside each deadline is kept how far our clock was ahead of the
cloud's when it was said; where it is ahead by something else now, the deadline moves along. And as long as
nobody knows (the clock was set, and the cloud was not heard since), nothing is ended.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet.clock import Clock
from cloudtui_engine.records.instance import Instance
from cloudtui_providers import times
from cloudtui_providers.times import Told

TOLERANCE_S = 120.0
"""Clocks that are no further apart are the same; an answer may have been on its way for a minute."""
FRESH_S = 300.0
"""So long a cloud's word counts; where something lives it is asked every minute."""
SAID = "fleet.deadlines"
"""The setting has, by machine, its deadline, and how far our clock was ahead of its cloud's then."""

Said = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A deadline by the clock as it is now."""

    at: float
    ahead_s: float
    """How far our clock was ahead of the cloud's when it was said, or moved."""


# -- pure


def ahead(told: Told, now: float, steady: float) -> float | None:
    """How far our clock is ahead of a cloud's.

    Args:
        told: what the cloud said last, and our clocks then.
        now: our clock, which may have been set since.
        steady: the one that nobody sets.

    Returns:
        Seconds; None: nobody knows, for that word is old, or our clock was set since.
    """
    passed = steady - told.steady
    was_set = abs(now - told.wall - passed) > TOLERANCE_S / 2
    return told.wall - told.at if 0 <= passed <= FRESH_S and not was_set else None


def reckon(deadline_at: float, said: Sequence[float] | None, ahead_s: float) -> Reckoned:
    """What a deadline is by the clock as it is now.

    Args:
        deadline_at: as it was said.
        said: of which deadline it is known, and how far our clock was ahead then.
        ahead_s: how far it is ahead now.
    """
    if said is None or said[0] != deadline_at:
        return Reckoned(deadline_at, ahead_s)
    moved = ahead_s - said[1]
    return Reckoned(deadline_at + moved, ahead_s) if abs(moved) > TOLERANCE_S else Reckoned(*said)


# -- over the catalog


def by_cloud(provider: str, at: float, clock: Clock) -> float:
    """The same moment by the clock of a cloud, as far as that is known."""
    told = times.told(provider)
    found = None if told is None else ahead(told, clock.now(), clock.steady())
    return at if found is None or abs(found) <= TOLERANCE_S else at - found


def settle(catalog: Catalog, instances: Sequence[Instance], clock: Clock) -> list[Instance]:
    """The machines whose deadlines count now, those moved that our clock was set away from.

    A rented machine is left out while nobody knows whether our clock is right.
    """
    doubted = [one for one in instances if one.is_rented and one.deadline_at is not None and not one.is_gone]
    silent = {name for name in {one.provider for one in doubted} if _tells_no_time(catalog, name)}
    held = [one for one in doubted if one.provider not in silent]
    if not held:
        return list(instances)
    said: Said = catalog.settings.get(SAID, {})
    found = dict(_reckoned(held, said, clock))
    if any(list(said.get(key, ())) != [one.at, one.ahead_s] for key, one in found.items()):
        _keep(catalog, held, found)
    unsure = {one.id for one in held} - set(found)
    return [
        replace(one, deadline_at=found[one.id].at) if one.id in found else one
        for one in instances
        if one.id not in unsure
    ]


def _reckoned(held: Sequence[Instance], said: Said, clock: Clock) -> Iterator[tuple[str, Reckoned]]:
    """Of each machine whose cloud was heard lately."""
    now, steady = clock.now(), clock.steady()
    for one in held:
        told = times.told(one.provider)
        by_cloud = None if told is None else ahead(told, now, steady)
        if by_cloud is not None and one.deadline_at is not None:
            yield one.id, reckon(one.deadline_at, said.get(one.id), by_cloud)


def _keep(catalog: Catalog, held: Sequence[Instance], found: Mapping[str, Reckoned]) -> None:
    """Write it down, of the deadlines that nobody has changed since they were read."""
    with catalog.write("setting", "instance", durable=True):
        said = {key: one for key, one in catalog.settings.get(SAID, {}).items() if key in found}
        for one in held:
            now = found.get(one.id)
            if now is None or catalog.instances.get(one.id).deadline_at != one.deadline_at:
                continue
            said[one.id] = [now.at, now.ahead_s]
            if one.deadline_at is not None and now.at != one.deadline_at:
                catalog.instances.update(one.id, deadline_at=now.at)
                _tell(catalog, one, now.at - one.deadline_at, now.at)
        catalog.settings.set(SAID, said)


def _tell(catalog: Catalog, instance: Instance, by_s: float, at: float) -> None:
    way = "forward" if by_s > 0 else "back"
    when = time.strftime("%d %B %H:%M", time.localtime(at))
    catalog.notices.tell(
        "clock", f"{instance.id}:{int(at)}", "The clock of this machine",
        f"by {timedelta(seconds=round(abs(by_s)))} {way}, as {instance.provider} has it. The deadline of "
        f"{instance.name} moved along, to {when}: it has as much time left as before.",
    )  # fmt: skip


def _tells_no_time(catalog: Catalog, provider: str) -> bool:
    """It has answered this engine, and said nothing of the time: it is taken at this machine's clock."""
    if times.told(provider) is not None:
        return False
    sessions = catalog.engine_sessions.recent(1)
    began = sessions[0].started_at if sessions else 0.0
    looks = catalog.listings.list(provider)
    return not sessions or any(one.complete and one.asked_at >= began for one in looks)
