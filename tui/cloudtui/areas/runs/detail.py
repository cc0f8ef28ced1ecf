"""One run: its charts, log, settings, machine and files, and the cursor that runs through it."""

from __future__ import annotations

from time import monotonic
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.timer import Timer

from cloudtui import format as fmt
from cloudtui.areas.runs.replay import Replay
from cloudtui.areas.runs.tab import RunTab
from cloudtui.areas.tab import Tab
from cloudtui.areas.tabbed import TabbedDetail
from cloudtui_engine.records.run import Run
from cloudtui_engine.sanitize import clean_line

FRAME_S = 0.1
"""Between two frames of a replay."""


class RunDetail(TabbedDetail):
    """The tabs of one run."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "replay", "Replay", show=False),
        Binding("less_than_sign", "speed(-1)", "Slower", show=False),
        Binding("greater_than_sign", "speed(1)", "Faster", show=False),
    ]

    TABS: ClassVar[dict[str, str]] = {
        "Charts": "cloudtui.areas.runs.charts:ChartsTab",
        "Log": "cloudtui.areas.runs.log:LogTab",
        "Config": "cloudtui.areas.runs.config:ConfigTab",
        "System": "cloudtui.areas.runs.system:SystemTab",
        "Artifacts": "cloudtui.areas.runs.artifacts:ArtifactsTab",
    }

    moment: float | None = None
    """Where the cursor of this run stands."""
    replay: Replay | None = None
    _timer: Timer | None = None
    _drawn_at = 0.0

    def show(self, record: Any) -> None:
        """Another run has another cursor."""
        if self.record is not None and (record is None or record.id != self.record.id):
            self._leave_replay()
        super().show(record)

    def heading(self, record: Run, now: float) -> tuple[str, str, str]:
        """The run, where it stands, and since when nobody could say so; while it is replayed, how far."""
        right, style = "", "muted"
        step = record.progress.get("step")
        if self.replay is not None:
            right, style = replay_text(self.replay), "busy"
        elif record.stale_since is not None and not record.status.is_finished:
            right, style = f"no link for {fmt.since(record.stale_since, now)}", "warn"
        elif isinstance(step, int | float):
            right = f"step {fmt.count(step)}"
        if record.attempt > 1 and self.replay is None:
            right = f"attempt {record.attempt}  {right}".strip()
        return clean_line(record.name, 60), right, style

    # One cursor

    def on_run_tab_moved(self, event: RunTab.Moved) -> None:
        """The cursor of one tab is that of all."""
        event.stop()
        if event.pinned and event.moment is None:
            self._leave_replay()
        elif event.pinned and self.replay is not None and event.moment is not None:
            self.replay.go(event.moment)
            self._draw_replay()
        elif self.replay is None:
            self.moment = event.moment
            self._tell(but=event.tab)

    def _reveal(self, tab: Tab) -> None:
        super()._reveal(tab)
        if isinstance(tab, RunTab) and self.moment is not None:
            tab.show_moment(self.moment, reveal=self.replay is not None)

    def _tell(self, but: RunTab | None = None) -> None:
        for tab in self._tabs.values():
            if isinstance(tab, RunTab) and tab is not but:
                tab.show_moment(self.moment, reveal=self.replay is not None)

    # Replay

    def action_replay(self) -> None:
        """Begin to replay the run from the cursor or from its start; pause; go on."""
        if self.replay is not None:
            self.replay.toggle()
        else:
            span = self.current.span if isinstance(self.current, RunTab) else None
            if span is None:
                return
            self.replay = Replay(*span, self.moment)
        self._drawn_at = monotonic()
        if self._timer is None:
            self._timer = self.set_interval(FRAME_S, self._next_frame)
        self._timer.resume()
        self._draw_replay()

    def action_speed(self, by: int) -> None:
        """Replay faster or slower."""
        if self.replay is not None:
            self.replay.faster(by)
            self._draw_strip()

    def _next_frame(self) -> None:
        now, before = monotonic(), self._drawn_at
        self._drawn_at = now
        if self.replay is None or not self.replay.playing:
            if self._timer is not None:
                self._timer.pause()
            return
        self.replay.advance(now - before)
        self._draw_replay()

    def _draw_replay(self) -> None:
        if self.replay is not None:
            self.moment = self.replay.at
            self._tell()
            self._draw_strip()

    def _leave_replay(self) -> None:
        self.replay = self.moment = None
        self._tell()
        self._draw_strip()


def replay_text(replay: Replay) -> str:
    """`▶ replay x20  3m 05s of 6m 10s`."""
    sign = "▶ replay" if replay.playing else "■ end" if replay.at >= replay.end else "‖ paused"
    done, whole = replay.at - replay.begin, replay.end - replay.begin
    return f"{sign} x{replay.speed}  {fmt.duration(done)} of {fmt.duration(whole)}"
