"""The focused panel as an SVG, as it stands on the screen; nothing in it is fetched from anywhere."""

from __future__ import annotations

import asyncio
import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cloudtui.areas.area import Area
from cloudtui.areas.pane import ListPane
from cloudtui.areas.parts import Detail
from cloudtui.widgets.chart import Chart
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from textual.app import App
    from textual.geometry import Region
    from textual.widget import Widget

    from cloudtui.actions import Action
    from cloudtui.bridge import Bridge

_FONT_FACE = re.compile(r"@font-face \{\{.*?\}\}", re.DOTALL)
"""Rich's template fetches a font from a server; the reader's own monospace does as well."""


class Picture(NamedTuple):
    """What was on the screen."""

    title: str
    svg: str


def taken(app: App[Any]) -> Picture:
    """The panel that has the focus; without one, the whole screen."""
    panel = panel_of(app.focused)
    if panel is None:
        return Picture(app.title, _drawn(app, app.title, app.screen.region))
    title = _title(panel)
    return Picture(title, _drawn(app, title, panel.region))


def panel_of(focused: Widget | None) -> Widget | None:
    """The panel that the focus is in: a chart, a list or a detail."""
    lineage = focused.ancestors_with_self if focused is not None else ()
    return next((one for one in lineage if isinstance(one, Chart | ListPane | Detail)), None)


def _title(panel: Widget) -> str:
    """What it shows: the chart's name, the record's, else the area's."""
    if isinstance(panel, Chart):
        return panel.title
    record = getattr(panel, "record", None) if isinstance(panel, Detail) else None
    if record is not None:
        return clean_line(str(record.name), 80)
    return next((one.TITLE for one in panel.ancestors if isinstance(one, Area)), "cloudtui")


def _drawn(app: App[Any], title: str, region: Region) -> str:
    from rich._export_format import CONSOLE_SVG_FORMAT
    from rich.console import Console
    from rich.segment import Segment, Segments

    shown = region.intersection(app.screen.region)
    strips = app.screen._compositor.render_strips()[shown.y : shown.bottom]
    console = Console(
        width=shown.width, height=shown.height, file=io.StringIO(), force_terminal=True,
        color_system="truecolor", record=True, legacy_windows=False, safe_box=False,
    )  # fmt: skip
    for strip in strips:
        console.print(Segments([*strip.crop(shown.x, shown.right), Segment.line()]), end="")
    return console.export_svg(title=clean_line(title, 80), code_format=_FONT_FACE.sub("", CONSOLE_SVG_FORMAT))


async def _without_notices(app: App[Any]) -> Picture:
    """What is told in a corner just now is not part of the panel below it."""
    notices = app.screen.query("#textual-toastrack")
    notices.set(display=False)
    drawn = asyncio.Event()
    app.screen.call_after_refresh(drawn.set)
    await drawn.wait()
    try:
        return taken(app)
    finally:
        notices.set(display=True)


async def take(app: App[Any], bridge: Bridge, action: Action) -> None:
    """Ask where to, write it there, and say where it is. The picture is that of before the question."""
    from cloudtui.dialogs.fields import fields_of
    from cloudtui.dialogs.files import suggested
    from cloudtui.dialogs.form import FormDialog
    from cloudtui.handlers.writing import target_of, write_whole

    picture = await _without_notices(app)
    fields = suggested(fields_of(action, {}, {}), action, picture.title)

    def write(name: str) -> Path:
        target = target_of(name if Path(name).suffix else f"{name}.svg", replace=False)
        write_whole(target, picture.svg)
        return target

    async def carry(filled: dict[str, Any]) -> Path:
        return await bridge.in_thread(write, str(filled["file"]))

    target = await app.push_screen_wait(FormDialog(action, fields, {}, "OK", carry))
    if target is not None:
        app.notify(clean_line(str(target)), title=f"{action.title}: written", timeout=8, markup=False)
