"""What is under way in clouds, as the list of machines needs it. Read in a thread, with the list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.money.amounts import day_bounds, day_of, dollars, ms
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Launch, LaunchAttempt

FAILED_S = 3600.0
"""A launch that failed stays on the list for so long, or until its name is used again."""
_LAUNCHED = "installation.id"
"""The setting that there is from the first launch on: without it nothing has to be read."""


@dataclass(frozen=True, slots=True)
class Rentals:
    """Launches that are not over or have failed of late, and machines that nothing speaks of."""

    launches: Mapping[str, Launch] = field(default_factory=dict)
    """By the machine's id."""
    attempts: Mapping[str, LaunchAttempt] = field(default_factory=dict)
    """The newest request of each of these launches, by the launch's id."""
    failed: tuple[Instance, ...] = ()
    """Machines that never came to be."""
    orphans: int = 0


def rentals(catalog: Catalog, now: float) -> Rentals:
    """Read it; nothing where nothing was ever launched."""
    if not catalog.settings.get(_LAUNCHED):
        return Rentals()
    failed = catalog.launches.failed(now - FAILED_S)
    launches = {one.instance_id: one for one in [*failed, *catalog.launches.open()]}
    attempts = {one.id: catalog.launches.attempts(one.id) for one in launches.values()}
    return Rentals(
        launches,
        {key: found[-1] for key, found in attempts.items() if found},
        _never_made(catalog, failed),
        len(catalog.orphans.list()),
    )


def _never_made(catalog: Catalog, failed: list[Launch]) -> tuple[Instance, ...]:
    """The newest of each name, where no machine has that name now."""
    taken = {one.name for one in catalog.instances.list()} if failed else set()
    found: dict[str, Instance] = {}
    for launch in failed:
        instance = catalog.instances.get(launch.instance_id)
        if instance.forgotten_at is not None and instance.name not in taken:
            found[instance.name] = instance
    return tuple(found.values())


def priced(catalog: Catalog, instances: Iterable[Instance]) -> list[Instance]:
    """With the price that the books take for each rented machine whose row has none."""
    return [_priced(catalog, one) if one.is_rented and one.price_usd_per_hour is None else one
            for one in instances]  # fmt: skip


def _priced(catalog: Catalog, one: Instance) -> Instance:
    from cloudtui_engine.bookkeeping import price_of

    found = price_of(catalog, one)
    return one if found is None else replace(one, price_usd_per_hour=dollars(found.rate))


def spent_today(catalog: Catalog, now: float) -> dict[str, float]:
    """US dollars that each machine has cost today."""
    begin, end = day_bounds(day_of(ms(now)))
    found: dict[str, Any] = {}
    for one in catalog.costs.paid(begin, end):
        found[one.instance_id] = found.get(one.instance_id, 0) + one.interval.cost(begin, end)
    return {key: dollars(amount) for key, amount in found.items()}
