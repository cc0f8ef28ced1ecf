"""Data of a store of objects as commands: asked of the engine, waited for, listed, stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.tui.cli.fake_engine import FakeEngine

from cloudtui.handlers import dataset
from cloudtui.handlers.session import LeftRunning, Session
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.objects import fetches
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.fetch import FETCH
from cloudtui_engine.records.operation import Operation

Cli = Callable[..., Any]
TAKEN = {"objects": 1, "bytes": 1200, "etag": "ab", "version": "v7\x1b[31m"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Operation]:
    seen: list[Operation] = []

    def fetch(_self: FakeEngine, catalog: Catalog, operation: Operation) -> dict[str, Any]:
        seen.append(operation)
        catalog.operations.set_progress(operation.id, {"text": "Fetched 1 kB", "done": 1, "total": 2})
        name, source = operation.args["name"], operation.args["source"]
        made = Dataset("d1", name, 1, "tabular", "a" * 64, 9, {"train": 1}, (), {}, source, 1.0, taken=TAKEN)
        return {"dataset": catalog.datasets.add(made).id}

    monkeypatch.setattr(FakeEngine, "_dataset_fetch", fetch, raising=False)
    return seen


def test_it_waits_and_tells_the_version_and_what_was_taken(cli: Cli, asked: list[Operation]) -> None:
    said = cli("dataset", "add", "towns", "s3://b/t.csv", "--target", "y", "--leave-out", "x", "--json")
    assert (said.json["name"], said.json["source"]) == ("towns", "s3://b/t.csv")
    assert said.json["taken"] == TAKEN
    assert asked[0].args["wishes"]["leave_out"] == ["x"]
    shown = cli("dataset", "show", "towns").out
    assert "1.20 kB, version v7, ETag ab" in shown


def test_the_desktop_gets_the_operation(catalog: Catalog, engine: FakeEngine, asked: list[Operation]) -> None:
    session = Session(catalog.paths, catalog, wait=False)
    begun = dataset.add(session, "towns", "s3://b/")
    assert isinstance(begun, Operation)
    assert begun.kind == FETCH


@pytest.mark.parametrize(
    ("source", "status"), [("s3://KEY:s3cret@b/x", 2), ("gs://b/x", 2), ("s3://", 2), ("https://b/x.csv", 5)]
)
def test_an_address_that_cannot_be_is_refused_before_anything_is_asked(
    cli: Cli, catalog: Catalog, source: str, status: int
) -> None:
    said = cli("dataset", "add", "towns", source, "--json")
    assert said.status == status
    assert "s3cret" not in said.out + said.err
    assert catalog.operations.list() == []


def test_what_is_under_way_is_listed_and_stopped_by_its_name(cli: Cli, catalog: Catalog) -> None:
    assert "Nothing is being fetched" in cli("dataset", "fetches").out
    for name in ("towns", "pets", "pets"):
        made = fetches.ask_for(catalog, name, f"s3://b/{name}-{len(fetches.live(catalog))}/", {})
        catalog.operations.take(made.id)
    catalog.operations.set_progress(made.id, {"text": "Fetched 1 kB", "done": 1, "total": 2})
    listed = cli("dataset", "fetches").out
    assert "Fetched 1 kB" in listed
    assert "50%" in listed
    assert cli("dataset", "fetches", "stop").status == 2
    assert cli("dataset", "fetches", "stop", "pets").status == 2
    assert cli("dataset", "fetches", "stop", "cats").status == 3
    assert cli("dataset", "fetches", "stop", "towns", "--json").json["state"] == "stopped"
    assert cli("dataset", "fetches", "stop", made.id).status == 0
    assert [one["name"] for one in cli("dataset", "fetches", "--json").json] == ["pets"]


def test_who_does_not_wait_is_told_where_it_is_seen(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ctrl_c(_self: Session, _operation: Operation) -> Operation:
        raise LeftRunning("Stopped waiting; the engine goes on with it.", "")

    monkeypatch.setattr(Session, "finish", ctrl_c)
    with pytest.raises(LeftRunning) as raised:
        dataset.add(Session(catalog.paths, catalog), "towns", "s3://b/")
    assert "cloudtui dataset fetches" in raised.value.hint
