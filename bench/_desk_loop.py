"""The desktop in a terminal, used as somebody uses it, by a process that notes when its loop was not free.

`python -m bench._desk_loop HOME FILE`: the file gets a JSON object of what was done, each with the stretches
in which the loop did not look for anything new: (seconds of CPU, seconds of the clock).
"""

from __future__ import annotations

import asyncio
import json
import selectors
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from textual import events
from textual.keys import _character_to_key
from textual.widgets import Input

from bench.screen import LONG
from cloudtui.app import CloudtuiApp
from cloudtui.bridge import Bridge
from cloudtui.sweeping import Sweeper
from cloudtui_engine.paths import Paths

Stretch = tuple[float, float]
TYPING_S = 0.08
"""Between two keys of somebody who types fast."""
REPEAT_S = 0.04
"""Between two keys of one that is held down, or two steps of the wheel."""
PATIENCE_S = 60.0


class Watched(selectors.DefaultSelector):
    """A selector that notes the stretches between one answer and the next question."""

    def __init__(self) -> None:
        super().__init__()
        self.stretches: list[Stretch] = []
        self._since: tuple[float, float] | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """As the base. CPU of this thread: other work on the machine does not count."""
        if self._since is not None:
            cpu, clock = self._since
            self.stretches.append((time.thread_time() - cpu, time.monotonic() - clock))
        found = super().select(timeout)
        self._since = (time.thread_time(), time.monotonic())
        return found


class Driven(CloudtuiApp):
    """A desktop with somebody before it."""

    def __init__(self, bridge: Bridge, watched: Watched) -> None:
        super().__init__(bridge)
        self._watched = watched
        self.done: dict[str, list[Stretch]] = {}

    def on_ready(self) -> None:
        """Begin, and leave at the end."""
        self.run_worker(self._use(), exit_on_error=True)

    async def _use(self) -> None:
        acts = (
            self._start, self._look_on, self._hold, self._turn_pages, self._wheel, self._type_filter,
            self._open_long, self._type_language, self._look_on, self._visit,
        )  # fmt: skip
        for act in acts:
            begun = len(self._watched.stretches)
            await act()
            name = act.__name__.lstrip("_").replace("_", " ")
            self.done.setdefault(name, []).extend(self._watched.stretches[begun:])
        self.exit()

    async def _start(self) -> None:
        await self._until(lambda: self.area is not None and self.area.listing is not None)
        await asyncio.sleep(2)

    async def _look_on(self) -> None:
        """Fifty runs go on."""
        await asyncio.sleep(8)

    async def _hold(self) -> None:
        await self._keys(["down"] * 60, REPEAT_S)
        await asyncio.sleep(1)

    async def _turn_pages(self) -> None:
        await self._keys(["pagedown"] * 24, 0.2)
        await self._keys(["G", "g"] * 2, 1.0)

    async def _wheel(self) -> None:
        table = self._table.region
        at = {"x": table.x + 20, "y": table.y + 9}
        for _ in range(60):
            self.post_message(
                events.MouseScrollDown(
                    None, **at, screen_x=at["x"], screen_y=at["y"], delta_x=0, delta_y=0, button=0,
                    shift=False, meta=False, ctrl=False,
                )
            )  # fmt: skip
            await asyncio.sleep(REPEAT_S)
        await self._keys(["g"], 1.0)

    async def _type_filter(self) -> None:
        await self._filter("resnet-kd-7 status:succeeded")
        await self._keys(["escape"], 1.0)

    async def _open_long(self) -> None:
        """The run of a million points: its charts, the crosshair, zoom, its other tabs."""
        await self._filter(LONG)
        await self._until(lambda: self._table.total == 1)
        await self._keys(["enter"], 2.0)
        await self._keys([*["left"] * 20, "+", "+", "-", "-", "x", "x"], 0.1)
        await self._keys(["]", "]", "]", "]", "]"], 0.8)
        await self._keys(["escape", "escape"], 1.0)

    async def _type_language(self) -> None:
        await self._filter("status:live metric.train/loss < 3 sort:-train/loss")

    async def _visit(self) -> None:
        await self._keys([*"1456789023"], 1.2)

    # How

    @property
    def _table(self) -> Any:
        if self.area is None:
            raise RuntimeError("No area is shown.")
        return self.area.pane.table

    async def _filter(self, text: str) -> None:
        await self._keys(["/"], 0)
        await self._until(lambda: isinstance(self.focused, Input))
        await self._keys(list(text), TYPING_S)
        await self._until(lambda: isinstance(self.focused, Input) and self.focused.value == text)
        await asyncio.sleep(1)
        await self._keys(["enter"], 1.0)
        await self._until(lambda: not isinstance(self.focused, Input))

    async def _keys(self, keys: Sequence[str], gap: float) -> None:
        for key in keys:
            name = _character_to_key(key) if len(key) == 1 else key
            self.post_message(events.Key(name, key if len(key) == 1 else None))
            await asyncio.sleep(gap)

    async def _until(self, true: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > deadline:
                raise TimeoutError("The desktop does not come to what was asked of it.")
            await asyncio.sleep(0.02)


def main(arguments: Sequence[str]) -> None:
    """Run the desktop as `cloudtui` does, but start no engine."""
    home, notes = arguments
    watched = Watched()
    loop = asyncio.SelectorEventLoop(watched)
    asyncio.set_event_loop(loop)
    bridge = Bridge(Paths(Path(home)))
    app = Driven(bridge, watched)
    with Sweeper() as app.sweeper:
        app.run(loop=loop)
    bridge.close()
    Path(notes).write_text(json.dumps(app.done))


if __name__ == "__main__":
    main(sys.argv[1:])
