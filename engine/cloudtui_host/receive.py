"""Files that come as one stream, into a folder that is put in place when all of them are right."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional, Tuple

from cloudtui_host import files, layout
from cloudtui_host.ahead import Ahead
from cloudtui_host.errors import HostError
from cloudtui_host.manifest import Entry
from cloudtui_host.staging import Opened, Staging

SPARE_BYTES = 16 << 20
_BLOCK = 4096
_WRITE_BACK_EVERY = 16 << 20


class Receipt:
    """A `put` under way: `add` each part of its manifest, `begin`, `write` the stream, `commit`.

    It owns a staging folder beside `dest` that outlives a cut. Where `dest` is there, nothing is wanted.

    Args:
        root: the root on this host.
        dest: the folder to fill, relative to it.

    Raises:
        HostError: malformed arguments; busy (another session sends the same).
    """

    def __init__(self, root: str, dest: Any) -> None:
        target = os.path.join(root, layout.content(dest))
        parent = os.path.dirname(target)
        os.makedirs(parent, mode=0o700, exist_ok=True)
        found = os.statvfs(parent)
        self.dest = dest
        self.free_bytes = found.f_frsize * found.f_bavail
        self.began = False
        self.received = 0
        self._entries: Dict[str, Entry] = {}
        self._hashed: Dict[str, str] = {}
        self._wanted: List[Tuple[Entry, int]] = []
        self._index = 0
        self._opened: Optional[Opened] = None
        self._left = 0
        self._ahead: Optional[Ahead] = None
        self._staging = None if os.path.isdir(target) else Staging(target)
        try:
            self._found = self._staging.sizes() if self._staging else {}
        except OSError:
            self.close()
            raise

    def add(self, entries: Dict[str, Entry]) -> Dict[str, int]:
        """Take a part of the manifest; how many bytes of each of its files are here already.

        Raises:
            HostError: it names a file that another part names.
        """
        twice = next((path for path in entries if path in self._entries), None)
        if twice is not None:
            raise HostError("bad_request", "%s stands there twice." % twice)
        self._entries.update(entries)
        if self._staging is None:
            return {path: entry.size for path, entry in entries.items()}
        offsets = {path: self._found.get(path, 0) for path in entries}
        for path, entry in entries.items():
            if offsets[path] > entry.size:
                offsets[path] = 0
            if offsets[path] < entry.size or not entry.size:
                self._wanted.append((entry, offsets[path]))
        return offsets

    def begin(self) -> None:
        """The manifest is whole: from here on bytes are taken.

        Raises:
            HostError: disk_full.
        """
        self.began = True
        if self._staging is None:
            return
        self._check_space()
        for path, size in self._found.items():
            if path not in self._entries or size > self._entries[path].size:
                self._staging.remove(path)
        self._ahead = Ahead(self._staging, self._wanted)
        self._pass_empty()

    def _check_space(self) -> None:
        missing = sum(entry.size - offset for entry, offset in self._wanted) + _BLOCK * len(self._entries)
        lacking = missing + SPARE_BYTES - self.free_bytes
        if lacking > 0:
            raise HostError(
                "disk_full",
                "The host has %.0f MiB free, and %.0f MiB more are needed."
                % (self.free_bytes / 2**20, lacking / 2**20),
                "Free some space there, or choose a root on another disk.",
            )

    @property
    def complete(self) -> bool:
        """Whether nothing is missing any more."""
        return self._index >= len(self._wanted)

    def write(self, offset: int, chunk: memoryview) -> None:
        """Take the next bytes of the stream.

        Raises:
            HostError: they are not the next ones.
            OSError: they could not be written.
        """
        if offset != self.received:
            raise HostError("bad_request", "Bytes came out of order: %d, not %d." % (offset, self.received))
        while chunk:
            if self.complete:
                raise HostError("bad_request", "More bytes came than the files have.")
            opened = self._opened or self._open()
            part = chunk[: self._left]
            opened.hash.update(part)
            files.write_all(opened.descriptor, part)
            self._left -= len(part)
            self.received += len(part)
            if self._staging and self._left and self._left % _WRITE_BACK_EVERY < len(part):
                self._staging.write_back(opened.descriptor)
            chunk = chunk[len(part) :]
            if not self._left:
                self._finish(opened)
                self._pass_empty()

    def _open(self) -> Opened:
        if self._ahead is None:
            raise HostError("bad_request", "Bytes came before the manifest was whole.")
        entry, offset = self._wanted[self._index]
        self._opened, self._left = self._ahead.take(), entry.size - offset
        return self._opened

    def _finish(self, opened: Opened) -> None:
        self._hashed[self._wanted[self._index][0].path] = opened.hash.hexdigest()
        self._close_file()
        self._index += 1

    def _pass_empty(self) -> None:
        """Go on to the next file that lacks bytes; empty ones are made on the way."""
        while not self.complete and not self._wanted[self._index][0].size:
            self._finish(self._open())

    def commit(self) -> None:
        """See that every file is right, make all durable, and put the folder in place.

        Raises:
            HostError: incomplete; sha_mismatch, after which the wrong files are gone and can be sent again.
        """
        staging = self._staging
        if not self.began or not self.complete:
            raise HostError("incomplete", "Not all bytes have come.", "Send the rest.")
        if staging is None:
            return
        self._end_ahead()
        wrong = []
        for path, entry in self._entries.items():
            found = self._hashed.get(path) or staging.sha256(entry)
            if found != entry.sha256:
                wrong.append(path)
        for path in wrong:
            staging.remove(path)
        if wrong:
            raise HostError(
                "sha_mismatch",
                "%d file(s) arrived different from what was sent, first %s." % (len(wrong), wrong[0]),
                "Send them again.",
            )
        staging.put_in_place()

    def _close_file(self) -> None:
        if self._opened is not None:
            os.close(self._opened.descriptor)
            self._opened = None

    def _end_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.close()
            self._ahead = None

    def close(self) -> None:
        """Let go; what was received stays."""
        self._close_file()
        self._end_ahead()
        if self._staging is not None:
            self._staging.close()
