"""What was begun on this desktop and goes on without it: told of when it has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from cloudtui.bridge import Bridge
from cloudtui_engine.errors import CloudtuiError, NotFoundError, from_dict
from cloudtui_engine.records.fetch import FETCH
from cloudtui_engine.records.forward import LASTING
from cloudtui_engine.records.operation import Operation, OperationState
from cloudtui_engine.records.run import Run
from cloudtui_engine.sanitize import clean_line

_WAIT_FOR_HOST = frozenset({"run.stop"})
"""Operations that tell how far they are only while their host cannot be reached."""


class Underway:
    """Operations, and jobs that read data in place: no list shows them."""

    def __init__(self, app: App[Any], bridge: Bridge, failed: Callable[[CloudtuiError], None]) -> None:
        self._app = app
        self._bridge = bridge
        self._failed = failed
        self.operations: dict[str, str] = {}
        """What each is called, by its id."""
        self._reading: set[str] = set()
        self._waiting: set[str] = set()
        """Those of which it was said that they wait for a host."""

    def follow(self, operation: Operation, title: str) -> None:
        """It was asked for here."""
        self.operations[operation.id] = title
        if operation.kind != FETCH:  # of that the list opens, which shows how far it is
            self._app.notify(f"{title}: on its way.", timeout=3, markup=False)

    def follow_reading(self, run: Run) -> None:
        """Data is read in place by this job."""
        self._reading.add(run.id)
        machines = clean_line(", ".join(run.instances), 60)
        self._app.notify(f"It is read on {machines} ({run.name}).", timeout=6, markup=False)

    def changed(self) -> None:
        """Say which of them have ended."""
        for operation_id, title in list(self.operations.items()):
            try:
                operation = self._bridge.catalog.operations.get(operation_id)
            except NotFoundError:
                # The home was restored from a backup meanwhile: there is nothing more to say of it.
                del self.operations[operation_id]
                continue
            if operation.state.is_finished:
                del self.operations[operation_id]
            elif operation.kind in _WAIT_FOR_HOST and operation_id not in self._waiting:
                self._say_waiting(operation, title)
            if operation.state is OperationState.FAILED:
                self._failed(from_dict(dict(operation.error)))
            elif operation.state is OperationState.DONE and operation.kind not in LASTING:
                self._app.notify(self._done(operation) or f"{title}: done.", markup=False)
        self._say_read()

    def _done(self, operation: Operation) -> str:
        """Of data that was fetched, which version it is."""
        made = operation.result.get("dataset") if operation.kind == FETCH else None
        if not made:
            return ""
        dataset = self._bridge.catalog.datasets.get(str(made))
        return clean_line(f"{dataset.name} v{dataset.version} is ready, here.")

    def _say_waiting(self, operation: Operation, title: str) -> None:
        """Nothing else on the screen shows that a host which does not answer has been asked for something."""
        text = operation.progress.get("text")
        if text:
            self._waiting.add(operation.id)
            self._app.notify(
                clean_line(str(text), 200), title=title, severity="warning", timeout=8, markup=False
            )

    def _say_read(self) -> None:
        """What came of data that is read in place."""
        from cloudtui.handlers import in_place

        for run_id in list(self._reading):
            found = in_place.outcome(self._bridge.catalog, run_id)
            if found is None:
                continue
            self._reading.discard(run_id)
            if isinstance(found, CloudtuiError):
                self._failed(found)
            else:
                text = f"{found.name} v{found.version} is ready, {found.only_on or 'here'}."
                self._app.notify(clean_line(text), markup=False)
