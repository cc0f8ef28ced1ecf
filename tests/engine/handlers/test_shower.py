"""What a run shows of itself while it is brought to its host."""

from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from cloudtui_engine.handlers import context as contexts
from cloudtui_engine.handlers.context import Context


class Runs:
    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def set_progress(self, _run: str, progress: dict[str, Any]) -> None:
        self.said.append(progress)


class Catalog:
    def __init__(self) -> None:
        self.runs = Runs()


def test_amounts_are_told_and_not_too_often_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(contexts.time, "monotonic", lambda: now[0])
    catalog = Catalog()
    none = cast("Any", None)
    show = Context(cast("Any", catalog), none, none, none, threading.Event()).shower("r")
    show("Installing torch 2.13.0", 120_000_000, 200_300_000)
    show("Installing torch 2.13.0", 121_000_000, 200_300_000)
    now[0] += 1
    show("Sending digits", 1_500_000_000, 2_000_000_000)
    show("", None, None)
    show("", None, None)
    assert catalog.runs.said == [
        {"text": "Installing torch 2.13.0 · 120 of 200 MB"},
        {"text": "Sending digits · 1.5 of 2.0 GB"},
        {},
    ]
