"""A script's folder is shipped as git would see it, and remembered by content."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cloudtui_engine.errors import BadInputError
from cloudtui_engine.paths import Paths
from cloudtui_engine.runs import script_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "mine"
    (made / "pkg").mkdir(parents=True)
    (made / "train.py").write_text("print(1)\n")
    (made / "pkg" / "model.py").write_text("x = 1\n")
    (made / "data.bin").write_bytes(b"0" * 1000)
    (made / ".gitignore").write_text("*.bin\n")
    (made / "link").symlink_to("/etc/passwd")
    return made


def names(packed: dict[str, object]) -> set[str]:
    return {file["path"] for file in packed["files"]}  # type: ignore[attr-defined]


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def test_gitignore_is_honoured_with_and_without_git(folder: Path, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    expected = {"train.py", "pkg/model.py", ".gitignore"}
    assert names(script_folder.pack(paths, folder)) == expected
    git(folder, "init", "-q")
    assert names(script_folder.pack(paths, folder)) == expected


def test_commit_and_diff_are_recorded(folder: Path, tmp_path: Path) -> None:
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    (folder / "train.py").write_text("print(2)\n")
    packed = script_folder.pack(Paths(tmp_path / "home"), folder)
    assert len(packed["commit"]) == 40
    assert "+print(2)" in packed["diff"]


def test_same_content_is_one_copy_and_a_change_is_another(folder: Path, tmp_path: Path) -> None:
    paths = Paths(tmp_path / "home")
    first = script_folder.pack(paths, folder)
    assert script_folder.pack(paths, folder)["sha256"] == first["sha256"]
    (folder / "train.py").write_text("print(3)\n")
    second = script_folder.pack(paths, folder)
    assert second["sha256"] != first["sha256"]
    assert sorted(path.name for path in paths.scripts.iterdir()) == sorted(
        [first["sha256"], second["sha256"]]
    )
    assert (paths.scripts / first["sha256"] / "train.py").read_text() == "print(1)\n"


@pytest.mark.parametrize("kind", ["missing", "file", "empty"])
def test_nothing_to_ship_is_said(kind: str, tmp_path: Path) -> None:
    target = tmp_path / kind
    if kind == "file":
        target.write_text("x")
    elif kind == "empty":
        target.mkdir()
    with pytest.raises(BadInputError) as bad:
        script_folder.pack(Paths(tmp_path / "home"), target)
    assert bad.value.hint
