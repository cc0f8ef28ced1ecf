"""The desktop beside a bare Textual app, its chart beside textual-plot. CPU time; C: a loop of a million."""

from __future__ import annotations

import asyncio
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import _first_paint
from bench._report import cpu, figure, skipped

if TYPE_CHECKING:
    from tests.support.seed import Seeded

RUNS, POINTS = 2000, 5_000_000
SERIES, LENGTH = 4, 100_000
MILLION = 1_000_000
LONG = "a-million-points"
"""The run that is opened."""
SIZE = (140, 45)


def main() -> bool:
    """Print the figures; False when one missed its goal."""
    with tempfile.TemporaryDirectory() as folder:
        few = Path(folder) / "few"
        _seeded(few, RUNS, POINTS)
        return all(figures(few, f"{RUNS} runs, {POINTS} points"))


def figures(home: Path, what: str) -> list[bool]:
    """What is measured over a home that holds the run `LONG`; whether each met its goal."""
    c = statistics.median(cpu(loop) for _ in range(5))
    return [_first_paint.figures(c, home, what), _page(c, home), _chart(c), _opened(c, home)]


def _seeded(home: Path, runs: int, points: int) -> None:
    from tests.support import seed

    seeded = seed.many(home, runs, points)
    long_run(seeded)
    seeded.catalog.close()


def long_run(seeded: Seeded) -> None:
    """A run of a million points."""
    from tests.support import seed

    from cloudtui_engine.records.run import RunState

    seed.add_run(
        seeded.catalog, LONG, RunState.SUCCEEDED, on=seeded.instances[1].id, age_s=30.0, took_s=20.0,
        columns=seed.curves(MILLION * 10 // 22, 3), data=seeded.dataset,
    )  # fmt: skip


def loop() -> int:
    """C."""
    total = 0
    for number in range(1_000_000):
        total += number
    return total


def _page(c: float, home: Path) -> bool:
    """A window of runs as rows, and a screen of them drawn."""
    from cloudtui.areas.parts import Request
    from cloudtui.areas.runs import pages
    from cloudtui.areas.runs.rows import COLUMNS, run_row
    from cloudtui.widgets.table import Table
    from cloudtui_engine.catalog import Catalog
    from cloudtui_engine.paths import Paths

    catalog = Catalog.open(Paths(home))
    table = Table(COLUMNS)

    def read() -> None:
        found = pages.listing(catalog, Request(sort="-created"))
        now = time.time()
        table.show([run_row(run, now) for run in found.records], total=found.total)

    def change() -> None:
        table.show(table.rows[1:], total=table.total)
        for y in range(SIZE[1]):
            table.render_line(y)

    reading, drawing = asyncio.run(_in_app(table, (read, change)))
    catalog.close()
    detail = (
        f"60 rows read and made: {reading * 1e3:.1f} ms; {SIZE[1]} lines drawn anew: {drawing * 1e3:.1f} ms"
    )
    return figure("screen: a page of runs, in C", (reading + drawing) / c, 1.0, detail)


def _chart(c: float) -> bool:
    """A frame of four series of 100,000 points, from the arrays on."""
    import numpy as np

    from cloudtui.widgets.chart import Chart, Plot

    noise = np.random.default_rng(1)
    steps = np.arange(LENGTH, dtype=np.float64)
    values = [np.exp(-steps / 30_000) + noise.normal(0, 0.05, LENGTH) + i * 0.4 for i in range(SERIES)]
    chart = Chart("loss")

    def ours() -> None:
        chart.show([Plot(f"run {i}", steps, value) for i, value in enumerate(values)])
        for y in range(SIZE[1]):
            chart.render_line(y)

    (frame,) = asyncio.run(_in_app(chart, (ours,)))
    detail = f"{SERIES} x {LENGTH} points on {SIZE[0]}x{SIZE[1]} cells: {frame * 1e3:.1f} ms"
    met = figure("screen: chart frame, in C", frame / c, 1.0, detail)
    if importlib.util.find_spec("textual_plot") is None:
        skipped(
            "screen: chart frame / textual-plot", "textual-plot is not installed: pip install -e '.[bench]'"
        )
        return met
    from textual_plot import PlotWidget

    plot = PlotWidget()

    def theirs() -> None:
        plot.clear()
        for value in values:
            plot.plot(steps, value)
        plot._render_plot()

    (other,) = asyncio.run(_in_app(plot, (theirs,), rounds=3))
    return met & figure(
        "screen: chart frame / textual-plot", frame / other, 0.1, f"theirs {other * 1e3:.0f} ms"
    )


def _opened(c: float, home: Path) -> bool:
    """A run of a million points: read from the catalog, prepared, smoothed and drawn."""
    from cloudtui.areas.runs.charts import grouped_keys
    from cloudtui.widgets.chart import Chart, Plot
    from cloudtui_engine.catalog import Catalog, RunQuery
    from cloudtui_engine.paths import Paths

    catalog = Catalog.open(Paths(home))
    (run,) = catalog.runs.list(RunQuery(LONG))
    charts = (Chart("loss"), Chart("accuracy"))
    points = 0

    def ours() -> None:
        nonlocal points
        keys = catalog.metrics.keys(run.id)
        series = {one.key: one for one in catalog.metrics.series(run.id, keys, arrays=True)}
        points = sum(len(one.values) for one in series.values())
        for chart, group in zip(charts, grouped_keys(keys).values(), strict=True):
            chart.show([Plot(key, series[key].steps, series[key].values) for key in group])
            for y in range(SIZE[1]):
                chart.render_line(y)

    (taken,) = asyncio.run(_in_app(charts[0], (ours,), *charts[1:]))
    catalog.close()
    detail = f"{points} points of 4 metrics, two charts of {SIZE[0]}x{SIZE[1]} cells: {taken * 1e3:.1f} ms"
    return figure("screen: a run of a million points opened, in C", taken / c, 6.0, detail)


async def _in_app(
    widget: Any, works: tuple[Callable[[], object], ...], *others: Any, rounds: int = 7
) -> list[float]:
    """Median CPU seconds of each work, with the widget mounted in an app of the desktop's look."""
    from textual.app import App, ComposeResult

    from cloudtui import theme

    class Frame(App[None]):
        def compose(self) -> ComposeResult:
            yield widget
            yield from others

        def on_mount(self) -> None:
            for look in theme.THEMES:
                self.register_theme(look)
            self.theme = theme.DEFAULT
            for one in (widget, *others):
                one.styles.width, one.styles.height = SIZE

    async with Frame().run_test(size=SIZE) as pilot:
        await pilot.pause()
        taken: list[list[float]] = [[] for _ in works]
        for _ in range(rounds):
            for place, work in enumerate(works):
                taken[place].append(cpu(work))
                await pilot.pause()
    return [statistics.median(column) for column in taken]


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
