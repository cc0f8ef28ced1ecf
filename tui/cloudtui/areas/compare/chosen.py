"""Which runs are compared, and how: remembered over a restart, unless the desktop is read-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from cloudtui_engine.errors import RefusedError

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

MOST = 100
"""Runs that are compared at most: more than a list holds is no longer looked at one by one."""
_KEY = "desktop.compare"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The runs, and what a person chose about them; None is left to us."""

    runs: tuple[str, ...] = ()
    baseline: str | None = None
    way: str | None = None
    """What they are grouped by; empty: not at all."""
    metric: str | None = None


_kept: WeakKeyDictionary[Catalog, Chosen] = WeakKeyDictionary()
"""What a sealed catalog did not take: so it is until the desktop closes."""


def load(catalog: Catalog) -> Chosen:
    """What was chosen last; nothing where it cannot be read any more."""
    if catalog in _kept:
        return _kept[catalog]
    found = catalog.settings.get(_KEY, None)
    if not isinstance(found, dict):
        return Chosen()
    runs = found.get("runs")
    texts = [one for one in runs if isinstance(one, str)] if isinstance(runs, list) else []
    return Chosen(tuple(texts[:MOST]), _text(found, "baseline"), _text(found, "way"), _text(found, "metric"))


def save(catalog: Catalog, chosen: Chosen) -> None:
    """Remember it, where it is not what is remembered already; on a read-only desktop until it closes."""
    if chosen == load(catalog):
        return
    try:
        catalog.settings.set(_KEY, asdict(chosen))
    except RefusedError:
        _kept[catalog] = chosen
    else:
        _kept.pop(catalog, None)


def begin(catalog: Catalog, runs: Sequence[str]) -> None:
    """Compare these from now on; the metric that was looked at stays."""
    save(catalog, Chosen(tuple(runs)[:MOST], metric=load(catalog).metric))


def _text(found: dict[str, Any], key: str) -> str | None:
    value = found.get(key)
    return value if isinstance(value, str) else None
