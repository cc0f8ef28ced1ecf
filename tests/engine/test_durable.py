"""A file is whole or as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cloudtui_engine.durable import replace_file


def test_what_is_replaced_is_for_its_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "kept"
    path.write_text("before")
    path.chmod(0o644)
    assert replace_file(path, "after") == path
    assert path.read_text() == "after"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept"
    path.write_text("before")

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, "after")
    assert [one.read_text() for one in tmp_path.iterdir()] == ["before"]
