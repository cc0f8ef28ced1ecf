"""What is told of a home's money: by machine, by run, by day, with what it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from cloudtui_engine.accounts import Money, money
from cloudtui_engine.bookkeeping import is_disk_unpriced, price_of, running
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.costs import Paid, RunCost
from cloudtui_engine.money import prices
from cloudtui_engine.money.accrual import DISK, ESTIMATED
from cloudtui_engine.money.amounts import begin_of, day_bounds, day_of, month_bounds, ms
from cloudtui_engine.records.instance import Instance

DAYS = 31
"""So many days are told one by one."""


@dataclass(frozen=True, slots=True)
class InstanceCost:
    """What a machine has cost, in micro-dollars."""

    instance: Instance
    rate: int
    """An hour, as it is now; 0 where nothing is paid for it."""
    ground: str
    """Whose price that is, a `money.prices.Ground`; empty: nobody knows one."""
    as_of: str
    """Of which day that price is; empty: it is the user's own word."""
    today: int
    month: int
    total: int
    disks: int
    """Of the total."""
    disk_unpriced: bool
    """What its disk costs is not known, and not in these amounts."""
    estimated: int
    """Of the total: nobody watched then."""
    until_ms: int | None
    """How far that is accounted for."""

    @property
    def id(self) -> str:
        """The machine's."""
        return self.instance.id

    @property
    def name(self) -> str:
        """The machine's."""
        return self.instance.name


@dataclass(frozen=True, slots=True)
class DayCost:
    """What a day has cost, in micro-dollars."""

    day: date
    cost: int
    machines: int
    """So many were paid for."""
    estimated: int
    """Of the cost: nobody watched then."""

    @property
    def id(self) -> str:
        """`2026-11-21`."""
        return self.day.isoformat()

    @property
    def name(self) -> str:
        """The same."""
        return self.day.isoformat()


@dataclass(frozen=True, slots=True)
class Statement:
    """How a home stands, and where its money went."""

    now: float
    money: Money
    total: int
    """Micro-dollars since there are books."""
    instances: tuple[InstanceCost, ...]
    """What costs most first; those that have no price are not among them."""
    runs: tuple[RunCost, ...]
    """The newest first."""
    in_runs: int
    """Of the total: all runs together. The rest is time in which machines had no run."""
    days: tuple[DayCost, ...]
    """The newest first, without a gap, this day included."""
    snapshot_as_of: str
    """Of which day the bundled prices are."""

    @property
    def idle(self) -> int:
        """Of the total: nothing ran."""
        return max(0, self.total - self.in_runs)


def statement(catalog: Catalog, now: float, *, runs: int = 500) -> Statement:
    """All that is told of the money, of one moment of the catalog.

    Args:
        catalog: where the books are.
        now: the moment.
        runs: at most so many runs.
    """
    with catalog.read():
        paid = catalog.costs.paid()
        today = day_of(ms(now))
        return Statement(
            now,
            money(catalog, now),
            sum(one.interval.cost() for one in paid),
            _instances(catalog, paid, today),
            tuple(catalog.costs.runs(runs)),
            catalog.costs.of_runs(),
            _days(paid, today),
            prices.bundled().as_of,
        )


def _instances(catalog: Catalog, paid: list[Paid], today: date) -> tuple[InstanceCost, ...]:
    by_machine: dict[str, list[Paid]] = {}
    for one in paid:
        by_machine.setdefault(one.instance_id, []).append(one)
    found = []
    for instance in catalog.instances.list(include_forgotten=True):
        price = None if instance.is_gone or instance.forgotten_at else price_of(catalog, instance)
        if instance.id in by_machine or price is not None:
            found.append(_instance(catalog, instance, price, by_machine.get(instance.id, []), today))
    return tuple(sorted(found, key=lambda one: (-one.total, -one.rate, one.name)))


def _instance(
    catalog: Catalog, instance: Instance, price: prices.Found | None, paid: list[Paid], today: date
) -> InstanceCost:
    intervals = [one.interval for one in paid]
    day, month = day_bounds(today), month_bounds(today)
    rate = 0 if instance.forgotten_at is not None else sum(running(catalog, instance).values())
    return InstanceCost(
        instance, rate, price.ground if price else "", price.as_of if price else "",
        today=sum(one.cost(*day) for one in intervals),
        month=sum(one.cost(*month) for one in intervals),
        total=sum(one.cost() for one in intervals),
        disks=sum(one.cost() for one in intervals if one.what == DISK),
        disk_unpriced=is_disk_unpriced(catalog, instance),
        estimated=sum(one.cost() for one in intervals if one.ground == ESTIMATED),
        until_ms=max((one.ended_ms for one in intervals), default=None),
    )  # fmt: skip


def _days(paid: list[Paid], today: date) -> tuple[DayCost, ...]:
    """The newest days, back to the first of which there are books."""
    if not paid:
        return ()
    first = max(day_of(min(one.interval.started_ms for one in paid)), today - timedelta(days=DAYS - 1))
    days = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    bounds = [begin_of(day) for day in [*days, today + timedelta(days=1)]]
    recent = [one for one in paid if one.interval.ended_ms > bounds[0]]
    found = []
    for day, (begin, end) in zip(days, pairwise(bounds), strict=True):
        there = [(one, cost) for one in recent if (cost := one.interval.cost(begin, end))]
        found.append(
            DayCost(
                day,
                sum(cost for _, cost in there),
                len({one.instance_id for one, _ in there}),
                sum(cost for one, cost in there if one.interval.ground == ESTIMATED),
            )
        )
    return tuple(reversed(found))
