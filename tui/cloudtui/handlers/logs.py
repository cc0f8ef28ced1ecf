"""The console log of an attempt, as lines that are safe to show, without holding a long one in memory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cloudtui.handlers.session import LeftRunning, Session
from cloudtui_engine.errors import NotFoundError
from cloudtui_engine.records.run import Run
from cloudtui_engine.sanitize import clean

_BLOCK = 64 * 1024
_LONGEST = 16 * 1024
"""A longer line is shown in pieces of this many bytes."""
POLL_S = 0.2
SETTLE_S = 1.0
"""How long after its end a run's log must have been still."""


@dataclass(frozen=True, slots=True)
class Log:
    """The log of one attempt. `lines` reads it."""

    run: Run
    attempt: int
    path: Path
    follow: bool
    tail: int | None
    _session: Session = field(repr=False)

    def lines(self) -> Iterator[str]:
        """Its lines; with `follow`, those that come until the run is over."""
        parts = _chunks(self.path, _start(self.path, self.tail))
        if self.follow:
            parts = self._growing(parts)
        return split(parts)

    def _growing(self, parts: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
        end = _start(self.path, self.tail)
        still_since: float | None = None
        try:
            while True:
                for at, part in parts:
                    end = at + len(part)
                    still_since = None
                    yield at, part
                now = time.monotonic()
                if not self._session.catalog.runs.get(self.run.id).status.is_finished:
                    still_since = None
                elif still_since is None:
                    still_since = now
                elif now - still_since > SETTLE_S:
                    return
                time.sleep(POLL_S)
                parts = _chunks(self.path, end)
        except KeyboardInterrupt:
            raise LeftRunning(
                f"Stopped reading; {self.run.name} is not affected.",
                f"Come back with: cloudtui run logs {self.run.id} -f",
            ) from None


def open_log(session: Session, run: Run, *, follow: bool, tail: int | None, attempt: int | None) -> Log:
    """The log of an attempt, by default the newest.

    Raises:
        NotFoundError: there is no such attempt.
    """
    number = run.attempt if attempt is None else attempt
    if not 1 <= number <= run.attempt:
        raise NotFoundError(f"{run.name} has no attempt {number}.", f"It has {run.attempt}.")
    if follow and number == run.attempt and not run.status.is_finished:
        session.ensure_engine()
    return Log(run, number, session.paths.console(run.id, number), follow, tail, session)


def split(parts: Iterator[tuple[int, bytes]]) -> Iterator[str]:
    """Lines of the parts, cleaned; of a line that was drawn over (a progress bar) the last state."""
    rest = b""
    for _at, part in parts:
        *whole, rest = (rest + part).split(b"\n")
        for line in whole:
            yield _shown(line)
        while len(rest) > _LONGEST:
            yield _shown(rest[:_LONGEST])
            rest = rest[_LONGEST:]
    if rest:
        yield _shown(rest)


def _shown(line: bytes) -> str:
    last = line.rstrip(b"\r").rpartition(b"\r")[2]
    return clean(last.decode("utf-8", errors="replace"))


def _chunks(path: Path, start: int) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            file.seek(start)
            at = start
            while part := file.read(_BLOCK):
                yield at, part
                at += len(part)
    except FileNotFoundError:
        return


def _start(path: Path, tail: int | None) -> int:
    """Where the last `tail` lines begin; 0 for all of them."""
    if tail is None:
        return 0
    try:
        with path.open("rb") as file:
            end = at = file.seek(0, os.SEEK_END)
            wanted = tail
            while at > 0:
                step = min(_BLOCK, at)
                at -= step
                file.seek(at)
                part = file.read(step)
                # The newline at the very end closes the last line; it begins none.
                stop = len(part) - 1 if at + step == end and part.endswith(b"\n") else len(part)
                while (stop := part.rfind(b"\n", 0, stop)) >= 0:
                    wanted -= 1
                    if wanted <= 0:
                        return at + stop + 1 if tail else end
            return 0 if tail else end
    except FileNotFoundError:
        return 0
