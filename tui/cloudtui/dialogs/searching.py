"""What the palette finds: actions that make sense now, areas, and runs and machines by name."""

from __future__ import annotations

from collections.abc import Sequence

from cloudtui import format as fmt
from cloudtui.bridge import Bridge
from cloudtui.dialogs.palette import Found, Palette
from cloudtui.menus import Menu
from cloudtui_engine.sanitize import clean_line

_NAMES = 8


def palette(bridge: Bridge, found: Sequence[Menu]) -> Palette:
    """A palette over these menus and the catalog of `bridge`."""
    known = [
        Found(_value(entry.action), f"{entry.title}", f"{menu.title}  {entry.key}".rstrip())
        for menu in found
        for entry in menu.entries
        if entry.enabled and entry.action != "home.palette"
    ]

    def search(query: str) -> list[Found]:
        return names(bridge, query)

    return Palette(bridge, known, search)


def _value(action: str) -> str:
    group, _, rest = action.partition(".")
    return f"{rest}:" if group == "area" else f"action:{action}"


def names(bridge: Bridge, query: str) -> list[Found]:
    """Runs and machines whose name holds every word; runs in a thread."""
    from cloudtui_engine.catalog.runs import RunQuery

    words = query.lower().split()
    text = " ".join('name~"' + word.replace("\\", "").replace('"', "") + '"' for word in words)
    runs = bridge.catalog.runs.list(RunQuery(filter=text, limit=_NAMES, metrics=False))
    machines = [one for one in bridge.catalog.instances.list() if all(w in one.name.lower() for w in words)]
    return [
        *(Found(f"runs:{run.id}", clean_line(run.name, 80), str(fmt.RUN_MARKS[run.status])) for run in runs),
        *(Found(f"instances:{one.id}", clean_line(one.name, 80), "machine") for one in machines[:_NAMES]),
    ]
