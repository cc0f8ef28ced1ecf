"""What the filter line of runs knows, read beside the screen and kept between two openings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.widget import Widget

from cloudtui.bridge import Bridge, Reader
from cloudtui_engine.errors import CloudtuiError

if TYPE_CHECKING:
    from cloudtui.widgets.query_line import Known


class Finding:
    """Words and history for the line in which runs are looked for."""

    def __init__(self, owner: Widget, bridge: Bridge) -> None:
        self._owner = owner
        self._bridge = bridge
        self._reader = Reader(owner, bridge, self._failed)
        self.known: Known | None = None
        """What was read last; the line begins with it while newer words are on their way."""

    def read(self, done: Callable[[Known], None]) -> None:
        """Read it anew in a thread."""

        def learned(known: Known) -> None:
            self.known = known
            done(known)

        self._reader.ask(self._read, learned)

    def remember(self, text: str) -> None:
        """A filter was kept: it can be taken up again, after a restart too."""
        from cloudtui_engine.catalog import finding

        self._owner.run_worker(
            self._bridge.in_thread(finding.remember, self._bridge.catalog, text),
            group="read",
            exit_on_error=False,
        )

    def _read(self) -> Known:
        from cloudtui.widgets.query_line import Known
        from cloudtui_engine.catalog import finding, views

        catalog = self._bridge.catalog
        return Known(finding.vocabulary(catalog), finding.history(catalog), views.views(catalog))

    def _failed(self, error: CloudtuiError) -> None:
        """The line goes on with the words of the language; the list says by itself that it cannot be read."""
        self._owner.log(error.message)
