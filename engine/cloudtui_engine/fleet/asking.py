"""The rows of a launch: what is checked before, and what is written."""

from __future__ import annotations

import math
from collections.abc import Collection
from itertools import count

from cloudtui_engine import accounts
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import UsageError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.instance import VANISHED, Address, Instance
from cloudtui_engine.records.launch import Launch, Wish

MOST_AT_ONCE = 64


def check(wish: Wish) -> None:
    """See that it can be asked for.

    Raises:
        UsageError: it cannot.
    """
    if not wish.provider:
        raise UsageError("No provider is named.", "For example: --provider aws.")
    if not wish.type and not wish.gpu:
        raise UsageError("Neither a machine type nor a GPU is named.", "For example: --gpu a100.")
    if not 1 <= wish.count <= MOST_AT_ONCE:
        raise UsageError(f"{wish.count} machines cannot be launched at once.", f"1 to {MOST_AT_ONCE} can.")
    if wish.lifetime_s < 0 or wish.disk_gb < 1:
        raise UsageError("A lifetime or a disk cannot be negative.", "Leave it out for the default.")
    if any(price is not None and not 0 < price < math.inf for price in (wish.max_price, wish.on_demand_cap)):
        raise UsageError("A price limit must be a number above 0.", "Leave it out for none.")


def require_budget(catalog: Catalog, wish: Wish, names: Collection[str], now: float) -> None:
    """Call it in the transaction that writes the launches down.

    Raises:
        RefusedError: a budget forbids it; its code is `budget`.
    """
    price = accounts.most_it_costs(catalog, wish)
    ordered = [accounts.Ordered(name, price, wish.lifetime_s, wish.provider, wish.disk_gb) for name in names]
    accounts.require(catalog, ordered, now)


def ask(catalog: Catalog, wish: Wish, name: str, *, key_file: str, group: str = "", now: float) -> Instance:
    """One machine: its row, its launch and the operation that makes it."""
    launch_id = new_id()
    instance = catalog.instances.add(
        Instance(
            id=new_id(),
            name=name,
            provider=wish.provider,
            address=Address(key_file=key_file),
            created_at=now,
            launch_id=launch_id,
            machine_type=wish.type,
            spot=wish.spot,
            deadline_at=now + wish.lifetime_s if wish.lifetime_s else None,
        )
    )
    launch = Launch(launch_id, group or launch_id, instance.id, wish.provider, wish, created_at=now)
    catalog.launches.add(launch)
    key = f"instance.launch:{launch_id}"
    catalog.operations.submit("instance.launch", instance.id, {"launch": launch_id}, key)
    return instance


def names_for(catalog: Catalog, wish: Wish, now: float) -> list[str]:
    """As many names as machines; one that a gone machine has is taken over."""
    if wish.name and wish.count == 1:
        _free_of_gone(catalog, [wish.name], now)
        return [wish.name]
    if wish.name:
        names = [f"{wish.name}-{number}" for number in range(1, wish.count + 1)]
        _free_of_gone(catalog, names, now)
        return names
    taken = {one.name for one in catalog.instances.list()}
    stem = f"{wish.provider}-{(wish.type or wish.gpu).replace('.', '-').lower()}"
    free = (name for number in count(1) if (name := f"{stem}-{number}") not in taken)
    return [next(free) for _ in range(wish.count)]


def _free_of_gone(catalog: Catalog, names: Collection[str], now: float) -> None:
    for instance in catalog.instances.list():
        if instance.name not in names or not instance.is_rented or not instance.is_gone:
            continue
        if instance.cloud_state == VANISHED:  # it may come back, and has its deadline then
            catalog.instances.update(instance.id, name=free_name(catalog, f"{instance.name}-vanished"))
        else:
            catalog.instances.forget(instance.id, now)


def free_name(catalog: Catalog, wanted: str) -> str:
    """`wanted`, or with a number behind it the first that is free."""
    taken = {one.name for one in catalog.instances.list()}
    if wanted not in taken:
        return wanted
    return next(name for number in count(2) if (name := f"{wanted}-{number}") not in taken)
