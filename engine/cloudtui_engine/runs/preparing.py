"""Data that is read where it lies: the job on its machine that makes a version of it there."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.runs import queueing

MANIFEST = "manifest.json"
"""What comes here of such a version; its sha256 is the version's."""
MOST_BYTES = 64 * 1024 * 1024
"""A manifest is not larger; what a host has beside it stays there."""


def start_preparing(
    catalog: Catalog, *, name: str, source: str, instance: Instance, wishes: Mapping[str, Any]
) -> Run:
    """A job that makes the next version of `name` from `source` on a machine, queued.

    Args:
        catalog: where it is kept.
        name: of the dataset.
        source: a path on that machine.
        instance: the machine.
        wishes: the fields of `data.Wishes`.
    """
    run = Run(
        id=new_id(),
        name=catalog.runs.free_name(f"{name}-prepare"),
        kind="prepare",
        status=RunState.QUEUED,
        attempt=1,
        instances=(),
        task=wishes.get("task"),
        spec={
            "as": name,
            "source": source,
            "wishes": {key: value for key, value in wishes.items() if value},
            "pull": "all",
            "pull_max": MOST_BYTES,
        },
        created_at=time.time(),
    )
    with catalog.write("run", "operation"):
        created = catalog.runs.create(run, [instance.id])
        queueing.submit_start(catalog, run.id, 1)
    return created
