"""One compression: size against speed, its variants, and why each is judged as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from cloudtui import format as fmt
from cloudtui.areas.compression import tried
from cloudtui.areas.compression.tried import Tried
from cloudtui.areas.headed import Headed
from cloudtui.areas.parts import Detail
from cloudtui.bridge import Bridge
from cloudtui.reported import items, mapping, number
from cloudtui.widgets.foot import Foot
from cloudtui.widgets.head import Head
from cloudtui.widgets.notice import Notice
from cloudtui.widgets.pareto import Pareto, Point
from cloudtui.widgets.table import Table
from cloudtui_engine.records.run import RunState
from cloudtui_engine.sanitize import clean_line


class CompressionDetail(Headed, Detail):
    """A plot beside a table; below them the sentence of the variant under the cursor."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(classes="detail")
        self.bridge = bridge
        self.record: Tried | None = None
        self.head = Head("")
        self.notice = Notice()
        self.plot = Pareto()
        self.table = Table(tried.VARIANT_COLUMNS)
        self.why = Static("", markup=False, classes="why")
        self.foot = Foot()
        self.body = Container(self.plot, self.table, classes="variants")

    def compose(self) -> ComposeResult:
        """Head, plot and table, the sentence, what it all rests on."""
        for widget in (self.head, self.notice, self.body, self.why, self.foot):
            widget.display = False
        yield self.head
        yield self.notice
        yield self.body
        yield self.why
        yield self.foot

    def show(self, record: Tried | None) -> None:
        """Show this compression as far as it is measured."""
        before, self.record = self.record, record
        self.tick()
        found = record.variants if record is not None else []
        self.head.display = record is not None
        for widget in (self.body, self.why, self.foot):
            widget.display = bool(found)
        self.notice.display = record is not None and not found
        if record is None or not found:
            if record is not None:
                self._say_nothing(record)
            return
        chosen = record.report.get("chosen")
        self.table.show([tried.variant_row(one, chosen) for one in found])
        if before is None or before.id != record.id or (chosen and before.report.get("chosen") != chosen):
            self.table.select(clean_line(str(chosen or found[0].get("id", "?")), 60))
        self.foot.show(tried.noise(record.report) or tried.basis(record.report), "")
        self._draw()

    def tick(self) -> None:
        """Time left, and how long there was no link."""
        if self.record is not None:
            title, right, style = tried.heading(self.record, self.bridge.now())
            self.head.show(title, right=right, right_style=style)
        else:
            self.head.show("")

    def focus_inside(self) -> None:
        """The table takes the keys."""
        if self.body.display:
            self.table.focus()

    def on_table_highlighted(self, event: Table.Highlighted) -> None:
        """Another variant."""
        event.stop()
        self._draw()

    def on_table_opened(self, event: Table.Opened) -> None:
        """There is nothing further inside."""
        event.stop()

    def _draw(self) -> None:
        record = self.record
        if record is None:
            return
        key = self.table.cursor_key or ""
        size = number(mapping(record.report.get("baseline")).get("size_bytes")) or 0.0
        self.plot.show(points(record), key, size)
        one = next((v for v in record.variants if clean_line(str(v.get("id", "?")), 60) == key), None)
        self.why.update("\n".join(sentences(record, one)))

    def _say_nothing(self, record: Tried) -> None:
        run = record.run
        if run is not None and run.status in {RunState.FAILED, RunState.LOST}:
            reason = clean_line(run.reason, 300) or "Its log says more."
            self.notice.say(
                str(fmt.RUN_MARKS[run.status]), more=reason, style="bad", begin="c compress again"
            )
        elif run is not None and run.status.is_finished:
            self.notice.say("Nothing was measured", more="It ended before the first candidate.")
        else:
            text = run.progress.get("text") if run is not None else ""
            said = clean_line(text, 120) if isinstance(text, str) and text else ""
            self.notice.say(
                "Nothing measured yet", more=said or "Candidates appear here as they are measured."
            )


def points(record: Tried) -> list[Point]:
    """The variants as points of the plot; the chosen one is a diamond."""
    chosen = record.report.get("chosen")
    found = []
    for one in record.variants:
        speed, size = number(one.get("latency_ratio")), number(one.get("size_ratio"))
        if not speed or not size or speed <= 0 or size <= 0:
            continue
        glyph, _, style = tried.verdict(one)
        picked = bool(chosen) and one.get("id") == chosen
        name = clean_line(str(one.get("id", "?")), 60)
        found.append(Point(name, speed, size, "◆" if picked else glyph, "accent" if picked else style))
    return found


def sentences(record: Tried, one: Mapping[str, Any] | None) -> list[str]:
    """Why the variant under the cursor is judged so, on which rows, and what the whole rests on."""
    lines = []
    if one is not None:
        picked = record.report.get("chosen") == one.get("id")
        rows = fmt.count(number(one.get("n")))
        said = clean_line(str(one.get("why") or ""), 300)
        on = f"on {rows} rows of {clean_line(str(one.get('split') or ''), 12)}"
        lines.append(f"{'Chosen. ' if picked else ''}{said} ({on})".strip())
    lines.append(tried.basis(record.report))
    lines += [clean_line(note, 200) for note in items(record.report.get("notes")) if isinstance(note, str)][
        :2
    ]
    return lines
