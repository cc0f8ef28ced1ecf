"""One run: its charts, log, settings, machine and files."""

from __future__ import annotations

from typing import ClassVar

from cloudtui import format as fmt
from cloudtui.areas.tabbed import TabbedDetail
from cloudtui_engine.records.run import Run
from cloudtui_engine.sanitize import clean_line


class RunDetail(TabbedDetail):
    """The tabs of one run."""

    TABS: ClassVar[dict[str, str]] = {
        "Charts": "cloudtui.areas.runs.charts:ChartsTab",
        "Log": "cloudtui.areas.runs.log:LogTab",
        "Config": "cloudtui.areas.runs.config:ConfigTab",
        "System": "cloudtui.areas.runs.system:SystemTab",
        "Artifacts": "cloudtui.areas.runs.artifacts:ArtifactsTab",
    }

    def heading(self, record: Run, now: float) -> tuple[str, str, str]:
        """The run, where it stands, and since when nobody could say so."""
        right, style = "", "muted"
        step = record.progress.get("step")
        if record.stale_since is not None and not record.status.is_finished:
            right, style = f"no link for {fmt.since(record.stale_since, now)}", "warn"
        elif isinstance(step, int | float):
            right = f"step {fmt.count(step)}"
        if record.attempt > 1:
            right = f"attempt {record.attempt}  {right}".strip()
        return clean_line(record.name, 60), right, style
