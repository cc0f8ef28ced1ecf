"""How the desktop was left: the area that was shown; of each its tab, order, filter and border. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

KEY = "desktop.layout"
"""The setting that keeps it."""
_LONGEST = 4000
"""Of a filter: as the language has it."""


class Left(NamedTuple):
    """How one area was left; what is empty is as it is without the user."""

    tab: str = ""
    sort: str = ""
    filter: str = ""
    shares: Mapping[str, float] = {}
    """What of the whole the list has, for each way in which list and detail stand."""


class Layout(NamedTuple):
    """How the desktop was left."""

    area: str = ""
    areas: Mapping[str, Left] = {}

    def of(self, area: str) -> Left:
        """How this area was left."""
        return self.areas.get(area, Left())

    def without(self, area: str) -> Layout:
        """As if nobody had been in this area."""
        return Layout(self.area, {name: left for name, left in self.areas.items() if name != area})


def read(kept: Any) -> Layout:
    """What a setting holds: of what cannot be a layout, that part is as if nobody had chosen it."""
    if not isinstance(kept, dict):
        return Layout()
    areas = kept.get("areas")
    found = areas.items() if isinstance(areas, dict) else ()
    lefts = {name: _left(one) for name, one in found if isinstance(one, dict)}
    return Layout(_text(kept.get("area")), {name: left for name, left in lefts.items() if any(left)})


def written(layout: Layout) -> dict[str, Any]:
    """As `read` takes it; what is as it is without the user is left out."""
    areas = {
        name: {part: value for part, value in left._asdict().items() if value}
        for name, left in layout.areas.items()
        if any(left)
    }
    return {"area": layout.area, "areas": areas}


def _left(one: Mapping[str, Any]) -> Left:
    shares = one.get("shares")
    found = shares.items() if isinstance(shares, dict) else ()
    return Left(
        _text(one.get("tab")),
        _text(one.get("sort")),
        _text(one.get("filter")),
        {way: share for way, share in found if isinstance(share, float) and 0 < share < 1},
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST and value.isprintable() else ""
