"""Fixtures of the desktop's tests."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["TEXTUAL_ANIMATIONS"] = "none"  # read when textual is imported


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Moments are shown in this machine's zone: let it be the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No terminal is there to be sent what is drawn."""
    from tests.tui.desk import Drawn
    from textual._compositor import Compositor

    def update(self: Compositor, *args: Any, **options: Any) -> None:
        Drawn.update(self, *args, **options)

    monkeypatch.setattr(Compositor, "render_update", update)


@pytest.fixture(autouse=True)
def actions_as_before() -> Iterator[None]:
    """A desktop that is read-only, or has the user's keys, adapts the registry of its process."""
    from cloudtui import actions

    yield
    actions.adapt({})


@pytest.fixture(scope="session")
def story_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a handful of runs in every state; copy it before writing."""
    from tests.support import seed

    home = tmp_path_factory.mktemp("story")
    seed.story(home).catalog.close()
    return home


@pytest.fixture(scope="session")
def shelf_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A story with data whose arrays are here, evaluations and compressions in every state."""
    from tests.support import seed_models

    home = tmp_path_factory.mktemp("shelf") / "home"
    seed_models.shelf(home).close()
    return home


@pytest.fixture
def shelf(shelf_home: Path, tmp_path: Path) -> Path:
    """Such a home of one's own."""
    home = tmp_path / "home"
    shutil.copytree(shelf_home, home)
    return home


@pytest.fixture
def story(story_home: Path, tmp_path: Path) -> Path:
    """Such a home of one's own."""
    home = tmp_path / "home"
    shutil.copytree(story_home, home)
    return home
