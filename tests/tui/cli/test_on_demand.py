"""`instance replace --on-demand-cap`: who waits for a spot machine may have one on demand."""

from __future__ import annotations

from collections.abc import Callable

from tests.tui.cli.conftest import Said

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet import commands
from cloudtui_engine.records.launch import Wish


def test_what_waits_for_a_spot_machine_may_be_one_on_demand(
    cli: Callable[..., Said], catalog: Catalog
) -> None:
    wish = Wish("toy", "box", "gpu-1", regions=("north-1",), spot=True, patience_s=3600)
    (box,) = commands.submit_launch(catalog, catalog.paths, wish)
    for one in catalog.operations.open_for(box.id):
        catalog.operations.finish(one.id)  # no engine here knows what to do with it
    words = ("instance", "replace", "box", "--json")
    assert cli(*words).json["error"]["code"] == "not_lost"
    assert cli(*words, "--on-demand-cap", "0.9").json["id"] == box.id
    assert catalog.launches.get(box.launch_id).wish.on_demand_cap == 0.9
