"""`MACHINE:/path` as a source: which machine, which error, and what the screens say of where data lies."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import finish, open_catalog

from cloudtui.actions.consequences import consequence
from cloudtui.areas.datasets.about import dataset_facts
from cloudtui.cli import dataset_texts
from cloudtui.handlers import dataset as datasets
from cloudtui.handlers import in_place
from cloudtui.handlers.session import Session
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, FailedError, NotFoundError, UnreachableError, UsageError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.runs import preparing

THERE = Dataset("d" * 16, "pets", 2, "image", "a" * 64, 5, {"train": 9}, ("a", "b"), {}, "box:/data/pets")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path / "home")
    opened.instances.add(Instance(id=new_id(), name="box", provider="ssh", created_at=1.0))
    opened.instances.ensure_local()
    yield opened
    opened.close()


@pytest.fixture
def session(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.chdir(tmp_path)
    return Session(catalog.paths, catalog, wait=False)


def place(session: Session, source: str) -> tuple[str, str] | None:
    found = in_place.place_of(session, source)
    return None if found is None else (found[0].name, found[1])


def test_a_machines_path_and_what_is_none(session: Session, tmp_path: Path) -> None:
    assert place(session, "box:/data/pets") == ("box", "/data/pets")
    assert place(session, "box:~/pets") == ("box", "~/pets")
    assert place(session, "local:/data/pets") == ("local", "/data/pets")
    for source in ("digits", "/data/pets", "pets.csv", "s3://bucket/pets", "x:y.csv", "C:pets"):
        assert place(session, source) is None
    (tmp_path / "box:").mkdir()
    (tmp_path / "box:" / "pets").mkdir()
    assert place(session, "box:/pets") is None, "a file here of that name goes before"


@pytest.mark.parametrize(
    ("source", "kind", "told"),
    [
        ("bax:/data/pets", NotFoundError, "no machine called bax"),
        ("box:data/pets", UsageError, "Where on box"),
        ("box:/a\nb", UsageError, "Where on box"),
    ],
)
def test_what_cannot_be_one_is_said(
    session: Session, source: str, kind: type[CloudtuiError], told: str
) -> None:
    with pytest.raises(kind, match=told) as failed:
        in_place.place_of(session, source)
    assert failed.value.hint


def test_the_job_is_a_row_that_lists_do_not_show(
    session: Session, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "ensure_engine", lambda _self: None)
    with pytest.raises(UsageError, match="cannot be named"):
        datasets.add(session, "no/name", "box:/data/pets")
    assert catalog.operations.list(5) == []
    run = datasets.add(session, "pets", "box:/data/pets", target="a", leave_out=["b"], seed=3)
    assert isinstance(run, Run)
    assert (run.kind, run.name, run.instances) == ("prepare", "pets-prepare-1", ("box",))
    wishes = {"target": "a", "leave_out": ["b"], "seed": 3}
    spec = catalog.runs.get(run.id).spec
    assert (spec["as"], spec["source"], spec["wishes"]) == ("pets", "/data/pets", wishes)
    assert catalog.runs.list() == []
    (operation,) = catalog.operations.list(5)
    assert (operation.kind, operation.target) == ("run.start", run.id)


def failed(catalog: Catalog) -> Run:
    box = catalog.instances.find("box")
    run = preparing.start_preparing(catalog, name="pets", source="/data/x", instance=box, wishes={})
    return catalog.runs.get(run.id)


def why(session: Session, run: Run) -> CloudtuiError:
    with pytest.raises(CloudtuiError) as raised:
        in_place._raise_why(session, dataclasses.replace(run, status=RunState.FAILED))
    return raised.value


def test_the_jobs_own_error_is_the_commands(session: Session, catalog: Catalog) -> None:
    run = failed(catalog)
    data = {"code": "not_found", "message": "There is no /data/x on the host.", "hint": "Near it: y."}
    catalog.events.add(run.id, "error", "failed", "x", data)
    error = why(session, run)
    assert (error.exit_status, error.message, error.hint) == (3, data["message"], data["hint"])
    catalog.events.add(run.id, "error", "failed", "x", {**data, "code": "auth", "exit_status": "6"})
    assert why(session, run).exit_status == 5, "what a host says has no word on other exit statuses"


def test_a_machine_out_of_reach_is_its_own_exit_status(session: Session, catalog: Catalog) -> None:
    run = failed(catalog)
    (operation,) = catalog.operations.list(5)
    catalog.operations.fail(operation.id, UnreachableError("box does not answer.", "Is it on?").as_dict())
    error = why(session, run)
    assert (error.exit_status, error.code, error.message) == (6, "unreachable", "box does not answer.")


def test_a_manifest_that_is_refused_is_the_commands_error(session: Session, catalog: Catalog) -> None:
    run = failed(catalog)
    catalog.operations.finish(catalog.operations.list(5)[0].id)
    finish(catalog, run.id)
    with pytest.raises(FailedError) as none:
        in_place._adopted(session, run)
    assert none.value.code == "no_manifest"
    pull = catalog.operations.submit("run.pull", run.id, {"attempt": 1}, None)
    error = FailedError("What it left is no manifest.", "Look there.", code="bad_manifest")
    catalog.operations.fail(pull.id, error.as_dict())
    with pytest.raises(CloudtuiError, match="no manifest") as refused:
        in_place._adopted(session, run)
    assert (refused.value.code, refused.value.exit_status) == ("bad_manifest", 5)


def test_screens_and_texts_say_where_it_lies_alone() -> None:
    there = dataclasses.replace(THERE, instances=("box",), is_here=False)
    assert "only on box" in "\n".join(dataset_texts.dataset(there))
    assert "only on box" in "\n".join(dataset_texts.datasets([there], None))
    assert next(fact.value for fact in dataset_facts(there) if fact.name == "on") == "only on box"
    here = dataclasses.replace(there, is_here=True)
    assert next(fact.value for fact in dataset_facts(here) if fact.name == "on") == "this machine, box"


def test_forgetting_a_machine_says_that_data_goes_out_of_reach(catalog: Catalog) -> None:
    assert "data read in place" in consequence("instance.forget", [catalog.instances.find("box")])
