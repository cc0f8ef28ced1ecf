"""Cleaning a host that lies, refuses or has more than we know; models that are used where they lie."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import create, finish, open_catalog

from cloudtui_engine import kept
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.deciders import decide
from cloudtui_engine.errors import CloudtuiError, FailedError
from cloudtui_engine.handlers.clean import clean
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.handlers.packing import Packing
from cloudtui_engine.hosts import shipping
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import Run, RunState

OLD = "a" * 64


class Host:
    """Answers verbs; `removed` is what it was told to remove."""

    def __init__(self, entries: list[Any], unknown: Any = ()) -> None:
        self.entries, self.unknown = entries, unknown
        self.removed: list[str] = []
        self.refuses: set[str] = set()
        self.put_lock = threading.Lock()
        self.artifacts: list[Any] = []
        self.instance_id = ""

    def to(self, instance_id: str) -> Host:
        self.instance_id = instance_id
        return self

    @contextlib.contextmanager
    def session(self, _timeout: float) -> Iterator[Any]:
        yield SimpleNamespace(request=self.request, hello={"root": "/root"})

    def request(self, verb: str, args: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:
        if verb == "artifacts":
            return {"files": self.artifacts}
        if verb == "inventory":
            return {"entries": self.entries, "unknown": self.unknown, "next": None}
        assert verb == "remove"
        if args["name"] in self.refuses:
            raise CloudtuiError("Job x needs it: it stays.", code="in_use")
        self.removed.append(args["name"])
        return {"removed": True, "size_bytes": 1}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path / "home")
    yield opened
    opened.close()


def context(catalog: Catalog, host: Host) -> Context:
    return Context(catalog, catalog.paths, cast("Any", host), cast("Any", None), threading.Event())


def cleaned(catalog: Catalog, host: Host, **args: Any) -> Mapping[str, Any]:
    local = catalog.instances.ensure_local()
    return clean(context(catalog, host), catalog.operations.submit("instance.clean", local.id, args, None))


def lying(name: str, state: str = "") -> dict[str, Any]:
    return {"name": name, "size_bytes": 5, "age_s": 1.0, "state": state}


def test_only_what_was_asked_for_and_may_go_is_removed(catalog: Catalog) -> None:
    current = f"host/{shipping.pack('cloudtui_host').sha}"
    host = Host([lying(name) for name in (f"trainer/{OLD}", f"host/{OLD}", current, f"env/{OLD}")])
    found = cleaned(catalog, host)
    assert [one["name"] for one in found["entries"] if one["goes"]] == [f"host/{OLD}", f"trainer/{OLD}"]
    assert (host.removed, found["removed"], found["bytes"]) == ([], None, 10)
    done = cleaned(catalog, host, remove=[f"trainer/{OLD}", current, f"env/{OLD}", "thesis"])
    assert host.removed == [f"trainer/{OLD}"]
    assert (done["removed"], done["bytes"]) == (1, 5)


def test_what_the_host_will_not_let_go_of_stays_with_its_reason(catalog: Catalog) -> None:
    host = Host([lying(f"trainer/{OLD}"), lying(f"model/{OLD}")])
    host.refuses = {f"model/{OLD}"}
    done = cleaned(catalog, host, remove=[f"trainer/{OLD}", f"model/{OLD}"])
    assert done["removed"] == 1
    (left,) = [one for one in done["entries"] if one["name"] == f"model/{OLD}"]
    assert (left["goes"], left["why"]) == (False, "Job x needs it: it stays.")


@pytest.mark.parametrize(
    "name", ["data/../x", "/etc/passwd", "jobs/..", "thesis", "data/" + "a" * 65, 7, None]
)
def test_names_that_are_none_of_ours_are_passed_over(catalog: Catalog, name: object) -> None:
    host = Host([lying(cast("str", name)), 5, {"name": f"trainer/{OLD}", "size_bytes": 1}], ["a\x1b[2J", 7])
    found = cleaned(catalog, host)
    assert [one["name"] for one in found["entries"]] == [f"trainer/{OLD}"]
    assert "\x1b" not in str(found["untouched"])


def test_a_size_that_is_none_is_an_error_of_the_host(catalog: Catalog) -> None:
    with pytest.raises(FailedError):
        cleaned(catalog, Host([{"name": f"trainer/{OLD}", "size_bytes": -1}]))


def test_checkpoints_that_were_brought_here_go_with_a_run_in_the_trash(catalog: Catalog) -> None:
    runs = [create(catalog, name) for name in ("stopped", "trash")]
    for run in runs:
        finish(catalog, run.id, state=RunState.STOPPED)
        keep(catalog, run.id, b"weights")
    catalog.runs.delete(runs[1].id, 5.0)
    names = [f"checkpoints/{run.id}" for run in runs]
    host = Host([lying(f"trainer/{OLD}")])
    listed = {one["name"]: (one["goes"], one["size_bytes"] >= 7) for one in cleaned(catalog, host)["entries"]}
    assert listed == {names[0]: (False, True), names[1]: (True, True), f"trainer/{OLD}": (True, False)}
    assert cleaned(catalog, host, remove=names)["removed"] == 1
    assert (host.removed, kept.runs_with(catalog.paths)) == ([], {runs[0].id})
    found = catalog.runs.get(runs[0].id).checkpoint
    assert found is not None
    assert (found.step, found.size_bytes, catalog.runs.get(runs[1].id).checkpoint) == (7, 7, None)
    box = catalog.instances.add(Instance("i2", "box", "ssh", created_at=1.0))
    there = clean(context(catalog, host), catalog.operations.submit("instance.clean", box.id, {}, None))
    assert [one["name"] for one in there["entries"]] == [f"trainer/{OLD}"], "they are on this machine"


def test_checkpoints_that_were_brought_here_go_once_the_run_has_succeeded_anywhere(catalog: Catalog) -> None:
    done, resumable, coming = (create(catalog, name) for name in ("done", "resumable", "coming"))
    for run in (done, resumable, coming):
        keep(catalog, run.id, b"weights")
        finish(catalog, run.id, state=RunState.FAILED if run is resumable else RunState.SUCCEEDED)
    catalog.operations.submit("run.keep", coming.id, {"attempt": 1}, None)
    decide(catalog)
    assert kept.runs_with(catalog.paths) == {resumable.id, coming.id}


def keep(catalog: Catalog, run_id: str, content: bytes) -> None:
    here, sha256 = kept.Kept(catalog.paths, run_id), hashlib.sha256(content).hexdigest()
    here.folder.mkdir(parents=True)
    here.blob(sha256).write_bytes(content)
    here.save(kept.KeptSet(1, 5.0, (kept.KeptFile("step-000000000007.ckpt", len(content), sha256),)))


def ended(catalog: Catalog, **fields: Any) -> Run:
    run = create(catalog, "cnn", **fields)
    catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "onnx", 5, "b" * 64)])
    finish(catalog, run.id)
    return catalog.runs.get(run.id)


def goes(catalog: Catalog, run: Run, state: str = "exited") -> bool:
    (entry,) = cleaned(catalog, Host([lying(f"jobs/{run.id}/a0001", state)]))["entries"]
    return bool(entry["goes"])


def test_an_attempt_goes_once_its_files_really_are_here(catalog: Catalog) -> None:
    run = ended(catalog)
    assert not goes(catalog, run)
    catalog.runs.mark_pulled(run.id, 1, "model.onnx")
    assert not goes(catalog, run), "the row says so, and the file is not there"
    path = catalog.paths.file("b" * 64)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"model")
    assert goes(catalog, run)
    assert not goes(catalog, run, "running")
    catalog.events.add(run.id, "info", "artifacts_passed_over", "1 file")
    assert not goes(catalog, run)


def test_data_that_something_waits_for_stays_and_a_removed_copy_is_forgotten(catalog: Catalog) -> None:
    local = catalog.instances.ensure_local()
    data = catalog.datasets.add(Dataset(new_id(), "digits", 1, "image", "d" * 64, 10, {}, ()))
    catalog.datasets.add_copy(data.id, local.id, 1.0)
    name = f"data/{data.sha256}"
    assert not cleaned(catalog, Host([lying(name)]))["entries"][0]["goes"], "this machine has none"
    folder = catalog.paths.data / data.sha256
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    waiting = create(catalog, "waits", dataset_id=data.id)
    assert cleaned(catalog, Host([lying(name)]))["entries"][0]["why"] == "waits needs it."
    finish(catalog, waiting.id)
    push = catalog.operations.submit("dataset.push", data.id, {"instance": local.id}, None)
    assert not cleaned(catalog, Host([lying(name)]))["entries"][0]["goes"]
    catalog.operations.finish(push.id)
    assert cleaned(catalog, Host([lying(name)]), remove=[name])["removed"] == 1
    assert catalog.datasets.get(data.id).instances == ()


def test_what_began_to_be_needed_before_the_lock_was_had_stays(catalog: Catalog) -> None:
    """A start has found the data there, under the lock that the removal waits for."""
    data = catalog.datasets.add(Dataset(new_id(), "digits", 1, "image", "d" * 64, 10, {}, ()))
    name = f"data/{data.sha256}"
    folder = catalog.paths.data / data.sha256
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    host = Host([lying(name)])

    @contextlib.contextmanager
    def held() -> Iterator[None]:
        create(catalog, "comes", dataset_id=data.id)
        yield

    host.put_lock = cast("Any", held())
    done = cleaned(catalog, host, remove=[name])
    assert (host.removed, done["removed"]) == ([], 0)
    assert done["entries"][0]["why"] == "comes needs it."


def test_a_host_whose_list_has_no_end_is_not_listened_to_for_ever(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cloudtui_engine.handlers.clean.MOST", 10)
    host = Host([])
    pages = iter(range(100))

    def page(_verb: str, _args: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:
        number = next(pages)
        return {"entries": [lying(f"trainer/{number:064x}")], "unknown": [], "next": f"trainer/{number:064x}"}

    monkeypatch.setattr(host, "request", page)
    assert len(cleaned(catalog, host)["entries"]) == 10


@pytest.mark.parametrize(
    ("there", "fine"),
    [
        ([{"name": "model.onnx", "sha256": "b" * 64}], True),
        ([{"name": "model.onnx", "sha256": "c" * 64}], False),
        ([], False),
        ("junk", False),
        ([{"name": 5, "sha256": []}, 7], False),
    ],
)
def test_a_model_is_used_where_it_lies_once_its_content_is_proven(
    catalog: Catalog, there: Any, fine: bool
) -> None:
    model = catalog.models.register(ended(catalog).id, 1)
    job = create(catalog, "job", kind="evaluate", model_id=model.id)
    host = Host([])
    host.artifacts = there
    host.instance_id = catalog.instances.ensure_local().id
    told: Callable[..., None] = lambda *_args: None  # noqa: E731
    packing = Packing(
        context(catalog, host), job, 1, link=cast("Any", host), report=told, is_unwanted=lambda: False
    )
    with host.session(1.0) as session:
        if fine:
            assert packing._give(session, model) == f"/root/jobs/{model.run_id}/a0001/artifacts"
        else:
            with pytest.raises(FailedError, match="gone or changed") as failed:
                packing._give(session, model)
            assert failed.value.code == "results_lost"
