"""Files to a host, as one stream: all of them verified and in place, or none that counts."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudtui_engine.errors import (
    BadInputError,
    CloudtuiError,
    FailedError,
    LinkTimeoutError,
    UnreachableError,
)
from cloudtui_engine.hosts import replies
from cloudtui_engine.hosts.bulk import STALL_S, BulkLane, OnProgress, reply_to
from cloudtui_engine.hosts.transport import Transport
from cloudtui_host import frames

SSH_PACKET = 32 * 1024 - 64
"""What paramiko puts into one packet: frames are whole packets, or every third would be nearly empty."""
FRAME = 2 * SSH_PACKET - frames.HEAD.size - frames.DATA_HEAD.size
"""A link that breaks loses at most one frame: larger ones were no faster."""
PART_BYTES = 2 * 1024 * 1024
"""Of a manifest that goes in one request."""
_ENTRY_BYTES = 160
"""An entry of a manifest without its path, of which a character takes 12 bytes at most (two of \\ud83d)."""
BUSY_S = 20.0
_COMMIT_S = 120.0
_COMMIT_BYTES_PER_S = 20e6


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of ours that is to be on a host."""

    source: Path
    path: str
    """Its name below the destination."""
    size: int
    sha256: str
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class PutResult:
    """What an upload did."""

    was_there: bool
    """Nothing had to be sent."""
    sent_bytes: int
    """This time; less than the total after a resume."""
    total_bytes: int


def put(
    transport: Transport,
    *,
    root: str,
    dest: str,
    files: Sequence[LocalFile],
    on_progress: OnProgress = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> PutResult:
    """Have all `files` at `dest` on the host: all of them, verified, or none that counts.

    After a cut the same call goes on where it was.

    Args:
        transport: connected; a second connection of it is used.
        root: our folder on the host; empty for the default.
        dest: `data/<sha>`, `trainer/<sha>` or `script/<sha>`.
        files: in a fixed order.
        on_progress: (bytes on the host, bytes in all).
        cancelled: asked several times a second; true ends the transfer within half a second.

    Raises:
        Cancelled: it was withdrawn. UnreachableError: the link broke; call again.
        CloudtuiError: it cannot be done.
    """
    total = sum(file.size for file in files)
    with BulkLane(transport, root, cancelled) as lane:
        if lane.request("have", {"dest": dest}, STALL_S).get("present") is True:
            on_progress(total, total)
            return PutResult(was_there=True, sent_bytes=0, total_bytes=total)
        offsets = _begin_put(lane, dest, files, _COMMIT_S + total / _COMMIT_BYTES_PER_S)
        missing = total - sum(offsets)
        sender = _Sender(lane, files, offsets)
        try:
            _watch(lane, sender, total, missing, on_progress)
        finally:
            lane.close()
            sender.join()
    on_progress(total, total)
    return PutResult(was_there=False, sent_bytes=missing, total_bytes=total)


def is_there(
    transport: Transport, *, root: str, dest: str, cancelled: Callable[[], bool] = lambda: False
) -> bool:
    """Whether content lies on the host already.

    Raises:
        Cancelled: it was withdrawn. UnreachableError: the link broke; call again.
    """
    with BulkLane(transport, root, cancelled) as lane:
        return lane.request("have", {"dest": dest}, STALL_S).get("present") is True


def _begin_put(lane: BulkLane, dest: str, files: Sequence[LocalFile], timeout: float) -> list[int]:
    """Tell the host what is to come; how many bytes of each file are there already."""
    offsets: list[int] = []
    parts = [*_parts(files)]
    for number, part in enumerate(parts, 1):
        request = {"dest": dest, "files": [_entry(file) for file in part], "more": number < len(parts)}
        offsets += _offsets(_ask_put(lane, request, timeout), part)
    return offsets


def _entry(file: LocalFile) -> dict[str, Any]:
    return {"path": file.path, "size": file.size, "sha256": file.sha256, "mode": file.mode}


def _parts(files: Sequence[LocalFile]) -> Iterator[list[LocalFile]]:
    """The files in parts whose manifests, and the replies to them, each fit into a frame."""
    part: list[LocalFile] = []
    size = 0
    for file in files:
        own = _ENTRY_BYTES + 12 * len(file.path)
        if part and size + own > PART_BYTES:
            yield part
            part, size = [], 0
        part.append(file)
        size += own
    yield part


def _ask_put(lane: BulkLane, request: Mapping[str, Any], timeout: float) -> dict[str, Any]:
    """The reply to `put`; the session of a connection that was cut may hold the place for a while."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            return lane.request("put", request, timeout)
        except CloudtuiError as error:
            if error.code != "busy":
                raise
            if time.monotonic() > deadline:
                raise UnreachableError(error.message, "It is tried again.") from error
        lane.next_frame()


def _offsets(reply: Mapping[str, Any], files: Sequence[LocalFile]) -> list[int]:
    found = reply.get("offsets")
    if not isinstance(found, dict):
        raise FailedError("The host's answer has no usable 'offsets'.", code="protocol")
    return [replies.whole(found, file.path, file.size) if file.path in found else 0 for file in files]


class _Sender:
    """The thread that sends all missing bytes and then `commit`; the caller's watches over it."""

    def __init__(self, lane: BulkLane, files: Sequence[LocalFile], offsets: Sequence[int]) -> None:
        self._lane, self._files, self._offsets = lane, files, offsets
        self.position = 0
        self.commit_id = 0
        self.error: CloudtuiError | None = None
        self._thread = threading.Thread(target=self._main, name="upload", daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(timeout=5)

    def _main(self) -> None:
        try:
            for chunk in _chunks(self._files, self._offsets):
                self._lane.send(frames.data(0, self.position, chunk))
                self.position += len(chunk)
            self.commit_id = self._lane.begin("commit", {})
        except CloudtuiError as error:
            self.error = error
        except OSError as error:
            self.error = BadInputError(f"{error.filename or 'A file'} cannot be read: {error.strerror}.")


def _chunks(files: Sequence[LocalFile], offsets: Sequence[int]) -> Iterator[bytes]:
    """The missing bytes of all files as one stream, in frames' sizes: small files share a frame."""
    waiting = bytearray()
    for file, offset in zip(files, offsets, strict=True):
        left = file.size - offset
        if not left:
            continue
        handle = os.open(file.source, os.O_RDONLY | os.O_CLOEXEC)
        try:
            while left:
                chunk = os.pread(handle, min(left, FRAME - len(waiting)), file.size - left)
                if not chunk:
                    raise BadInputError(f"{file.source} became shorter while it was sent.", "Try again.")
                left -= len(chunk)
                if not waiting and len(chunk) == FRAME:
                    yield chunk
                    continue
                waiting += chunk
                if len(waiting) == FRAME:
                    yield bytes(waiting)
                    waiting.clear()
        finally:
            os.close(handle)
    if waiting:
        yield bytes(waiting)


def _watch(lane: BulkLane, sender: _Sender, total: int, missing: int, on_progress: OnProgress) -> None:
    """Until the host has verified and kept all, or something says that it never will."""
    heard = time.monotonic()
    position = -1
    while True:
        found = lane.next_frame()
        now = time.monotonic()
        if sender.position != position:
            position, heard = sender.position, now
        if found is None:
            patience = STALL_S if not sender.commit_id else _COMMIT_S + total / _COMMIT_BYTES_PER_S
            if sender.error is not None:
                raise sender.error
            if now - heard > patience:
                raise LinkTimeoutError(
                    f"The upload to {lane.name} stood still for {patience:.0f} s.",
                    "What arrived is kept; try again.",
                )
            continue
        heard = now
        message = replies.parse(found[1]) if found[0] == frames.MESSAGE else None
        if message is None:
            continue
        if message.get("event") == "received":
            on_progress(total - missing + replies.whole(message, "bytes", missing), total)
        elif message.get("ok") is False or message.get("event") == "failed":
            raise replies.error(message.get("error"))
        elif sender.commit_id and reply_to(sender.commit_id, message) is not None:
            return
