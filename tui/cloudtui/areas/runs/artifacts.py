"""The artifacts tab: the files that the run left, and which of them are here."""

from __future__ import annotations

from cloudtui import format as fmt
from cloudtui.areas.runs.tab import RunTab
from cloudtui.bridge import Bridge
from cloudtui.widgets.table import Column, Row, Table
from cloudtui_engine.records.run import Artifact
from cloudtui_engine.sanitize import clean_line

COLUMNS = (
    Column("File", 24, share=3),
    Column("Kind", 12, rank=2),
    Column("Size", 9, "right"),
    Column("Where", 14),
    Column("SHA-256", 12, rank=1, share=1),
)


class ArtifactsTab(RunTab):
    """A table of files."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.body = self.table = Table(COLUMNS)

    def load(self) -> None:
        """The list's record knows no files: read the whole run."""
        run = self.run_shown
        if run is not None:
            self.reader.ask(lambda: self.bridge.catalog.runs.get(run.id).artifacts, self._show)

    def _show(self, artifacts: tuple[Artifact, ...]) -> None:
        if not self.show_body(artifacts):
            live = self.run_shown is not None and not self.run_shown.status.is_finished
            self.notice.say("No files yet" if live else "This run left no files",
                            more="What it writes into CLOUDTUI_ARTIFACTS is kept when it ends.")  # fmt: skip
        self.table.show([artifact_row(artifact) for artifact in artifacts])


def artifact_row(artifact: Artifact) -> Row:
    """A file as cells."""
    here = ("here", "good") if artifact.local else ("on the host", "warn")
    return Row(
        artifact.name,
        (
            (clean_line(artifact.name, 120), ""),
            (clean_line(artifact.kind, 20), "muted"),
            (fmt.size(artifact.size_bytes), ""),
            here,
            (artifact.sha256[:12], "muted"),
        ),
    )
