"""What may be loaded when the first screen is painted, proved in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("torch", "pyarrow", "boto3", "botocore", "paramiko", "cryptography", "numpy", "onnx", "onnxruntime",
         "pydantic", "sqlite_utils", "sklearn", "polars", "PIL", "cloudtui_trainer", "argparse")  # fmt: skip
PROGRAM = """
import asyncio, sys, time
from pathlib import Path
from cloudtui.app import CloudtuiApp
from cloudtui.bridge import Bridge
from cloudtui_engine.paths import Paths
from cloudtui.widgets.table import Table

class Seen(CloudtuiApp):
    painted = None
    def _display(self, screen, renderable):
        super()._display(screen, renderable)
        tables = self.screen.query(Table) if self.screen_stack else ()
        if self.painted is None and tables and tables.first().rows:
            Seen.painted = sorted(sys.modules)

async def main():
    app = Seen(Bridge(Paths(Path(sys.argv[1]))))
    async with app.run_test(size=(120, 30)) as pilot:
        end = time.monotonic() + 60
        while not Seen.painted and time.monotonic() < end:
            await pilot.pause(0.01)
asyncio.run(main())
print("\\n".join(Seen.painted or []))
"""


def test_nothing_heavy_is_loaded_before_the_first_paint(story: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(story)], capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "cloudtui" in loaded, "the list was painted"
    assert loaded.isdisjoint(HEAVY), sorted(loaded & set(HEAVY))
