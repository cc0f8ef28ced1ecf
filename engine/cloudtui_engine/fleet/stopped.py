"""A machine that stands still though nobody here asked for it: what is wanted of it is what it is."""

from __future__ import annotations

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.instance import Instance
from cloudtui_providers.base import CloudState

_CHANGES = frozenset({"instance.launch", "instance.start", "instance.stop", "instance.terminate"})


def settle(catalog: Catalog, instance: Instance) -> None:
    """Want no more than it is, and tell of it. To be called in the transaction in which that is seen."""
    if instance.wanted != "running":
        return
    catalog.instances.update(instance.id, wanted="stopped")
    why = f" ({instance.cloud_reason})" if instance.cloud_reason else ""
    key = f"{instance.id}:{instance.cloud_id}:{int(instance.cloud_seen_at or 0)}"
    catalog.notices.tell(
        "standstill", key, instance.name,
        f"by itself, or at its cloud{why}. Its disk stays, and costs what it costs. Start it again:"
        f" cloudtui instance start {instance.name}",
    )  # fmt: skip


def look(catalog: Catalog, instance: Instance) -> None:
    """After a listing: as above, unless something is under way that will make it another."""
    if instance.cloud_state == CloudState.STOPPED and not any(
        one.kind in _CHANGES for one in catalog.operations.open_for(instance.id)
    ):
        settle(catalog, instance)
