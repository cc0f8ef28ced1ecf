"""What the run tells: records in the journal, lines for people on the console."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from cloudtui_host.journal import MAX_LINE, JournalWriter, encode_line, plain

PROGRESS_EVERY_S = 1.0
_PLACE = ("step", "steps", "epoch", "epochs")


class Recorder:
    """The one writer of an attempt's journal. A full disk costs records, never the run."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._journal = JournalWriter(str(path))
        self._progress_at = 0.0
        self._place: dict[str, Any] = {}
        self._deaf = False
        self._done = False

    def say(self, line: str) -> None:
        """A line for the person who reads the console."""
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except OSError:
            self._deaf = True

    def metric(self, step: int, values: Mapping[str, float]) -> None:
        """Points of curves: `step` is the number of updates done."""
        self._write("metric", step=step, values={key: _short(value) for key, value in values.items()})

    def progress(self, *, now: bool = False, **fields: Any) -> None:
        """How far it is; told once a second at most, unless `now`.

        Where the run is stands in every record from the first that says it: the last one is what is kept.
        """
        self._place |= {key: fields[key] for key in _PLACE if key in fields}
        at = time.monotonic()
        if now or at - self._progress_at >= PROGRESS_EVERY_S:
            self._progress_at = at
            self._write("progress", flush=now, **{**self._place, **fields})

    def event(self, name: str, **data: Any) -> None:
        """Something happened. A `text` in the data is for people and goes to the console, too."""
        self._write("event", flush=True, name=name, data=data)
        if "text" in data:
            self.say(f"{data['text']} {data.get('hint', '')}".rstrip())

    def report(self, name: str, data: Mapping[str, Any]) -> None:
        """A whole result. One that is too long for a line goes without its longest tables."""
        fields: dict[str, Any] = {"name": name, "data": without_nan(data)}
        for table in ("errors", "confusion", "classes"):
            if len(encode_line(fields)) < MAX_LINE - 1024:
                break
            fields["data"] = {**fields["data"], table: [], f"{table}_left_out": True}
        self._write("report", **fields)

    def done(self, reason: str, message: str = "") -> None:
        """The last record: completed, stopped or failed."""
        self._done = True
        self._write("done", flush=True, reason=reason, message=message)

    def flush(self) -> None:
        """Hand all records to the kernel."""
        self._guarded(self._journal.flush)

    def _write(self, kind: str, *, flush: bool = False, **fields: Any) -> None:
        self._guarded(lambda: self._journal.write(kind, flush=flush, **fields))

    def _guarded(self, write: Any) -> None:
        try:
            write()
        except OSError as error:
            if not self._deaf:
                self._deaf = True
                self.say(
                    f"Cannot write the journal ({error.strerror}); some points of the curves will be missing."
                )

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and not self._done:
            self.done("failed", f"{kind.__name__}: {error}"[:2000])
        self._guarded(self._journal.close)


def without_nan(value: Any) -> Any:
    """The same with None for every number that is not finite, as JSON has none of those."""
    if isinstance(value, dict):
        return {key: without_nan(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _short(value: float) -> Any:
    """A number as the journal can hold it, without digits that no one reads."""
    number = plain(value)
    return float(f"{number:.7g}") if isinstance(number, float) else number
