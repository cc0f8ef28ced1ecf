"""What faces ask of fetches: one that is begun, what is under way, one that is wanted no more."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from cloudtui_engine import operations
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.objects.address import parse
from cloudtui_engine.objects.stage import Stage
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
    is_alive = operations.is_running(catalog.paths)
    return [told(one, is_alive=is_alive) for one in catalog.operations.open_of([FETCH])]


def told(operation: Operation, *, is_alive: bool = True) -> Fetch:
    """One of them, as its operation tells of it, where an engine lives or does not."""
    said = operation.progress
    running = is_alive and operation.state == "running"
    text = str(said.get("text") or "")
    return Fetch(
        operation.id,
        str(operation.args["name"]),
        str(operation.args["source"]),
        "running" if running else "waiting",
        text if is_alive else f"No engine runs. {text}".strip(),
        int(said.get("done") or 0),
        int(said.get("total") or 0),
        operation.created_at,
    )


def stop(catalog: Catalog, fetch: Fetch) -> Fetch:
    """It is wanted no more; what came of it goes: by who fetches it, or by us where nobody does."""
    catalog.operations.withdraw(fetch.id)
    address = parse(fetch.source)
    others = any(one.source == fetch.source for one in live(catalog))
    if address is not None and not others and not operations.is_running(catalog.paths):
        Stage(catalog.paths.home / "downloads", address).remove()
    return dataclasses.replace(fetch, state="stopped")
