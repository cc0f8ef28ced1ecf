"""What faces ask of fetches: one that is begun, what is under way, one that is wanted no more."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from cloudtui_engine import operations
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.fetch import FETCH, Fetch
from cloudtui_engine.records.operation import Operation


def ask_for(catalog: Catalog, name: str, source: str, wishes: Mapping[str, Any]) -> Operation:
    """Have it fetched and made; the same that is under way already is not begun twice."""
    # As JSON has it when it is read again: a tuple is a list there.
    plain = {key: list(one) if isinstance(one, tuple) else one for key, one in wishes.items()}
    args = {"name": name, "source": source, "wishes": plain}
    with catalog.write("operation"):
        same = [one for one in catalog.operations.open_of([FETCH]) if one.args == args]
        return same[0] if same else operations.submit(catalog, FETCH, source, args)


def live(catalog: Catalog) -> list[Fetch]:
    """All that somebody wants now, in the order in which they were asked for."""
    return [told(one) for one in catalog.operations.open_of([FETCH])]


def told(operation: Operation) -> Fetch:
    """One of them, as its operation tells of it."""
    said = operation.progress
    return Fetch(
        operation.id,
        str(operation.args["name"]),
        str(operation.args["source"]),
        "running" if operation.state == "running" else "waiting",
        str(said.get("text") or ""),
        int(said.get("done") or 0),
        int(said.get("total") or 0),
        operation.created_at,
    )


def stop(catalog: Catalog, fetch: Fetch) -> Fetch:
    """It is wanted no more; what came of it goes."""
    catalog.operations.withdraw(fetch.id)
    return dataclasses.replace(fetch, state="stopped")
