"""Files from a host, as one stream: each verified before it has its name, none outside one folder."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudtui_engine.errors import BadInputError, FailedError, LinkTimeoutError
from cloudtui_engine.hosts import replies
from cloudtui_engine.hosts.bulk import STALL_S, BulkLane, OnProgress
from cloudtui_engine.hosts.landing import Arrival, Landing, checked_path
from cloudtui_engine.hosts.transport import Transport
from cloudtui_host import frames

ACK_EVERY = 512 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file of a host, as its artifact list declared it."""

    path: str
    size: int
    sha256: str


def get(
    transport: Transport,
    *,
    root: str,
    base: str,
    files: Sequence[RemoteFile],
    into: Path,
    on_progress: OnProgress = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Have all `files` from `base` on the host below `into`: each whole and verified before it has its name.

    After a cut the same call goes on where it was. Never more than the declared sizes is written.

    Args:
        transport: connected; a second connection of it is used.
        root: our folder on the host; empty for the default.
        base: the folder there, relative to the root.
        files: as declared by the host earlier.
        into: the folder here; nothing outside it is touched.
        on_progress: (bytes here, bytes in all).
        cancelled: asked several times a second.

    Raises:
        Cancelled: it was withdrawn. UnreachableError: the link broke; call again.
        CloudtuiError: it cannot be done.
    """
    _check(files)
    total = sum(file.size for file in files)
    with Landing(into) as landing:
        wanted = [file for file in files if not landing.holds(file.path, file.size, file.sha256)]
        if not wanted:
            on_progress(total, total)
            return
        with BulkLane(transport, root, cancelled) as lane:
            _Receiver(lane, landing, wanted, total, on_progress).run(base)
    on_progress(total, total)


def _check(files: Sequence[RemoteFile]) -> None:
    seen: set[str] = set()
    for file in files:
        checked_path(file.path)
        if file.path in seen or file.size < 0 or not _SHA256.fullmatch(file.sha256):
            raise BadInputError(
                f"The list of files has no usable entry for {file.path!r}.", "List them again."
            )
        seen.add(file.path)


class _Receiver:
    """One `get`."""

    def __init__(
        self,
        lane: BulkLane,
        landing: Landing,
        wanted: Sequence[RemoteFile],
        total: int,
        on_progress: OnProgress,
    ) -> None:
        self._lane, self._landing, self._on_progress = lane, landing, on_progress
        self._total = total
        self._wanted = wanted
        self._here = total - sum(file.size for file in wanted)
        self._position = 0
        self._acknowledged = 0

    def run(self, base: str) -> None:
        offsets = [self._landing.offset_of(file.path, file.size, file.sha256) for file in self._wanted]
        request = {
            "base": base,
            "files": [
                {"path": file.path, "offset": offset}
                for file, offset in zip(self._wanted, offsets, strict=True)
            ],
        }
        if len(frames.message(request)) > frames.MAX_ACCEPTED:
            raise BadInputError(
                f"{len(self._wanted)} files are too many for one transfer.", "Pull fewer at a time."
            )
        self._check_sizes(self._lane.request("get", request, STALL_S))
        self._here += sum(offsets)
        waiting: Iterator[memoryview] = self._data(sum(f.size for f in self._wanted) - sum(offsets))
        rest = memoryview(b"")
        for file in self._wanted:
            arrival = self._landing.arrive(file.path, file.size, file.sha256)
            try:
                rest = self._fill(arrival, rest, waiting)
            finally:
                arrival.close()

    def _check_sizes(self, reply: Mapping[str, Any]) -> None:
        listed = reply.get("files")
        sizes = {
            entry["path"]: entry.get("size")
            for entry in (listed if isinstance(listed, list) else ())
            if isinstance(entry, dict) and isinstance(entry.get("path"), str)
        }
        for file in self._wanted:
            if sizes.get(file.path) != file.size:
                raise FailedError(
                    f"{file.path} on {self._lane.name} is not the file that was listed: its size is another.",
                    "List the results again.",
                    code="changed",
                )

    def _fill(self, arrival: Arrival, rest: memoryview, waiting: Iterator[memoryview]) -> memoryview:
        """Complete one file; what came beyond it is the beginning of the next."""
        while arrival.missing:
            if not rest:
                rest = next(waiting)
            part, rest = rest[: arrival.missing], rest[arrival.missing :]
            arrival.write(part)
            self._here += len(part)
        arrival.finish()
        self._on_progress(self._here, self._total)
        return rest

    def _data(self, expected: int) -> Iterator[memoryview]:
        """The stream's bytes, in order, never more than `expected`; acknowledged as they are used."""
        heard = time.monotonic()
        while self._position < expected:
            found = self._lane.next_frame()
            if found is None:
                if time.monotonic() - heard > STALL_S:
                    raise LinkTimeoutError(
                        f"The download from {self._lane.name} stood still for {STALL_S:.0f} s.",
                        "What arrived is kept; try again.",
                    )
                continue
            heard = time.monotonic()
            if found[0] == frames.MESSAGE:
                self._take_message(found[1])
                continue
            stream, offset, chunk = frames.split_data(found[1])
            if stream != 0 or offset != self._position or not 0 < len(chunk) <= expected - offset:
                raise FailedError(
                    f"{self._lane.name} sends other bytes than were asked for.", code="protocol"
                )
            self._position += len(chunk)
            yield chunk
            self._acknowledge()

    def _acknowledge(self) -> None:
        if self._position - self._acknowledged >= ACK_EVERY:
            self._acknowledged = self._position
            args = {"stream": 0, "offset": self._position}
            self._lane.send(frames.message({"id": 0, "verb": "ack", "args": args}))
            self._on_progress(self._here, self._total)
            self._lane.raise_if_cancelled()

    def _take_message(self, payload: bytes) -> None:
        message = replies.parse(payload)
        if message is None:
            return
        if message.get("ok") is False or message.get("event") == "failed":
            raise replies.error(message.get("error"))
        if message.get("event") == "sent":
            raise FailedError(f"{self._lane.name} ended the download before all was sent.", code="protocol")
