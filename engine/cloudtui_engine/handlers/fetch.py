"""`dataset.fetch`: objects of a store are brought here, and a dataset version is made of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.errors import UsageError
from cloudtui_engine.handlers.context import PROGRESS_EVERY_S, Context, Withdrawn
from cloudtui_engine.objects.address import parse
from cloudtui_engine.objects.bringing import bring
from cloudtui_engine.objects.building import Wanted, build
from cloudtui_engine.objects.stage import Stage
from cloudtui_engine.records.operation import Operation


def fetch(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Bring it and make it; what came stays until a version was made, or nobody wants it any more.

    Returns:
        `{"dataset": id}`.
    """
    source, watch = str(operation.args["source"]), _Watch(context, operation)
    address = parse(source)
    if address is None:
        raise UsageError(f"{source} is no address of objects.")
    stage = Stage(context.paths.home / "downloads", address)
    try:
        brought = bring(address, stage, watch.wanted, watch.wait)
        wanted = Wanted(
            home=str(context.paths.home),
            name=str(operation.args["name"]),
            path=str(brought.path),
            source=source,
            taken=brought.taken,
            wishes=operation.args.get("wishes") or {},
        )
        made = build(wanted, watch.report, watch.check)
    except Withdrawn:
        if not context.closing.is_set():
            stage.remove()
        raise
    stage.remove()
    return {"dataset": made}


class _Watch:
    """How far it is, told; and whether it is still wanted, asked."""

    def __init__(self, context: Context, operation: Operation) -> None:
        self._context, self._operation = context, operation
        self._next = 0.0
        self._said = ""

    def wanted(self, text: str, done: int, total: int) -> None:
        """As `report`.

        Raises:
            Withdrawn: as `check`.
        """
        self.check()
        self.report(text, done, total)

    def report(self, text: str, done: int, total: int) -> None:
        """At most four times a second, and at once where another kind of work begins."""
        now, kind = time.monotonic(), text.partition(" ")[0]
        if kind == self._said and now < self._next and done != total:
            return
        self._said, self._next = kind, now + PROGRESS_EVERY_S
        told: dict[str, Any] = {"text": text} | ({"done": done, "total": total} if total else {})
        self._context.catalog.operations.set_progress(self._operation.id, told)

    def check(self) -> None:
        """See that it is wanted.

        Raises:
            Withdrawn: it is not, or this engine ends.
        """
        state = self._context.catalog.operations.get(self._operation.id).state
        if self._context.closing.is_set() or state.is_finished:
            raise Withdrawn

    def wait(self, seconds: float) -> bool:
        """Let time pass."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check()
            self._context.closing.wait(min(left, PROGRESS_EVERY_S))
        return False
