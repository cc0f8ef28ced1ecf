"""How long the desktop takes from its exec to the first paint with rows, beside bare and common Textual apps.

Each is a process of its own that says how much CPU time it had used when it was painted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench._report import figure

ROUNDS = 7
_BARE = """
import sys, time
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("hello")
    def _display(self, screen, renderable):
        super()._display(screen, renderable)
        if not Bare.seen and self.screen_stack and self.screen.query(Static):
            Bare.seen = time.process_time()
            self.exit()
    seen = 0.0

Bare().run(headless=True, size=(120, 30))
print(Bare.seen)
"""
_COMMON = """
import sys, time
from textual.app import App
from textual.widgets import DataTable, Footer, Header

class Common(App):
    def compose(self):
        yield Header()
        yield DataTable()
        yield Footer()
    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns(*"abcdefgh")
        for row in range(30):
            table.add_row(*"abcdefgh")
    def _display(self, screen, renderable):
        super()._display(screen, renderable)
        if not Common.seen and self.screen_stack and self.screen.query(DataTable):
            Common.seen = time.process_time()
            self.exit()
    seen = 0.0

Common().run(headless=True, size=(120, 30))
print(Common.seen)
"""
_OURS = """
import sys, time
from pathlib import Path
from cloudtui.sweeping import Sweeper
sweeper = Sweeper().__enter__()  # as the program does, from before the imports to the end
import cloudtui.app
from cloudtui.widgets.table import Table
from cloudtui_engine.paths import Paths

class Ours(cloudtui.app.CloudtuiApp):
    def _display(self, screen, renderable):
        super()._display(screen, renderable)
        tables = self.screen.query(Table) if self.screen_stack else ()
        if not Ours.seen and tables and tables.first().rows:
            Ours.seen = time.process_time()
            self.exit()
    def run(self):
        return super().run(headless=True, size=(120, 30))
    seen = 0.0

cloudtui.app.CloudtuiApp = Ours
cloudtui.app.run(Paths(Path(sys.argv[1])), sweeper=sweeper)
print(Ours.seen)
"""


def figures(c: float, home: Path, what: str) -> bool:
    """Print the figures; whether the one with a goal met it."""
    for program in (_OURS, _BARE, _COMMON):  # once for the bytecode
        _process(program, str(home))
    taken = [(_process(_OURS, str(home)), _process(_BARE), _process(_COMMON)) for _ in range(ROUNDS)]
    ours, bare, common = (statistics.median(column) for column in zip(*taken, strict=True))
    times = f"{ours * 1e3:.0f} ms, bare app {bare * 1e3:.0f} ms, {ours / c:.1f} C"
    detail = f"{what}: {times}"
    ratio = statistics.median(a / b for a, b, _ in taken)
    met = figure("screen: first paint with rows / bare Textual app", ratio, 1.5, detail)
    ratio = statistics.median(a / c for a, _, c in taken)
    detail = f"Header, DataTable of 30 rows, Footer: {common * 1e3:.0f} ms"
    return met & figure("screen: first paint with rows / app of common widgets", ratio, None, detail)


def _process(program: str, *arguments: str) -> float:
    """CPU seconds from exec to the first paint, imports and all."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return float(done.stdout.split()[-1])


def environment() -> dict[str, str]:
    """As an installed program runs: with its bytecode kept."""
    found = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    pycache = {"PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "cloudtui-bench-pycache")}
    return found | {"TEXTUAL_ANIMATIONS": "none"} | pycache
