"""The area of machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from cloudtui import format as fmt
from cloudtui import standing
from cloudtui.areas.area import Area
from cloudtui.areas.instances.detail import InstanceDetail
from cloudtui.areas.instances.machine import Machine
from cloudtui.areas.instances.rentals import Rentals, priced, rentals, spent_today
from cloudtui.areas.instances.rows import COLUMNS, instance_row
from cloudtui.areas.parts import Detail, Listing, Request
from cloudtui.bridge import Bridge
from cloudtui.widgets.table import Row
from cloudtui_engine import accounts, lock
from cloudtui_engine.money.amounts import dollars
from cloudtui_engine.records.instance import LOCAL, Instance, LinkState
from cloudtui_engine.records.run import Run


@dataclass(frozen=True, slots=True)
class Around:
    """What else is read with the machines: runs on them, what is under way, what they cost, who watches."""

    runs: tuple[Run, ...] = ()
    watched: bool = True
    rentals: Rentals = field(default_factory=Rentals)
    today: Mapping[str, float] = field(default_factory=dict)
    """US dollars, by machine."""


class InstancesArea(Area):
    """All machines, this one first, and one of them."""

    ID = "instances"
    NOUN = "instance"
    TITLE = "Instances"
    COLUMNS = COLUMNS
    TOPICS: ClassVar[frozenset[str]] = frozenset({"instance", "run", "engine", "cost"})
    EMPTY = (
        "No machines",
        "A machine is where runs go: one of yours over SSH, or this one.",
        "+ add a machine",
    )

    def make_detail(self) -> Detail:
        """Tabs of one machine."""
        return InstanceDetail(self.bridge, self.machine)

    @classmethod
    def fetch(cls, bridge: Bridge, request: Request) -> Listing:
        """All machines and the live runs on each."""
        catalog = bridge.catalog
        under = rentals(catalog, bridge.now())
        everything = priced(catalog, [*catalog.instances.list(), *under.failed])
        found = [i for i in everything if request.filter.lower() in i.name.lower()]
        found.sort(key=lambda instance: (instance.name != LOCAL, instance.created_at))
        runs = [catalog.runs.get(attempt.run_id) for attempt in catalog.runs.open_attempts()]
        rate = accounts.rate(catalog, bridge.now())
        lost = (
            f"⚠ {under.orphans} {'orphan' if under.orphans == 1 else 'orphans'} (o)" if under.orphans else ""
        )
        notes = (f"${fmt.money(dollars(rate))}/h" if rate else "", lost)
        around = Around(tuple(runs), lock.is_held(bridge.paths), under, spent_today(catalog, bridge.now()))
        return Listing(found, 0, len(found), " · ".join(one for one in notes if one), extra=around)

    def row(self, record: Instance, now: float) -> Row:
        """A machine as cells."""
        return instance_row(self.machine(record), now)

    def machine(self, record: Instance) -> Machine:
        """A machine with what goes on around it."""
        around = self.listing.extra if self.listing else None
        around = around if isinstance(around, Around) else Around()
        launch = around.rentals.launches.get(record.id)
        return Machine(
            record,
            tuple(run for run in around.runs if record.name in run.instances),
            around.watched,
            launch,
            around.rentals.attempts.get(launch.id) if launch is not None else None,
            around.today.get(record.id),
        )

    def freshness(self, now: float) -> tuple[str, str]:
        """When something was last heard of any machine with a link."""
        machines = self.listing.records if self.listing else ()
        heard = [i.seen_at for i in machines if i.link_state is LinkState.SILENT and i.name != LOCAL]
        silent = [at for at in heard if at is not None]
        if silent:
            return f"{len(silent)} silent, oldest {fmt.since(min(silent), now)}", "warn"
        linked = [i for i in machines if i.seen_at is not None and i.link_state is LinkState.UP]
        listed = [i.cloud_seen_at for i in machines if i.cloud_seen_at is not None and not i.is_gone]
        if not linked and listed:
            old = now - min(listed) > standing.OLD_S
            return f"clouds seen {fmt.since(min(listed), now)} ago", "warn" if old else "muted"
        if not linked:
            return "", "muted"
        watched = self.machine(linked[0]).watched
        return f"seen {fmt.since(max(i.seen_at for i in linked), now)} ago", "muted" if watched else "warn"
