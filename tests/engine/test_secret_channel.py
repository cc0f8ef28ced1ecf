"""A secret goes from a face to the engine's memory and touches no file."""

from __future__ import annotations

import stat
from pathlib import Path

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


def test_no_engine_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError):
        secret_channel.send(Paths(tmp_path), "run-1", {"TOKEN": CANARY})
