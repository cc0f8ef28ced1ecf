from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from tests.engine.catalog.helpers import a_run, create, finish

from cloudtui_engine.catalog import Catalog, RunQuery
from cloudtui_engine.errors import NotFoundError, RefusedError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.instance import LOCAL, Address, Instance, LinkState
from cloudtui_engine.records.operation import OperationState
from cloudtui_engine.records.run import RunState


def an_instance(name: str, **fields: Any) -> Instance:
    return Instance(
        new_id(), name, "ssh", Address("10.0.0.1", "me", 2222, "~/.ssh/id"), created_at=5.0, **fields
    )


def a_dataset(name: str, version: int = 1, **fields: Any) -> Dataset:
    key = new_id()
    return Dataset(
        key, name, version, "image", fields.pop("sha256", key * 4), 10, {"train": 3, "test": 1}, ("a", "b"),
        {"format": 1, "features": {"mean": [0.5]}}, "built-in", 3.0,
    )  # fmt: skip


class TestInstances:
    def test_what_goes_in_comes_out(self, catalog: Catalog) -> None:
        box = an_instance(
            "box", facts={"os": "Linux"}, gpus=({"name": "A100"},), link_state=LinkState.REFUSED
        )
        catalog.instances.add(box)
        assert catalog.instances.get(box.id) == box
        assert catalog.instances.find("box") == catalog.instances.find(box.id) == box

    def test_this_machine_is_there_once_and_first(self, catalog: Catalog) -> None:
        catalog.instances.add(an_instance("aaa"))
        local = catalog.instances.ensure_local()
        assert catalog.instances.ensure_local() == local
        assert [one.name for one in catalog.instances.list()] == [LOCAL, "aaa"]
        up = sum(one.link_state is LinkState.UP for one in catalog.instances.list())
        assert (catalog.instances.count(), catalog.instances.count(LinkState.UP)) == (2, up)
        assert local.provider == LOCAL

    def test_many_threads_make_one_local(self, catalog: Catalog) -> None:
        found: list[str] = []
        threads = [
            threading.Thread(target=lambda: found.append(catalog.instances.ensure_local().id))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(found) == 8
        assert len(set(found)) == 1

    def test_a_taken_name_is_refused(self, catalog: Catalog) -> None:
        catalog.instances.add(an_instance("box"))
        with pytest.raises(RefusedError) as raised:
            catalog.instances.add(an_instance("box"))
        assert raised.value.code == "name_taken"

    def test_a_forgotten_one_frees_its_name_and_stays_for_its_runs(self, catalog: Catalog) -> None:
        box = catalog.instances.add(an_instance("box"))
        run = catalog.runs.create(a_run(), [box.id])
        catalog.instances.forget(box.id, 9.0)
        with pytest.raises(NotFoundError):
            catalog.instances.find("box")
        catalog.instances.add(an_instance("box"))
        assert len(catalog.instances.list(include_forgotten=True)) == 2
        assert catalog.runs.get(run.id).instances == ("box",)

    def test_updates_are_by_field(self, catalog: Catalog) -> None:
        box = catalog.instances.add(an_instance("box"))
        catalog.instances.update(
            box.id,
            link_state=LinkState.UP,
            seen_at=7.0,
            facts={"a": 1},
            gpus=[{"x": 1}],
            address=Address("h"),
        )
        found = catalog.instances.get(box.id)
        assert found == replace(
            box, link_state=LinkState.UP, seen_at=7.0, facts={"a": 1}, gpus=({"x": 1},), address=Address("h")
        )
        for wrong in ("id", "nonsense"):
            with pytest.raises(ValueError, match="no such field"):
                catalog.instances.update(box.id, **{wrong: 1})
        with pytest.raises(NotFoundError):
            catalog.instances.update("nobody", root="x")


class TestDatasets:
    def test_what_goes_in_comes_out(self, catalog: Catalog) -> None:
        digits = a_dataset("digits")
        catalog.datasets.add(digits)
        assert catalog.datasets.get(digits.id) == catalog.datasets.by_sha(digits.sha256) == digits
        assert catalog.datasets.by_sha("nothing") is None

    def test_a_name_means_its_newest_version(self, catalog: Catalog) -> None:
        first, second = a_dataset("digits"), a_dataset("digits", 2)
        assert catalog.datasets.next_version("digits") == 1
        for one in (first, second):
            catalog.datasets.add(one)
        assert catalog.datasets.next_version("digits") == 3
        for text, wanted in (
            ("digits", second),
            ("digits@1", first),
            (first.id, first),
            (second.sha256[:20], second),
        ):
            assert catalog.datasets.find(text) == wanted
        assert [(one.name, one.version, one.manifest) for one in catalog.datasets.list()] == [
            ("digits", 2, {}), ("digits", 1, {}),
        ]  # fmt: skip
        for missing in ("digits@3", "other", "", "digits@x", "@1"):
            with pytest.raises(NotFoundError):
                catalog.datasets.find(missing)

    def test_content_and_version_are_there_once(self, catalog: Catalog) -> None:
        digits = catalog.datasets.add(a_dataset("digits"))
        for twin in (a_dataset("digits"), a_dataset("other", sha256=digits.sha256)):
            with pytest.raises(RefusedError):
                catalog.datasets.add(twin)

    def test_copies_are_named_once_per_place(self, catalog: Catalog) -> None:
        digits = catalog.datasets.add(a_dataset("digits"))
        other = catalog.datasets.add(a_dataset("other"))
        box, local = catalog.instances.add(an_instance("box")), catalog.instances.ensure_local()
        for place in (box, local, box):
            catalog.datasets.add_copy(digits.id, place.id, 1.0)
        assert catalog.datasets.get(digits.id).instances == ("box", "local")
        assert [one.instances for one in catalog.datasets.list()] == [("box", "local"), ()]
        assert catalog.datasets.get(other.id).instances == ()


class TestRuns:
    def test_what_goes_in_comes_out(self, catalog: Catalog) -> None:
        digits = catalog.datasets.add(a_dataset("digits"))
        given = a_run(
            "first",
            dataset_id=digits.id,
            task="image",
            model="cnn",
            params={"lr": 0.1, "o": {"name": "sgd"}},
            spec={"argv": ["x"]},
            note="hm",
            tags=("b", "a"),
            created_at=7.0,
        )
        local = catalog.instances.ensure_local()
        made = catalog.runs.create(given, [local.id])
        assert made == replace(given, instances=("local",), dataset="digits", tags=("a", "b"))
        assert catalog.runs.find("first") == catalog.runs.find(given.id) == catalog.runs.get(given.id) == made
        (attempt,) = catalog.runs.attempts(given.id)
        assert (attempt.state, attempt.instance_id, attempt.created_at) == (RunState.QUEUED, local.id, 7.0)

    def test_several_hosts_are_placed_by_rank(self, catalog: Catalog) -> None:
        one, two = catalog.instances.add(an_instance("one")), catalog.instances.add(an_instance("two"))
        run = catalog.runs.create(a_run(), [two.id, one.id])
        assert run.instances == ("two", "one")
        assert catalog.runs.attempt(run.id, 1).instance_id == two.id
        with pytest.raises(ValueError, match="needs an instance"):
            catalog.runs.create(a_run(), [])

    def test_finding_by_name_prefix_and_in_the_trash(self, catalog: Catalog) -> None:
        run, twin = create(catalog, "twin"), create(catalog, "twin")
        with pytest.raises(RefusedError) as raised:
            catalog.runs.find("twin")
        assert raised.value.code == "ambiguous"
        assert run.id in raised.value.message
        assert twin.id in raised.value.message
        with pytest.raises(RefusedError):
            catalog.runs.find(run.id[:2])
        catalog.runs.delete(twin.id, 5.0)
        assert catalog.runs.find("twin").id == run.id
        assert catalog.runs.find(twin.id).deleted_at == 5.0
        catalog.runs.delete(run.id, 6.0)
        catalog.runs.rename(run.id, "other")
        assert catalog.runs.find("twin").id == twin.id
        for missing in ("nothing", "", "zzz"):
            with pytest.raises(NotFoundError):
                catalog.runs.find(missing)

    def test_trash_and_back(self, catalog: Catalog) -> None:
        kept, gone = create(catalog, "kept"), create(catalog, "gone")
        catalog.runs.delete(gone.id, 5.0)
        assert [run.id for run in catalog.runs.list()] == [kept.id]
        assert [run.id for run in catalog.runs.list(RunQuery(deleted=True))] == [gone.id]
        assert (catalog.runs.count(), catalog.runs.count(RunQuery(deleted=True))) == (1, 1)
        catalog.runs.restore(gone.id)
        assert catalog.runs.get(gone.id).deleted_at is None
        assert catalog.runs.count() == 2

    def test_tags_note_and_name(self, catalog: Catalog) -> None:
        run = create(catalog)
        catalog.runs.tag(run.id, add=["a", "b", "a"])
        catalog.runs.tag(run.id, add=["c"], remove=["a", "zzz"])
        catalog.runs.set_note(run.id, "a\nnote")
        catalog.runs.rename(run.id, "new")
        found = catalog.runs.get(run.id)
        assert (found.tags, found.note, found.name) == (("b", "c"), "a\nnote", "new")
        with pytest.raises(NotFoundError):
            catalog.runs.set_note("nobody", "x")

    def test_the_run_follows_its_newest_attempt(self, catalog: Catalog) -> None:
        run = create(catalog)
        move = catalog.runs.move
        assert move(run.id, 1, RunState.STAGING, expected=RunState.QUEUED)
        assert not move(run.id, 1, RunState.STAGING, expected=RunState.QUEUED)
        assert move(run.id, 1, RunState.STARTING, expected=[RunState.QUEUED, RunState.STAGING])
        assert move(run.id, 1, RunState.RUNNING, expected=RunState.STARTING, started_at=100.0, machine_id="m")
        catalog.runs.set_stale([run.id], 50.0)
        found = catalog.runs.get(run.id)
        assert (found.status, found.started_at, found.stale_since) == (RunState.RUNNING, 100.0, 50.0)
        assert move(
            run.id,
            1,
            RunState.FAILED,
            expected=RunState.RUNNING,
            ended_at=130.0,
            exit_code=1,
            reason="Out of memory.",
        )
        found = catalog.runs.get(run.id)
        assert (found.status, found.ended_at, found.exit_code, found.reason) == (
            RunState.FAILED,
            130.0,
            1,
            "Out of memory.",
        )
        assert (found.duration_s, found.stale_since) == (30.0, None)
        catalog.runs.add_attempt(run.id, [catalog.instances.ensure_local().id], 200.0)
        found = catalog.runs.get(run.id)
        assert (found.status, found.attempt, found.exit_code, found.duration_s) == (
            RunState.QUEUED,
            2,
            None,
            30.0,
        )
        finish(catalog, run.id, 2)
        found = catalog.runs.get(run.id)
        assert found.started_at == 100.0
        assert found.duration_s is not None
        assert 30.0 <= found.duration_s < 40.0
        assert [one.state for one in catalog.runs.attempts(run.id)] == [RunState.FAILED, RunState.SUCCEEDED]
        assert catalog.runs.attempt(run.id, 1).machine_id == "m"

    def test_proof_about_an_old_attempt_does_not_touch_the_run(self, catalog: Catalog) -> None:
        run = create(catalog)
        finish(catalog, run.id, 1, RunState.LOST)
        catalog.runs.add_attempt(run.id, [catalog.instances.ensure_local().id], 1.0)
        assert catalog.runs.move(run.id, 1, RunState.SUCCEEDED, expected=RunState.LOST)
        assert catalog.runs.get(run.id).status is RunState.QUEUED

    def test_a_proof_may_revise_lost(self, catalog: Catalog) -> None:
        run = create(catalog)
        finish(catalog, run.id, 1, RunState.LOST)
        assert catalog.runs.move(run.id, 1, RunState.RUNNING, expected=RunState.LOST)
        found = catalog.runs.get(run.id)
        assert (found.status, found.ended_at) == (RunState.RUNNING, None)

    def test_what_the_table_forbids_is_an_error_of_the_program(self, catalog: Catalog) -> None:
        run = create(catalog)
        with pytest.raises(ValueError, match="cannot become"):
            catalog.runs.move(run.id, 1, RunState.SUCCEEDED, expected=RunState.QUEUED)
        with pytest.raises(ValueError, match="no such field"):
            catalog.runs.move(run.id, 1, RunState.STAGING, expected=RunState.QUEUED, state="x")
        assert catalog.runs.get(run.id).status is RunState.QUEUED

    def test_of_two_who_move_at_once_one_does(self, catalog: Catalog) -> None:
        run = create(catalog)
        won: list[bool] = []
        targets = [RunState.STAGING, RunState.STOPPED, RunState.FAILED] * 4
        threads = [
            threading.Thread(
                target=lambda to=to: won.append(catalog.runs.move(run.id, 1, to, expected=RunState.QUEUED))
            )
            for to in targets
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(won) == [False] * 11 + [True]

    def test_a_second_attempt_waits_for_the_end_of_the_first(self, catalog: Catalog) -> None:
        run = create(catalog)
        with pytest.raises(RefusedError):
            catalog.runs.add_attempt(run.id, [catalog.instances.ensure_local().id], 1.0)
        catalog.runs.request_stop(run.id, 1, 4.0)
        catalog.runs.request_stop(run.id, 1, 9.0)
        assert catalog.runs.attempt(run.id, 1).stop_requested_at == 4.0
        assert [one.run_id for one in catalog.runs.open_attempts()] == [run.id]
        finish(catalog, run.id)
        assert catalog.runs.open_attempts() == []
        assert catalog.runs.newest_attempt(run.id) == 1

    def test_artifacts_are_pulled_one_by_one(self, catalog: Catalog) -> None:
        run = create(catalog)
        catalog.runs.add_artifacts(run.id, 1, [("b", "file", 2, "b" * 64), ("a", "onnx", 1, "a" * 64)])
        assert catalog.runs.unpulled() == []  # it still runs
        finish(catalog, run.id)
        assert catalog.runs.unpulled() == [(run.id, 1)]
        catalog.runs.mark_pulled(run.id, 1, "a")
        found = catalog.runs.get(run.id).artifacts
        assert found == tuple(catalog.runs.artifacts(run.id, 1))
        assert [(one.name, one.local) for one in found] == [
            ("a", str(catalog.paths.file("a" * 64))), ("b", None),
        ]  # fmt: skip
        catalog.runs.mark_pulled(run.id, 1, "b")
        assert catalog.runs.unpulled() == []
        catalog.runs.add_artifacts(run.id, 1, [("a", "onnx", 1, "a" * 64)])
        assert catalog.runs.unpulled() == []
        catalog.runs.add_artifacts(run.id, 1, [("a", "onnx", 3, "c" * 64)])
        assert catalog.runs.unpulled() == [(run.id, 1)]
        catalog.runs.delete(run.id, 1.0)
        assert catalog.runs.unpulled() == []
        assert catalog.runs.list(RunQuery(deleted=True))[0].artifacts == ()
        assert len(catalog.runs.list(RunQuery(deleted=True, details=True))[0].artifacts) == 2

    def test_the_newest_report_of_a_name_counts(self, catalog: Catalog) -> None:
        run = create(catalog)
        catalog.runs.add_report(run.id, 1, "evaluation/test", 1.0, {"accuracy": 0.5})
        catalog.runs.add_report(run.id, 1, "other", 1.0, {})
        finish(catalog, run.id)
        catalog.runs.add_attempt(run.id, [catalog.instances.ensure_local().id], 1.0)
        catalog.runs.add_report(run.id, 2, "evaluation/test", 1.0, {"accuracy": 0.6})
        assert catalog.runs.reports(run.id) == {"evaluation/test": {"accuracy": 0.6}, "other": {}}

    def test_free_names_count_on(self, catalog: Catalog) -> None:
        for name in ("demo-1", "demo-3", "demo-x", "dem"):
            create(catalog, name)
        assert catalog.runs.free_name("demo") == "demo-2"
        assert catalog.runs.free_name("other") == "other-1"

    def test_a_page_says_what_a_single_read_says(self, catalog: Catalog) -> None:
        runs = [create(catalog, f"r{i}", params={"i": i}, tags=("t",) * (i % 2)) for i in range(5)]
        listed = catalog.runs.list(RunQuery(details=True))
        assert listed == [catalog.runs.get(run.id) for run in reversed(runs)]
        assert catalog.runs.list(RunQuery(metrics=False)) == catalog.runs.list()


class TestModels:
    def test_a_run_gives_one_model_and_a_name_gives_versions(self, catalog: Catalog) -> None:
        digits = catalog.datasets.add(a_dataset("digits"))
        run = create(catalog, "cnn", task="image", model="resnet", dataset_id=digits.id)
        catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "onnx", 5, "a" * 64)])
        catalog.runs.add_report(run.id, 1, "evaluation/test", 1.0, {"accuracy": 0.9})
        first = catalog.models.register(run.id, 1)
        assert catalog.models.register(run.id, 1) == first
        assert (first.name, first.version, first.task, first.architecture, first.dataset) == (
            "cnn", 1, "image", "resnet", "digits",
        )  # fmt: skip
        assert first.reports == {"evaluation/test": {"accuracy": 0.9}}
        assert [file.name for file in first.files] == ["model.onnx"]
        second = catalog.models.register(create(catalog, "cnn").id, 1)
        assert second.version == 2
        assert [one.id for one in catalog.models.list()] == [second.id, first.id]
        catalog.models.set_alias(first.id, "best")
        for text, wanted in (
            ("cnn", second),
            ("cnn@1", first),
            ("best", first),
            (first.id, first),
            (run.id, first),
        ):
            assert catalog.models.find(text).id == wanted.id
        catalog.models.set_alias(second.id, "best")
        assert catalog.models.get(second.id).alias == ("best",)
        assert catalog.models.get(first.id).alias == ()
        for missing in ("cnn@3", "x", ""):
            with pytest.raises(NotFoundError):
                catalog.models.find(missing)
        assert catalog.models.count() == 2
        catalog.runs.delete(run.id, 1.0)
        assert catalog.models.count() == len(catalog.models.list()) == 1

    def test_an_alias_hides_no_model(self, catalog: Catalog) -> None:
        cnn, mlp = (catalog.models.register(create(catalog, name).id, 1) for name in ("cnn", "mlp"))
        with pytest.raises(RefusedError, match="a model called mlp"):
            catalog.models.set_alias(cnn.id, "mlp")
        assert catalog.models.find("mlp") == mlp


class TestOperations:
    def test_the_way_of_an_operation(self, catalog: Catalog) -> None:
        one = catalog.operations.submit("run.start", "r1", {"attempt": 1}, "key")
        assert catalog.operations.submit("other", "r2", {}, "key") == one
        assert catalog.operations.has_key("key")
        assert not catalog.operations.has_key("no")
        assert one.state is OperationState.PENDING
        assert catalog.operations.take(one.id)
        assert not catalog.operations.take(one.id)
        catalog.operations.set_progress(one.id, {"text": "Copying", "done": 1, "total": 2})
        catalog.operations.ask(one.id, {"kind": "host_key"})
        assert catalog.operations.get(one.id).state is OperationState.NEEDS_YOU
        assert catalog.operations.answer(one.id, {"accept": True})
        assert not catalog.operations.answer(one.id, {"accept": False})
        assert [found.id for found in catalog.operations.pending()] == [one.id]
        assert catalog.operations.take(one.id)
        catalog.operations.finish(one.id, {"instance": "i"})
        done = catalog.operations.get(one.id)
        assert (done.state, done.result, done.pickups, done.answer) == (
            OperationState.DONE, {"instance": "i"}, 2, {"accept": True},
        )  # fmt: skip
        assert done.progress["text"] == "Copying"
        assert done.ended_at is not None
        catalog.operations.fail(one.id, {"code": "x"})
        assert catalog.operations.get(one.id) == done  # finished is final

    def test_a_dead_engines_work_is_taken_up_again(self, catalog: Catalog) -> None:
        operations = [catalog.operations.submit("k", "t", {}) for _ in range(3)]
        catalog.operations.take(operations[0].id)
        assert catalog.operations.requeue_running() == 1
        assert [one.id for one in catalog.operations.pending()] == [one.id for one in operations]
        assert catalog.operations.get(operations[0].id).pickups == 1

    def test_only_what_has_not_begun_can_be_cancelled(self, catalog: Catalog) -> None:
        waiting, running = catalog.operations.submit("k", "t", {}), catalog.operations.submit("k", "t", {})
        catalog.operations.take(running.id)
        assert catalog.operations.cancel(waiting.id)
        assert not catalog.operations.cancel(waiting.id)
        assert not catalog.operations.cancel(running.id)
        assert [one.id for one in catalog.operations.open_for("t")] == [running.id]
        assert [one.id for one in catalog.operations.list(states=[OperationState.CANCELLED])] == [waiting.id]
        assert len(catalog.operations.list(limit=1)) == 1
        catalog.operations.fail(running.id, {"code": "timeout", "message": "m", "hint": ""})
        assert catalog.operations.get(running.id).error["code"] == "timeout"

    def test_one_of_many_takers_gets_it(self, catalog: Catalog) -> None:
        one, won = catalog.operations.submit("k", "t", {}), []
        threads = [
            threading.Thread(target=lambda: won.append(catalog.operations.take(one.id))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sum(won) == 1


def test_events_are_safe_and_in_order(catalog: Catalog) -> None:
    for i in range(5):
        catalog.events.add("subject", "info", "name\n\x1b[2J", f"text {i}\x07", {"i": i}, t=float(i))
    found = catalog.events.list("subject", limit=3)
    assert [event.data["i"] for event in found] == [2, 3, 4]
    assert found[0].text == "text 2\ufffd"
    assert found[0].name == "name"
    assert catalog.events.count("subject", 4) == 4


def test_settings_hold_json(catalog: Catalog) -> None:
    assert catalog.settings.get("a", 5) == 5
    for value in ({"x": [1, None]}, None, "text", 1.5):
        catalog.settings.set("a", value)
        assert catalog.settings.get("a", 5) == value


def test_an_engine_without_an_end_crashed(catalog: Catalog) -> None:
    first = catalog.engine_sessions.begin(10, "0.1")
    catalog.engine_sessions.end(first, "idle")
    catalog.engine_sessions.begin(11, "0.1")
    assert catalog.engine_sessions.crashes(0.0) == 0
    assert catalog.engine_sessions.crashes(0.0, living=False) == 1
    catalog.engine_sessions.begin(12, "0.1")
    assert catalog.engine_sessions.crashes(0.0) == 1
    assert [(one.pid, one.reason) for one in catalog.engine_sessions.recent(2)] == [(12, ""), (11, "")]


def test_a_setting_that_is_a_secret_is_in_a_file_of_its_own(catalog: Catalog) -> None:
    catalog.settings.set("notify.webhook", "https://example.org/canary-7f3a")
    assert catalog.settings.get("notify.webhook") == catalog.settings.all()["notify.webhook"]
    file = catalog.paths.home / "webhook"
    assert file.stat().st_mode & 0o777 == 0o600
    with catalog.read() as db:
        assert db.execute("SELECT key FROM setting").fetchall() == []
    assert b"canary" not in catalog.paths.catalog.read_bytes()
    file.write_bytes(b"\xff{")
    assert catalog.settings.get("notify.webhook", 5) == 5
    catalog.settings.unset("notify.webhook")
    assert not file.exists()
    assert catalog.settings.all() == {}
