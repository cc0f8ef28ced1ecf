"""Followed bytes into the catalog: each line once, whatever is killed meanwhile.

The guard is the cursor: records and its move from the offset where it was read are one transaction.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CatalogError, FailedError
from cloudtui_engine.records.source import Source
from cloudtui_engine.runs import console_log, console_times
from cloudtui_engine.runs.columns import KeyCleaner, collect, number
from cloudtui_engine.runs.intake import GpuSamples, Intake, gpu_columns
from cloudtui_engine.runs.journal_lines import JournalParser, Record

CONSOLE = "console"
SYSTEM = "system"
MARK = "console"
"""The kind of a record that says how long the console was."""
FRESH_S = 60.0
"""An older sample says nothing of how the machine is now."""


class StaleCursor(FailedError):  # noqa: N818 - the cursor is what it is about
    """Another ingest has moved the cursor, or an alarm has stopped the source: nothing was stored."""

    code = "stale_cursor"


@dataclass(frozen=True, slots=True)
class Committed:
    """What one commit stored."""

    offset: int
    """All before it is in the catalog."""
    records: list[dict[str, Any]]
    """Progress, events, artifacts, reports and done, in order and made safe; no points and no samples."""


class Ingest:
    """Takes the bytes of one source in, from its cursor on.

    Args:
        catalog: where to.
        source: the cursor as it was opened.
        clock_offset_s: host clock + this = our clock.

    Raises:
        CatalogError: the console log on this machine cannot be brought in line with the cursor.
    """

    def __init__(self, catalog: Catalog, source: Source, clock_offset_s: float) -> None:
        self._catalog = catalog
        self._source = source
        self._shift = clock_offset_s
        self._waiting: list[bytes] = []
        self._size = 0
        self._clean = KeyCleaner()
        self._parser = JournalParser()
        if source.name == CONSOLE:
            self._source = self._matching_log()

    @property
    def source(self) -> Source:
        """The cursor as it is now."""
        return self._source

    def feed(self, offset: int, data: bytes) -> None:
        """Take the bytes that follow those already taken.

        Raises:
            ValueError: they do not follow.
        """
        expected = self._source.offset + self._size
        if offset != expected:
            raise ValueError(f"Bytes of {self._source.name} at {offset}: those at {expected} come next.")
        self._waiting.append(data)
        self._size += len(data)

    def commit(self) -> Committed | None:
        """Store all complete lines (of a console: all bytes) in one transaction; None when there are none.

        Raises:
            StaleCursor: somebody else has; open the source again.
            CatalogError: they could not be stored; nothing was, and a second try may succeed.
        """
        data = b"".join(self._waiting)
        self._waiting = [data] if data else []
        return self._commit_console(data) if self._source.name == CONSOLE else self._commit_journal(data)

    def _commit_journal(self, data: bytes) -> Committed | None:
        lines = self._parser.parse(data)
        if not lines.used:
            return None
        samples = [record for record in lines.records if record.get("kind") == "system"]
        marks = [record for record in lines.records if record.get("kind") == MARK]
        points = collect(lines.groups, lines.metrics, self._shift, self._clean)
        run, attempt = self._source.run_id, self._source.attempt
        intake = Intake(self._catalog, self._source, self._shift, self._clean)
        with self._catalog.write():
            moved = self._move(data[: lines.used])
            for record in lines.records:
                # What a host writes as a kind need not be hashable.
                if record.get("kind") not in ("system", MARK):
                    intake.take(record)
            intake.finish()
            bad = lines.damaged + points.bad + intake.bad
            bad += self._catalog.metrics.append(run, attempt, points.points, first_step=points.first_step)
            bad += self._store_samples(samples) + self._store_marks(marks)
            if bad:
                moved = self._note_damage(moved, bad)
        self._advance(moved, data[lines.used :])
        return Committed(moved.offset, intake.taken)

    def _commit_console(self, data: bytes) -> Committed | None:
        if not data:
            return None
        run, attempt = self._source.run_id, self._source.attempt
        with self._catalog.write(f"log:{run}"):
            moved = self._move(data)
            try:
                console_log.append(self._catalog.paths.console(run, attempt), self._source.offset, data)
            except OSError as error:
                raise CatalogError(
                    f"The console log of run {run} cannot be written: {error.strerror}.", "Free some space."
                ) from error
        self._advance(moved, b"")
        return Committed(moved.offset, [])

    def _store_samples(self, samples: list[Record]) -> int:
        """Samples as series, and the newest GPUs at the instance; returns how much was no sample."""
        if not samples:
            return 0
        source = self._source
        columns = collect((), enumerate(samples), self._shift, self._clean, step="seq")
        gpus, newest = gpu_columns(samples, self._shift)
        bad = columns.bad
        bad += self._catalog.metrics.append(
            source.run_id, source.attempt, columns.points | gpus, scope="system"
        )
        bad += newest.bad
        self._catalog.gpu_use.add(source.instance_id, newest.all)
        self._show(newest)
        return bad

    def _store_marks(self, marks: list[Record]) -> int:
        """When the console was how long; returns how much of it was no mark."""
        source = self._source
        if source.name != SYSTEM:  # whoever watches over the job says that, and nobody else
            return len(marks)
        found = console_times.points_of(marks, self._shift)
        self._catalog.metrics.mark_console(source.run_id, source.attempt, found)
        return len(marks) - len(found)

    def _show(self, newest: GpuSamples) -> None:
        """Keep it as the machine's state of now, which it is not while old journals are read."""
        now = time.time()
        at = min(newest.t, now)
        if not newest.gpus or now - at > FRESH_S:
            return
        instances, instance_id = self._catalog.instances, self._source.instance_id
        before = {gpu.get("index"): gpu for gpu in instances.get(instance_id).gpus}
        shown = [number(gpu.get("t")) for gpu in before.values()]
        # A sample of a clock that was ahead does not stand for ever.
        if all(t is None or t < at or t > now for t in shown):
            # Samples do not tell who uses a GPU: what the newest look found stays.
            users = {index: gpu.get("processes") or [] for index, gpu in before.items()}
            found = [{**gpu, "processes": users.get(gpu["index"], []), "t": at} for gpu in newest.gpus]
            instances.update(instance_id, gpus=found)

    def _note_damage(self, moved: Source, bad: int) -> Source:
        if not moved.damaged:
            what = f"The {moved.name} journal of attempt {moved.attempt}"
            text = f"{what} has lines that are no records; they are left out."
            self._catalog.events.add(
                moved.run_id, "warning", "damaged_lines", text, {"attempt": moved.attempt}
            )
        self._catalog.sources.count_damaged(moved.id, bad)
        return replace(moved, damaged=moved.damaged + bad)

    def _move(self, data: bytes) -> Source:
        """The cursor behind `data`, in the transaction; nothing is stored where it was not before it."""
        tail = (self._source.tail + data[-console_log.TAIL :])[-console_log.TAIL :]
        return self._set(self._source.offset + len(data), tail)

    def _set(self, offset: int, tail: bytes) -> Source:
        if not self._catalog.sources.advance(self._source, offset, tail):
            raise StaleCursor(
                f"The {self._source.name} source of run {self._source.run_id} was moved by somebody else.",
                "Open it again.",
            )
        return replace(self._source, offset=offset, tail=tail)

    def _advance(self, moved: Source, left: bytes) -> None:
        self._source = moved
        self._waiting = [left] if left else []
        self._size = len(left)

    def _matching_log(self) -> Source:
        """Make both agree: the log loses what was not committed, the cursor what is not in the log."""
        path = self._catalog.paths.console(self._source.run_id, self._source.attempt)
        try:
            here, tail = console_log.cut_back(path, self._source.offset)
        except OSError as error:
            raise CatalogError(
                f"The console log of run {self._source.run_id} cannot be opened: {error.strerror}.",
                "Free some space, or let this user write there.",
            ) from error
        if here == self._source.offset:
            return self._source
        with self._catalog.write(f"log:{self._source.run_id}"):
            return self._set(here, tail)
