"""A secret goes from a face to the engine's memory and touches no file."""

from __future__ import annotations

import contextlib
import errno
import socket
import stat
from pathlib import Path
from typing import Any, cast

import pytest

from cloudtui_engine import secret_channel
from cloudtui_engine.errors import UnreachableError
from cloudtui_engine.paths import Paths
from cloudtui_engine.secret_channel import SecretBox

CANARY = "canary-7f3a9"


@pytest.mark.parametrize("depth", [1, 12])
def test_sent_taken_dropped(depth: int, tmp_path: Path) -> None:
    home = tmp_path.joinpath(*["a-long-folder-name"] * depth)
    home.mkdir(parents=True)
    paths = Paths(home)
    box = SecretBox(paths)
    box.start()
    try:
        assert stat.S_IMODE(secret_channel.address(paths).stat().st_mode) == 0o600
        secret_channel.send(paths, "run-1", {"TOKEN": CANARY})
        secret_channel.send(paths, "run-1", {"OTHER": "x"})
        assert box.get("run-1") == {"TOKEN": CANARY, "OTHER": "x"}
        box.drop("run-1")
        assert box.get("run-1") == {}
        assert not any(CANARY in file.read_text() for file in home.rglob("*") if file.is_file())
    finally:
        box.close()
    assert not secret_channel.address(paths).exists()


GARBAGE = [
    b"[1]", b"{}", b"\xff\x00", b'{"subject": 1, "values": [2]}', b"[" * 100_000, b"", b"7",
    b'{"subject": "run-1", "values": {"TOKEN": "' + b"x" * 300_000 + b'"}}',
]  # fmt: skip


def garbage(paths: Paths, data: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link, contextlib.suppress(OSError):
        link.settimeout(5)
        link.connect(str(secret_channel.address(paths)))
        link.sendall(data)
        link.shutdown(socket.SHUT_WR)
        return link.recv(2)
    return b""


def test_nonsense_is_not_taken_and_the_next_one_is(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    box = SecretBox(paths)
    box.start()
    try:
        assert [garbage(paths, data) for data in GARBAGE] == [b""] * len(GARBAGE)
        secret_channel.send(paths, "run-1", {"GOOD": CANARY})
        assert box.get("run-1") == {"GOOD": CANARY}
    finally:
        box.close()


def test_a_failing_accept_ends_nothing(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    box = SecretBox(paths)
    real = box._server
    box._server = cast("socket.socket", _NoFiles(real))
    box.start()
    try:
        secret_channel.send(paths, "run-1", {"GOOD": CANARY})
    finally:
        box.close()


class _NoFiles:
    """A listening socket whose first accept finds no descriptor left."""

    def __init__(self, real: socket.socket) -> None:
        self._real = real
        self._failed = False

    def accept(self) -> Any:
        if not self._failed:
            self._failed = True
            raise OSError(errno.EMFILE, "Too many open files")
        return self._real.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def test_no_engine_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError):
        secret_channel.send(Paths(tmp_path), "run-1", {"TOKEN": CANARY})
