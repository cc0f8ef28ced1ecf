"""`instance prepare`: what is asked of the engine, what is told, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.tui.cli.fake_engine import FakeEngine

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.records.operation import Operation

Cli = Callable[..., Any]


@pytest.fixture
def asked(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> list[Operation]:
    catalog.instances.add(Instance("box0", "box", "ssh", Address("box")))
    seen: list[Operation] = []

    def prepare(_self: FakeEngine, _catalog: Catalog, operation: Operation) -> dict[str, Any]:
        seen.append(operation)
        return {"instance": "box0", "python": "/root/env/1/bin/python", "warnings": ["A GPU is lost."]}

    monkeypatch.setattr(FakeEngine, "_instance_prepare", prepare, raising=False)
    return seen


def test_it_waits_and_tells_the_python(cli: Cli, asked: list[Operation]) -> None:
    said = cli("instance", "prepare", "box", "--index", "https://mirror/simple", "--json")
    assert said.json["name"] == "box"
    assert "A GPU is lost." in said.err
    assert "/root/env/1/bin/python" in said.err
    assert (asked[0].target, asked[0].args) == ("box0", {"index": "https://mirror/simple"})


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("local",), 4),
        (("nothing",), 3),
        (("box", "--index", "mirror"), 2),
        (("box", "--index", "https://me:secret@mirror/simple"), 2),
    ],
)
def test_what_is_refused_is_asked_of_nobody(
    cli: Cli, asked: list[Operation], words: tuple[str, ...], status: int
) -> None:
    said = cli("instance", "prepare", *words)
    assert said.status == status
    assert "secret" not in said.out + said.err
    assert asked == []
