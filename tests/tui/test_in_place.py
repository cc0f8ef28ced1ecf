"""`MACHINE:/path` as a source: which machine, which error, and what the screens say of where data lies."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import finish, open_catalog

from cloudtui.actions.consequences import consequence
from cloudtui.areas.datasets.about import dataset_facts
from cloudtui.cli import dataset_texts
from cloudtui.handlers import dataset as datasets
from cloudtui.handlers import in_place
from cloudtui.handlers.session import Session
from cloudtui.performing import Performer
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


def preparation(catalog: Catalog) -> Run:
    box = catalog.instances.find("box")
    return preparing.start_preparing(catalog, name="pets", source="/data/x", instance=box, wishes={})


def ended(catalog: Catalog, run: Run, error: CloudtuiError | None = None) -> None:
    """Its start failed, or the job has."""
    (operation,) = [one for one in catalog.operations.list(9) if one.kind == "run.start"]
    catalog.runs.move(run.id, 1, RunState.FAILED, expected=(RunState.QUEUED,), ended_at=2.0, reason="Why.")
    assert in_place.outcome(catalog, run.id) is None, "the operation says why in a moment"
    if error is None:
        catalog.operations.finish(operation.id)
    else:
        catalog.operations.fail(operation.id, error.as_dict())


def error_of(catalog: Catalog, run: Run) -> CloudtuiError:
    found = in_place.outcome(catalog, run.id)
    assert isinstance(found, CloudtuiError)
    return found


def test_the_jobs_own_error_is_the_commands(catalog: Catalog) -> None:
    run = preparation(catalog)
    assert in_place.outcome(catalog, run.id) is None
    ended(catalog, run)
    assert (error_of(catalog, run).exit_status, "Why." in error_of(catalog, run).message) == (5, True)
    data = {"code": "not_found", "message": "There is no /data/x on the host.", "hint": "Near it: y."}
    catalog.events.add(run.id, "error", "failed", "x", data)
    error = error_of(catalog, run)
    assert (error.exit_status, error.message, error.hint) == (3, data["message"], data["hint"])
    catalog.events.add(run.id, "error", "failed", "x", {**data, "code": "auth", "exit_status": "6"})
    assert error_of(catalog, run).exit_status == 5, "a host has no word on other exit statuses"


def test_a_machine_out_of_reach_is_its_own_exit_status(catalog: Catalog) -> None:
    run = preparation(catalog)
    ended(catalog, run, UnreachableError("box does not answer.", "Is it on?"))
    error = error_of(catalog, run)
    assert (error.exit_status, error.code, error.message) == (6, "unreachable", "box does not answer.")


def test_a_manifest_that_is_refused_is_the_commands_error(catalog: Catalog) -> None:
    run = preparation(catalog)
    catalog.operations.finish(catalog.operations.list(5)[0].id)
    catalog.runs.add_artifacts(run.id, 1, [("manifest.json", "json", 5, "b" * 64)])
    finish(catalog, run.id)
    assert in_place.outcome(catalog, run.id) is None, "it is still to come"
    pull = catalog.operations.submit("run.pull", run.id, {"attempt": 1}, None)
    assert in_place.outcome(catalog, run.id) is None
    error = FailedError("What it left is no manifest.", "Look there.", code="bad_manifest")
    catalog.operations.fail(pull.id, error.as_dict())
    refused = error_of(catalog, run)
    assert (refused.code, refused.exit_status) == ("bad_manifest", 5)


def test_one_that_left_nothing_says_so(catalog: Catalog) -> None:
    run = preparation(catalog)
    catalog.operations.finish(catalog.operations.list(5)[0].id)
    finish(catalog, run.id)
    assert error_of(catalog, run).code == "no_manifest"


def test_the_desktop_says_what_came_of_it(catalog: Catalog) -> None:
    said: list[str] = []
    app = SimpleNamespace(notify=lambda text, title="", **_options: said.append(f"{title} {text}".strip()))
    performer = Performer(
        cast("Any", app), cast("Any", SimpleNamespace(catalog=catalog)), lambda _area, _key: None
    )
    first, second = preparation(catalog), preparation(catalog)
    performer._outcomes.tell(SimpleNamespace(id="dataset.add", title="Add a dataset"), [first])  # type: ignore[arg-type]
    performer._outcomes.tell(SimpleNamespace(id="dataset.add", title="Add a dataset"), [second])  # type: ignore[arg-type]
    assert said == ["It is read on box (pets-prepare-1).", "It is read on box (pets-prepare-2)."]
    for operation in catalog.operations.list(9):
        catalog.operations.finish(operation.id)
    catalog.runs.move(first.id, 1, RunState.FAILED, expected=(RunState.QUEUED,), ended_at=2.0, reason="Why.")
    made = catalog.datasets.add(THERE)
    catalog.datasets.add_copy(made.id, catalog.instances.find("box").id, 1.0)
    finish(catalog, second.id)
    pull = catalog.operations.submit("run.pull", second.id, {"attempt": 1}, None)
    catalog.operations.finish(pull.id, {"dataset": made.id})
    said.clear()
    performer.operations_changed()
    performer.operations_changed()
    assert sorted(said)[0].startswith("pets v2 is ready, only on box.")
    assert "pets-prepare-1 failed: Why." in said[0] + said[1]
    assert len(said) == 2, "each is told once"


def test_screens_and_texts_say_where_it_lies_alone() -> None:
    there = dataclasses.replace(THERE, instances=("box",), is_here=False)
    assert "only on box" in "\n".join(dataset_texts.dataset(there))
    assert "only on box" in "\n".join(dataset_texts.datasets([there], None))
    assert next(fact.value for fact in dataset_facts(there) if fact.name == "on") == "only on box"
    here = dataclasses.replace(there, is_here=True)
    assert next(fact.value for fact in dataset_facts(here) if fact.name == "on") == "this machine, box"


def test_forgetting_a_machine_says_that_data_goes_out_of_reach(catalog: Catalog) -> None:
    assert "data read in place" in consequence("instance.forget", [catalog.instances.find("box")])
