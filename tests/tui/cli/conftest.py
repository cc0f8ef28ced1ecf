"""A home, an engine that is none, and commands in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.tui.cli.fake_engine import FakeEngine

from cloudtui.cli.main import main
from cloudtui_engine import operations
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.paths import Paths


@dataclass(frozen=True)
class Said:
    """How a command ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setenv("CLOUDTUI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return Paths(tmp_path / "home")


@pytest.fixture
def catalog(paths: Paths) -> Iterator[Catalog]:
    opened = Catalog.open(paths)
    yield opened
    opened.close()


@pytest.fixture
def engine(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    fake = FakeEngine(paths)
    monkeypatch.setattr(operations, "ensure_engine", fake.ensure)
    monkeypatch.setattr(operations, "send_secrets", fake.send_secrets)
    yield fake
    fake.close()


@pytest.fixture
def cli(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    def run(*words: str) -> Said:
        capsys.readouterr()
        status = main(words)
        out, err = capsys.readouterr()
        return Said(status, out, err)

    return run
