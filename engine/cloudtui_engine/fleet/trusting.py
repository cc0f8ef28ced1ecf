"""Whether this machine's clock may end a machine: it is held against the steady clock, and against clouds.

A deadline is a moment by the clock of this machine, and that clock may be set: by three days, forward or
back. What was meant is how much was left. So beside each deadline is kept what the clocks were when it was
said. It moves along where our clock was set, by the steady clock and by the cloud, or where several answers
of the cloud say so over minutes: one Date alone, or one that stands still, moves nothing. And as long as
nobody knows (our clock was set, or the machine restarted, and no cloud has confirmed either), nothing is
ended, unless its whole time has gone by on the clock that nobody sets.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, NamedTuple

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
"""The setting has, by machine, its deadline and what the clocks were then, as `Reckoned`."""


class Reckoned(NamedTuple):
    """A deadline by the clock as it is now, and the clocks of when it was said, or moved."""

    at: float
    ahead_s: float
    """How far our clock was ahead of the cloud's."""
    is_sure: bool
    """More than one Date said so: our own clock did, too, or several answers."""
    wall: float
    steady: float

    @property
    def over_at(self) -> float:
        """The second of the steady clock at which its time is up: of a later boot only sooner than that."""
        return self.steady + self.at - self.wall


@dataclass(frozen=True, slots=True)
class Clocks:
    """All that tells the time now."""

    wall: float
    """Ours, which may have been set."""
    steady: float
    """Ours, which nobody sets; another boot begins it anew."""
    told: Told | None = None
    """What the cloud said last."""

    @property
    def ahead_s(self) -> float | None:
        """How far ours is ahead of the cloud's: `ahead`."""
        return None if self.told is None else ahead(self.told, self.wall, self.steady)

    @property
    def is_agreed(self) -> bool:
        """The cloud says so again and again."""
        return self.told is not None and self.told.is_agreed

    @property
    def is_sure(self) -> bool:
        """So it does, or our own clock says the same."""
        found = self.ahead_s
        return found is not None and (abs(found) <= TOLERANCE_S or self.is_agreed)


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


def reckon(deadline_at: float, said: Reckoned | None, clocks: Clocks) -> Reckoned | None:
    """What a deadline is by the clock as it is now; None: nobody knows.

    Args:
        deadline_at: as it was said.
        said: of which deadline it is known what the clocks were then.
        clocks: as they are now.
    """
    wall, steady, ahead_s = clocks.wall, clocks.steady, clocks.ahead_s
    if said is None or said.at != deadline_at:
        return None if ahead_s is None else Reckoned(deadline_at, ahead_s, clocks.is_sure, wall, steady)
    # Another boot looks like this, too: then it means nothing.
    was_set = (wall - said.wall) - (steady - said.steady)
    same = said if abs(was_set) <= TOLERANCE_S else said._replace(wall=wall, steady=steady)
    moved = None if ahead_s is None else ahead_s - said.ahead_s
    if moved is not None and abs(moved) <= TOLERANCE_S:
        return same._replace(is_sure=said.is_sure or clocks.is_sure)
    if moved is not None and _is_to_move(moved, was_set, is_agreed=said.is_sure and clocks.is_agreed):
        # Whatever is told: there is never more left than there was.
        at = min(said.at + moved, wall + said.at - said.wall)
        return Reckoned(at, said.ahead_s + moved, clocks.is_sure, wall, steady)
    if same is not said and steady >= said.over_at:
        return same._replace(at=min(said.at + was_set, wall))
    if ahead_s is not None and clocks.is_sure and not said.is_sure:
        return same._replace(ahead_s=ahead_s, is_sure=True)
    return said if same is said else None


def _is_to_move(moved: float, was_set: float, *, is_agreed: bool) -> bool:
    """Whether the cloud's word is believed: our clock was set by as much, or it says so again and again.

    Later only where our clock was set: by the steady clock no machine lives for longer than was said.
    """
    if abs(was_set) <= TOLERANCE_S:
        return is_agreed and moved < 0
    return is_agreed or abs(moved - was_set) <= TOLERANCE_S


# -- over the catalog


def by_cloud(provider: str, at: float, clock: Clock) -> float:
    """The same moment by the clock of a cloud, as far as several of its answers tell that."""
    told = times.told(provider)
    found = None if told is None or not told.is_several else ahead(told, clock.now(), clock.steady())
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
    said = _said(catalog)
    found = dict(_reckoned(held, said, clock))
    if any(said.get(key) != one for key, one in found.items()):
        _keep(catalog, held, found)
    unsure = {one.id for one in held} - set(found)
    return [
        replace(one, deadline_at=found[one.id].at) if one.id in found else one
        for one in instances
        if one.id not in unsure
    ]


def _said(catalog: Catalog) -> dict[str, Reckoned]:
    """What is kept; what an older version kept says too little, and begins anew."""
    kept: Mapping[str, Sequence[Any]] = catalog.settings.get(SAID, {})
    return {key: Reckoned(*one) for key, one in kept.items() if len(one) == len(Reckoned._fields)}


def _reckoned(
    held: Sequence[Instance], said: Mapping[str, Reckoned], clock: Clock
) -> Iterator[tuple[str, Reckoned]]:
    """Of each machine of which somebody knows."""
    now, steady = clock.now(), clock.steady()
    for one in held:
        if one.deadline_at is not None:
            clocks = Clocks(now, steady, times.told(one.provider))
            found = reckon(one.deadline_at, said.get(one.id), clocks)
            if found is not None:
                yield one.id, found


def _keep(catalog: Catalog, held: Sequence[Instance], found: Mapping[str, Reckoned]) -> None:
    """Write it down, of the deadlines that nobody has changed since they were read."""
    with catalog.write("setting", "instance", durable=True):
        ids = {one.id for one in held}
        said = {key: one for key, one in _said(catalog).items() if key in ids}
        for one in held:
            now = found.get(one.id)
            if now is None or catalog.instances.get(one.id).deadline_at != one.deadline_at:
                continue
            said[one.id] = now
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
