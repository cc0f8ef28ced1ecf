"""Homes in which every area has something to show, and what each state of the world makes of it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support import seed, seed_compare, seed_money

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import LOCAL, Instance, LinkState


def furnish(home: Path) -> None:
    """Add a month of money and runs to compare to a home that is as `seed_models.shelf` makes it."""
    catalog = seed_money.spend(Catalog.open(Paths(home)))
    named = {run.name: run for run in catalog.runs.list()}
    compared = [named[name] for name in ("vit-small-aug-3", "resnet-kd-50", "resnet-base")]
    with catalog.write("run") as db:
        for place, run in enumerate(compared):
            params = json.dumps({**run.params, "lr": (0.003, 0.01, 0.001)[place], "seed": place})
            db.execute("UPDATE run SET params = ? WHERE id = ?", (params, run.id))
    seed_compare.remember(catalog, compared)
    catalog.close()


def fell_silent(catalog: Catalog) -> None:
    """Nothing has been heard of any machine for minutes; what runs there may have ended."""
    live = [attempt.run_id for attempt in catalog.runs.open_attempts()]
    catalog.runs.set_stale(live, seed.NOW - 260)
    for machine in _linked(catalog):
        catalog.instances.update(machine.id, link_state=LinkState.SILENT, seen_at=seed.NOW - 300)


def went_offline(catalog: Catalog) -> None:
    """No machine has a link, and no cloud has answered for long."""
    for machine in _linked(catalog):
        catalog.instances.update(machine.id, link_state=LinkState.DOWN, seen_at=seed.NOW - 3000)
    for machine in catalog.instances.list():
        if machine.is_rented:
            catalog.instances.update(machine.id, cloud_seen_at=seed.NOW - 3000)


def _linked(catalog: Catalog) -> list[Instance]:
    machines = catalog.instances.list()
    return [one for one in machines if one.link_state is LinkState.UP and one.name != LOCAL]
