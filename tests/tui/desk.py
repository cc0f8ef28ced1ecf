"""A desktop on a seeded home for tests: fixed clock, no animation, and the screen as text.

No terminal shows these desktops, so `Drawn` has widgets draw what is due and leaves it at that: Textual would
cut all of it into pieces and put them aside. What a test looks at is put together when it looks.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support import seed
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.geometry import Region
from textual.pilot import Pilot

from cloudtui.app import CloudtuiApp
from cloudtui.bridge import Bridge
from cloudtui_engine.paths import Paths

SIZES = ((80, 24), (120, 30), (200, 50))
SNAPSHOTS = Path(__file__).parent / "snapshots"
UPDATE = "CLOUDTUI_UPDATE_SNAPSHOTS"
_CALM = 4
"""Looks in which nothing was drawn, after which nothing more is expected."""


class Drawn:
    """What widgets drew since the start of this process, instead of what a terminal would have been sent."""

    times = 0

    @classmethod
    def update(cls, compositor: Compositor, full: bool = False, screen_stack: Any = None, **_: Any) -> None:
        """As `Compositor.render_update`, for a terminal that is not there."""
        visible_screen_stack.set(screen_stack or [])
        whole, due = compositor.size.region, compositor._dirty_regions.copy()
        compositor._dirty_regions.clear()
        if due or full:
            cls.times += 1
            crop = whole if full or whole in due else Region.from_union(due).intersection(whole)
            for _drawn in compositor._get_renders(crop):
                pass


@asynccontextmanager
async def desktop(
    home: Path, size: tuple[int, int] = (120, 30), *, settled: bool = True, **options: Any
) -> AsyncIterator[tuple[CloudtuiApp, Pilot[int]]]:
    """The desktop over a home, settled; where its first area is held up, it cannot be."""
    bridge = Bridge(Paths(home), now=lambda: seed.NOW)
    app = CloudtuiApp(bridge, **options)
    try:
        async with app.run_test(size=size, tooltips=False, notifications=True) as pilot:
            if settled:
                await settle(pilot)
            yield app, pilot
    finally:
        bridge.close()


async def wait_until(pilot: Pilot[Any], true: Callable[[], object], timeout: float = 30.0) -> None:
    """Let the app work until this holds."""
    deadline = time.monotonic() + timeout
    if true():
        return
    while True:
        await asyncio.sleep(0.01)
        pilot.app.screen._on_timer_update()  # what is due is laid out and drawn
        if true():
            break
        if time.monotonic() > deadline:
            raise AssertionError("Not in time. The screen:\n" + screen(pilot.app))
    await pilot.pause(0)  # each widget has seen what came so far


async def settle(pilot: Pilot[Any]) -> None:
    """Wait until all that was begun has ended and the screen stands still."""
    app = pilot.app
    assert isinstance(app, CloudtuiApp)

    def ready() -> bool:
        area = app.area
        busy = any(worker.is_running and worker.group == "read" for worker in app.workers)
        read = area is not None and not area.resting and (area.listing is not None or area.failed)
        return read and not busy

    await still(pilot, ready)


async def still(pilot: Pilot[Any], ready: Callable[[], bool]) -> None:
    """Wait until this holds and nothing is drawn any more."""
    calm, drawn = 0, -1

    def calmed() -> bool:
        nonlocal calm, drawn
        calm, drawn = calm + 1 if ready() and drawn == Drawn.times else 0, Drawn.times
        return calm >= _CALM

    await wait_until(pilot, calmed)


def screen(app: Any) -> str:
    """What is on the screen, as text."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips) + "\n"


def check(name: str, text: str) -> None:
    """The screen is as it was when somebody last looked at it and found it good."""
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get(UPDATE):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"There is no {path.name}: look at the screen, then run with {UPDATE}=1.\n{text}"
    assert text == path.read_text(), f"{path.name} differs; if it is better so, run with {UPDATE}=1."
