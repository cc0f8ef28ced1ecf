"""The way of a secret from a face to the engine: a Unix socket and memory, never a file or the catalog.

A secret is held under the id it was sent for (a run or an operation) until it is taken or the engine ends; an
engine that lost it asks again (`needs_you`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import struct
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from cloudtui_engine.errors import UnreachableError
from cloudtui_engine.paths import Paths

_LONGEST_ADDRESS = 100
_LONGEST_MESSAGE = 256 * 1024
_TIMEOUT_S = 5.0
_RETRY_S = 0.1
_NONSENSE = (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, struct.error)


def address(paths: Paths) -> Path:
    """Where the engine listens; a long home gets a short stand-in in the temporary folder."""
    direct = paths.home / "engine.sock"
    if len(os.fsencode(direct)) < _LONGEST_ADDRESS:
        return direct
    digest = hashlib.sha256(os.fsencode(paths.home)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"cloudtui-{os.getuid()}-{digest}.sock"


def send(paths: Paths, subject: str, values: Mapping[str, str]) -> None:
    """Hand `values` to the running engine for `subject`.

    Raises:
        UnreachableError: no engine took them.
    """
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(_TIMEOUT_S)
            link.connect(str(address(paths)))
            link.sendall(json.dumps({"subject": subject, "values": dict(values)}).encode() + b"\n")
            link.shutdown(socket.SHUT_WR)
            taken = link.recv(2) == b"ok"
    except OSError as error:
        raise UnreachableError(f"The engine did not take the secret: {error}.", "Try again.") from None
    if not taken:
        raise UnreachableError("The engine did not take the secret.", "Try again.")


class SecretBox:
    """Listens for secrets and holds them in memory."""

    def __init__(self, paths: Paths) -> None:
        self._held: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()
        self._address = address(paths)
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._closed = threading.Event()

    def start(self) -> None:
        """Listen, on a daemon thread. Only the holder of the engine's lock may call this."""
        self._address.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server.bind(str(self._address))
        finally:
            os.umask(before)
        self._server.listen(8)
        threading.Thread(target=self._serve, name="secrets", daemon=True).start()

    def close(self) -> None:
        """Stop listening and forget all."""
        self._closed.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes who waits for the next client
        self._server.close()
        self._address.unlink(missing_ok=True)
        with self._lock:
            self._held.clear()

    def get(self, subject: str) -> dict[str, str]:
        """What was sent for `subject`."""
        with self._lock:
            return dict(self._held.get(subject, {}))

    def drop(self, subject: str) -> None:
        """Forget what was sent for `subject`."""
        with self._lock:
            self._held.pop(subject, None)

    def _serve(self) -> None:
        """Until it is closed: whoever sends nonsense is not answered, and costs nobody else their secret."""
        while not self._closed.is_set():
            try:
                link, _ = self._server.accept()
            except OSError:  # too many open files, say: a while later there may be room
                self._closed.wait(_RETRY_S)
                continue
            with link, contextlib.suppress(*_NONSENSE):
                self._take(link)

    def _take(self, link: socket.socket) -> None:
        link.settimeout(_TIMEOUT_S)
        if hasattr(socket, "SO_PEERCRED"):
            _, uid, _ = struct.unpack("3i", link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            if uid != os.getuid():
                return
        text = bytearray()
        deadline = time.monotonic() + _TIMEOUT_S
        while part := link.recv(65536):
            text += part
            if len(text) > _LONGEST_MESSAGE or time.monotonic() > deadline:
                return
        message = json.loads(text)
        values = {str(name): str(value) for name, value in message["values"].items()}
        with self._lock:
            self._held.setdefault(str(message["subject"]), {}).update(values)
        link.sendall(b"ok")
