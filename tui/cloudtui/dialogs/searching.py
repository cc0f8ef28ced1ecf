"""What the palette finds: actions that make sense now, areas, and what the catalog has by name."""

from __future__ import annotations

from collections.abc import Sequence

from cloudtui import format as fmt
from cloudtui.actions import get
from cloudtui.bridge import Bridge
from cloudtui.dialogs.palette import Found, Palette
from cloudtui.menus import OWN, Menu, takes_target
from cloudtui_engine.sanitize import clean_line

_NAMES = 8


def palette(bridge: Bridge, found: Sequence[Menu]) -> Palette:
    """A palette over these menus and the catalog of `bridge`."""

    def search(query: str) -> list[Found]:
        return names(bridge, query)

    return Palette(bridge, known(found), search)


def known(found: Sequence[Menu]) -> list[Found]:
    """What these menus can do now; what can be done with the selected object is the likeliest."""
    shown = [(menu, entry) for menu in found for entry in menu.entries if entry.enabled]
    shown.sort(key=lambda pair: not _is_on_selected(pair[1].action))
    return [
        Found(_value(entry.action), entry.title, f"{menu.title}  {entry.key}".rstrip())
        for menu, entry in shown
        if entry.action != "home.palette"
    ]


def _is_on_selected(name: str) -> bool:
    return not name.startswith("area.") and name not in OWN and takes_target(get(name))


def _value(action: str) -> str:
    group, _, rest = action.partition(".")
    return f"{rest}:" if group == "area" else f"action:{action}"


def names(bridge: Bridge, query: str) -> list[Found]:
    """Views, runs, models, data and machines by every word of their names, a few a kind; runs in a thread."""
    from cloudtui_engine.catalog import views
    from cloudtui_engine.catalog.runs import RunQuery

    catalog, words = bridge.catalog, query.lower().split()
    text = " ".join('name~"' + word.replace("\\", "").replace('"', "") + '"' for word in words)
    runs = catalog.runs.list(RunQuery(filter=text, limit=_NAMES, metrics=False))
    others = [
        *_fitting("models", "model", words, [(one.id, one.label) for one in catalog.models.list()]),
        *_fitting(
            "datasets", "dataset", words, [(d.id, f"{d.name}@{d.version}") for d in catalog.datasets.list()]
        ),
        *_fitting("instances", "machine", words, [(one.id, one.name) for one in catalog.instances.list()]),
    ]
    saved = [(one.filter, f"View: {one.name}") for one in views.views(catalog)]
    return [
        *_fitting("view", "view", words, saved),
        *(Found(f"runs:{run.id}", clean_line(run.name, 80), str(fmt.RUN_MARKS[run.status])) for run in runs),
        *others,
    ]


def _fitting(area: str, noun: str, words: Sequence[str], named: Sequence[tuple[str, str]]) -> list[Found]:
    fits = [(key, name) for key, name in named if all(word in name.lower() for word in words)]
    return [Found(f"{area}:{key}", clean_line(name, 80), noun) for key, name in fits[:_NAMES]]
