"""Each guard of the trainer is broken once, in a copy: a test has to notice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GUARDS = tomllib.loads((HERE / "guards.toml").read_text())
PACKAGES = ("engine", "tui", "providers")


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The project where it may be broken; what is imported is the copy."""
    root = tmp_path_factory.mktemp("guards")
    for name in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


@pytest.mark.campaign
@pytest.mark.parametrize("name", GUARDS)
def test_a_guard_that_is_gone_is_noticed(copy, name):
    guard = GUARDS[name]
    path = placed(copy, "engine/cloudtui_trainer", guard["file"])
    whole = path.read_text()
    assert guard["guard"] in whole, f"{name} stands elsewhere now: say in guards.toml where."
    path.write_text(whole.replace(guard["guard"], guard["without"], 1))
    tests = [str(placed(copy, "tests/trainer", test)) for test in guard["tests"]]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "-m", "not campaign", *tests],
            cwd=copy, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(str(copy / name) for name in ("", *PACKAGES)),
                 "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    finally:
        path.write_text(whole)
    assert done.returncode == 1, f"{name} is gone and nobody noticed:\n{done.stdout[-2000:]}"


def placed(root: Path, folder: str, name: str) -> Path:
    """A file below a folder of the copy; one with a slash before it is below the copy itself."""
    return root / name[1:] if name.startswith("/") else root / folder / name
