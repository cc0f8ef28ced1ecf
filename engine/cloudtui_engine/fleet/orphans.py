"""Machines of ours that no row speaks of: taken up, or ended."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import UsageError
from cloudtui_engine.fleet import asking, deadlines, installation, results, trust
from cloudtui_engine.ids import new_id
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Orphan
from cloudtui_engine.records.operation import Operation


def submit_adopt(
    catalog: Catalog,
    paths: Paths,
    orphan: Orphan,
    name: str = "",
    *,
    until: float | None = None,
    arm: bool = False,
    now: float | None = None,
) -> Instance:
    """Take up a machine of ours that no row speaks of. Its host key is asked for at the first contact.

    It ends at its deadline as one that was launched: the engine sees to it, its cloud is told, and so is a
    switch that it came with. One that came without gets none, unless that is asked for.

    Args:
        catalog: the catalog.
        paths: the home.
        orphan: the machine.
        name: what to call it; empty: as it is called there.
        until: its deadline, Unix seconds; None: none, whatever it had before.
        arm: a switch is put there where there is none, so that it ends itself with nobody there.
        now: the moment.

    Raises:
        UsageError: the deadline lies in the past.
        RefusedError: the name is taken, or this home is a copy.
    """
    now = time.time() if now is None else now
    if until is not None and until <= now:
        raise UsageError("A deadline cannot lie in the past.", "For example: --deadline 4h.")
    installation.ensure(catalog, paths)
    chosen = name or asking.free_name(catalog, orphan.name or f"{orphan.provider}-{orphan.cloud_id}")
    with catalog.write("instance", "operation", durable=True):
        made = _take_up(catalog, paths, orphan, chosen, wanted="running", until=until)
        catalog.operations.submit(deadlines.KIND, made.id, {"asked": True, "arm": arm})
        return made


def submit_terminate(
    catalog: Catalog, paths: Paths, orphan: Orphan, *, unpulled: Collection[str] = ()
) -> Operation:
    """End a machine of ours that no row speaks of; it has a row from then on, so that its end is watched.

    One that had a row before may have results, as `submit_terminate` has it.

    Raises:
        RefusedError: this home is a copy, or results would be lost that are not named.
    """
    installation.ensure(catalog, paths)
    with catalog.write("instance", "operation", durable=True):
        chosen = asking.free_name(catalog, orphan.name or f"{orphan.provider}-{orphan.cloud_id}")
        instance = _take_up(catalog, paths, orphan, chosen, wanted="terminated")
        adopt = f"Take it up (cloudtui instance orphans adopt {orphan.cloud_id}) and pull them"
        results.check_named(catalog, instance, unpulled, bring=adopt)
        return catalog.operations.submit("instance.terminate", instance.id, {})


def at_stake(catalog: Catalog, orphan: Orphan) -> list[results.AtStake]:
    """What is known to lie on a machine that no row speaks of: it had one, which was forgotten."""
    before = _row_before(catalog, orphan)
    return results.at_stake(catalog, before.id) if before else []


# -- parts


def _take_up(
    catalog: Catalog, paths: Paths, orphan: Orphan, name: str, *, wanted: str, until: float | None = None
) -> Instance:
    """A row for it: a new one, or the one that was forgotten while it lived."""
    now = time.time()
    fields: dict[str, Any] = {
        "name": name,
        "address": replace(orphan.address, key_file=str(trust.key_file(paths))),
        "wanted": wanted,
        "cloud_state": orphan.state,
        "cloud_seen_at": orphan.seen_at,
        "region": orphan.region,
        "deadline_at": until,
    }
    with catalog.write("instance", durable=True):
        catalog.orphans.drop(orphan.provider, [orphan.cloud_id])
        before = _row_before(catalog, orphan)
        if before is not None:
            catalog.instances.update(before.id, **fields, forgotten_at=None, missing_since=None)
            return catalog.instances.get(before.id)
        made = Instance(
            id=new_id(now),
            provider=orphan.provider,
            price_usd_per_hour=orphan.price,
            created_at=orphan.first_seen_at,
            cloud_id=orphan.cloud_id,
            machine_type=orphan.type,
            spot=orphan.spot,
            **fields,
        )
        return catalog.instances.add(made)


def _row_before(catalog: Catalog, orphan: Orphan) -> Instance | None:
    rows = catalog.instances.list(include_forgotten=True)
    return next(
        (one for one in rows if (one.provider, one.cloud_id) == (orphan.provider, orphan.cloud_id)), None
    )
