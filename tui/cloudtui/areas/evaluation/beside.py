"""Which evaluation is held beside which: chosen by a person, remembered over a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from cloudtui_engine.errors import RefusedError

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

_KEY = "desktop.beside"
DIFFERENCE = "difference:"
"""Before the id of an evaluation: show its difference at once."""
_kept: WeakKeyDictionary[Catalog, tuple[str, str]] = WeakKeyDictionary()
"""What a sealed catalog did not take: so it is until the desktop closes."""


def load(catalog: Catalog) -> tuple[str, str] | None:
    """The ids of both evaluations, the one that is looked at first; None where none were chosen."""
    if catalog in _kept:
        return _kept[catalog]
    found = catalog.settings.get(_KEY, None)
    if isinstance(found, list) and len(found) == 2 and all(isinstance(one, str) for one in found):
        return found[0], found[1]
    return None


def begin(catalog: Catalog, first: str, second: str) -> None:
    """Hold the second beside the first from now on; on a read-only desktop until it closes."""
    try:
        catalog.settings.set(_KEY, [first, second])
    except RefusedError:
        _kept[catalog] = (first, second)
    else:
        _kept.pop(catalog, None)
