"""The README's pictures, drawn from a seeded catalog so that they cannot drift: `make screenshots`."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from pathlib import Path

os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ["TZ"] = "UTC"
HERE = Path(__file__).parent
SIZE = (120, 30)
PICTURES: dict[str, tuple[tuple[int, int], str, tuple[str, ...]]] = {
    "runs": (SIZE, "cloudtui-dark", ("down",)),
    "runs-wide": ((180, 42), "cloudtui-dark", ("down",)),
    "log": (SIZE, "cloudtui-dark", ("down", "]")),
    "instances": (SIZE, "cloudtui-dark", ("1", "down")),
    "datasets": (SIZE, "cloudtui-dark", ("2", "]", "]")),
    "models": (SIZE, "cloudtui-dark", ("5",)),
    "evaluation": (SIZE, "cloudtui-dark", ("6", "end", "enter")),
    "compression": (SIZE, "cloudtui-dark", ("7", "end", "enter")),
    "train": (SIZE, "cloudtui-dark", ("plus",)),
    "palette": (SIZE, "cloudtui-dark", ("ctrl+p", "r", "e", "s")),
    "light": (SIZE, "cloudtui-light", ("down",)),
}
"""Size, theme, and the keys that lead there."""


async def picture(home: Path, name: str) -> str:
    """One picture as SVG."""
    from tests.support import seed
    from tests.tui.desk import settle

    from cloudtui.app import CloudtuiApp
    from cloudtui.bridge import Bridge
    from cloudtui_engine.paths import Paths

    size, theme, keys = PICTURES[name]
    bridge = Bridge(Paths(home), now=lambda: seed.NOW)
    app = CloudtuiApp(bridge)
    app.theme = theme
    try:
        async with app.run_test(size=size) as pilot:
            await settle(pilot)
            for key in keys:
                await pilot.press(key)
                await settle(pilot)
            return app.export_screenshot(title="cloudtui")
    finally:
        bridge.close()


def main() -> None:
    """Draw all of them."""
    from tests.support import seed_models

    time.tzset()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        seed_models.shelf(home).close()
        for name in PICTURES:
            (HERE / f"{name}.svg").write_text(asyncio.run(picture(home, name)))


if __name__ == "__main__":
    main()
