"""What happened becomes notices, and notices operations: each once, whatever dies meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import a_run, create, finish, line, open_catalog, store

from cloudtui_engine import deciders
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.notices import OLD_AFTER_S
from cloudtui_engine.deciders import STALLED_AFTER_S, Proposal, decide, tell
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.records.instance import Instance, LinkState
from cloudtui_engine.records.notice import IDLE_AFTER, KINDS, Notice
from cloudtui_engine.records.run import Run, RunState


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


def notice(kind: str = "failed", number: int = 7) -> Notice:
    return Notice(number, 1.0, kind, "c1", 1, "resnet", "train", "Out of memory.")


def told(catalog: Catalog) -> list[tuple[str, str, str]]:
    return [
        (one.kind, one.args["notice"]["run"], one.args["notice"]["kind"])
        for one in reversed(catalog.operations.list())
        if one.kind.startswith("notify.")
    ]


def test_each_channel_that_is_set_up_is_told_once() -> None:
    found = list(tell([notice()], {"notify.command": "say", "notify.webhook": ""}, KINDS))
    assert found == [
        Proposal("notify.command", "notify.command", "notify.command:7", {"notice": notice().as_dict()})
    ]
    assert found[0].args["notice"]["text"] == "resnet failed: Out of memory."


def test_a_defect_of_one_keeps_no_other_from_its_turn(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Catalog) -> list[Proposal]:
        raise KeyError("a defect of its own")

    enforced: list[object] = []
    monkeypatch.setattr(deciders, "DECIDERS", (broken, lambda _: [Proposal("run.sync", "", "one")]))
    monkeypatch.setattr(deciders.enforcing, "enforce", lambda *given: enforced.append(given) or 0)
    assert [decide(catalog), decide(catalog)] == [1, 0]
    assert len(enforced) == 2
    assert caplog.text.count("A defect in what the engine decides") == 1

    def closed(_: Catalog) -> list[Proposal]:
        raise CatalogError("The disk is full.")

    monkeypatch.setattr(deciders, "DECIDERS", (closed,))
    with pytest.raises(CatalogError):
        decide(catalog)


def test_only_what_is_wanted_is_told() -> None:
    kinds = [
        one.args["notice"]["kind"]
        for one in tell([notice(kind) for kind in KINDS], {"notify.webhook": "http://x"}, ("nan", "lost"))
    ]
    assert kinds == ["lost", "nan"]


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (RunState.SUCCEEDED, "finished"),
        (RunState.FAILED, "failed"),
        (RunState.STOPPED, "stopped"),
        (RunState.LOST, "lost"),
    ],
)
def test_an_end_is_a_notice_and_is_told_once(catalog: Catalog, state: RunState, kind: str) -> None:
    catalog.settings.set("notify.command", "true")
    catalog.settings.set("notify.about", list(KINDS))
    run = create(catalog, "a run")
    finish(catalog, run.id, state=state)
    for _ in range(3):
        decide(catalog)
    assert told(catalog) == [("notify.command", "a run", kind)]


def test_a_lost_run_whose_proof_comes_later_is_told_again(catalog: Catalog) -> None:
    catalog.settings.set("notify.command", "true")
    run = create(catalog, "r")
    finish(catalog, run.id, state=RunState.LOST)
    decide(catalog)
    assert catalog.runs.move(run.id, 1, RunState.SUCCEEDED, expected=RunState.LOST)
    decide(catalog)
    assert [kind for _, _, kind in told(catalog)] == ["lost", "finished"]


def test_what_happened_before_anybody_wanted_to_know_is_not_told(catalog: Catalog) -> None:
    run = create(catalog)
    finish(catalog, run.id)
    decide(catalog)
    catalog.settings.set("notify.command", "true")
    decide(catalog)
    assert told(catalog) == []


def test_an_engine_that_dies_in_the_middle_loses_nothing_and_doubles_nothing(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.settings.set("notify.command", "true")
    catalog.settings.set("notify.webhook", "http://127.0.0.1:9/")
    finish(catalog, create(catalog, "r").id)
    whole, calls = catalog.operations.submit, 0

    def dies(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise CatalogError("killed")
        return whole(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(catalog.operations, "submit", dies)
    with pytest.raises(CatalogError):
        decide(catalog)
    monkeypatch.undo()
    assert told(catalog) == [], "both or neither"
    for _ in range(2):
        decide(catalog)
    assert told(catalog) == [("notify.command", "r", "finished"), ("notify.webhook", "r", "finished")]


def test_a_run_that_nothing_confirms_is_told_after_a_while(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.settings.set("notify.command", "true")
    run = create(catalog, "r")
    assert catalog.runs.move(run.id, 1, RunState.STAGING, expected=RunState.QUEUED)
    now = deciders.time.time()
    catalog.runs.set_stale([run.id], now)
    decide(catalog)
    assert told(catalog) == [], "a link that is away for a moment is no news"
    monkeypatch.setattr(deciders.time, "time", lambda: now + STALLED_AFTER_S + 1)
    for _ in range(2):
        decide(catalog)
    assert told(catalog) == [("notify.command", "r", "stalled")]


def stale(catalog: Catalog, ago: float) -> Run:
    """A run whose link went away so long ago."""
    run = create(catalog, "r")
    assert catalog.runs.move(run.id, 1, RunState.STAGING, expected=RunState.QUEUED)
    catalog.runs.set_stale([run.id], time.time() - ago)
    return run


def test_an_engine_that_has_just_begun_takes_nothing_for_stalled(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog.settings.set("notify.command", "true")
    stale(catalog, 10 * STALLED_AFTER_S)
    now = time.time()
    catalog.engine_sessions.begin(os.getpid(), "1")
    decide(catalog)
    assert told(catalog) == [], "the last engine left it so; this one has no link yet"
    monkeypatch.setattr(deciders.time, "time", lambda: now + STALLED_AFTER_S + 1)
    decide(catalog)
    assert told(catalog) == [("notify.command", "r", "stalled")]
    catalog.engine_sessions.begin(os.getpid(), "1")
    monkeypatch.setattr(deciders.time, "time", lambda: now + 3 * STALLED_AFTER_S)
    decide(catalog)
    assert len(told(catalog)) == 1, "the next engine finds the same one"


def test_each_time_that_a_run_stalls_is_told(catalog: Catalog) -> None:
    catalog.settings.set("notify.command", "true")
    run = stale(catalog, 3 * STALLED_AFTER_S)
    decide(catalog)
    catalog.runs.set_stale([run.id], None)
    decide(catalog)
    catalog.runs.set_stale([run.id], time.time() - 2 * STALLED_AFTER_S)
    for _ in range(2):
        decide(catalog)
    assert told(catalog) == [("notify.command", "r", "stalled")] * 2
    first, second = catalog.notices.since(0)[1]
    assert first.key != second.key


def ended(catalog: Catalog, run: Run, at: float) -> None:
    assert catalog.runs.move(run.id, 1, RunState.LOST, expected=RunState.QUEUED, ended_at=at)


def test_what_ended_long_ago_elsewhere_is_history(catalog: Catalog) -> None:
    long_ago = time.time() - 2 * OLD_AFTER_S
    ended(catalog, create(catalog, "imported"), long_ago)
    ended(catalog, create(catalog, "new"), time.time() - 60)
    mine = create(catalog, "mine")
    catalog.operations.submit("run.start", mine.id, {"attempt": 1}, f"run.start:{mine.id}:1")
    ended(catalog, mine, long_ago)
    assert [one.run for one in catalog.notices.since(0)[1]] == ["new", "mine"]


def test_numbers_that_were_none_long_ago_elsewhere_are_history(catalog: Catalog) -> None:
    run = create(catalog, "r")
    store(catalog, run, line("event", 0, time.time() - 2 * OLD_AFTER_S, name="not_finite", data={}))
    assert catalog.notices.since(0)[1] == []
    store(catalog, run, line("event", 1, time.time(), name="not_finite", data={}))
    assert [one.kind for one in catalog.notices.since(0)[1]] == ["nan"]


def test_the_same_news_has_the_same_key_after_a_restored_backup(catalog: Catalog) -> None:
    run = create(catalog, "r")
    finish(catalog, run.id)
    [found] = catalog.notices.since(0)[1]
    assert found.key == f"{run.id}-1-finished"
    assert replace(found, id=found.id + 5, t=found.t + 60).as_dict()["key"] == found.key


def test_numbers_that_are_none_are_told_once_an_attempt(catalog: Catalog) -> None:
    catalog.settings.set("notify.command", "true")
    run = create(catalog, "r")
    for seq in range(3):
        said = {"text": "The loss was\x1b[31m none."}
        store(catalog, run, line("event", seq, time.time(), name="taken_back", data=said))
    decide(catalog)
    assert told(catalog) == [("notify.command", "r", "nan")]
    assert catalog.notices.since(0)[1][0].detail == "The loss was none."


def test_a_feed_of_other_events_moves_the_mark_without_a_write_each_time(catalog: Catalog) -> None:
    run = create(catalog)
    catalog.events.add(run.id, "info", "x", "x")
    before = catalog.topics()
    decide(catalog)
    assert catalog.topics() == before


def test_a_long_feed_is_told_in_parts_and_wholly(catalog: Catalog) -> None:
    for number in range(5):
        finish(catalog, create(catalog, f"r{number}").id)
    place, seen = 0, []
    while True:
        place, part = catalog.notices.since(place, limit=2)
        if not part:
            break
        seen += [one.run for one in part]
    assert seen == [f"r{number}" for number in range(5)]
    assert place == catalog.notices.place()


@pytest.fixture
def idle(catalog: Catalog) -> Instance:
    """A machine that was looked at just now and has done nothing for 41 minutes."""
    now = time.time()
    box = Instance("box-2", "box-2", "ssh", link_state=LinkState.UP, idle_since=now - 2470, looked_at=now - 5)
    return catalog.instances.add(box)


def said(catalog: Catalog) -> list[str]:
    decide(catalog)
    return [one.sentence for one in catalog.notices.since(0)[1]]


def test_an_idle_machine_is_told_of_once_for_each_time(catalog: Catalog, idle: Instance) -> None:
    sentence = "box-2 has been idle for 41 min. Nothing is queued for it."
    assert said(catalog) == [sentence]
    assert said(catalog) == [sentence]
    catalog.instances.update(idle.id, idle_since=time.time() - 1830)
    assert said(catalog) == [sentence, "box-2 has been idle for 30 min. Nothing is queued for it."]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"idle_since": None}, id="at work"),
        pytest.param({"idle_since": -1700.0}, id="not for long"),
        pytest.param({"link_state": LinkState.DOWN}, id="no link"),
        pytest.param({"link_state": LinkState.SILENT}, id="no answer"),
        pytest.param({"looked_at": -600.0}, id="nobody looked"),
        pytest.param({"forgotten_at": 1.0}, id="forgotten"),
    ],
)
def test_what_is_not_known_to_be_idle_is_not_told_of(
    catalog: Catalog, idle: Instance, change: dict[str, object]
) -> None:
    now = time.time()  # those below 0 are ages
    change = {name: now + one if isinstance(one, float) and one < 0 else one for name, one in change.items()}
    catalog.instances.update(idle.id, **change)
    assert said(catalog) == []


def test_minutes_are_the_users_and_what_is_queued_counts(catalog: Catalog, idle: Instance) -> None:
    for minutes in (0, 42, "never"):
        catalog.settings.set(IDLE_AFTER, minutes)
        assert said(catalog) == []
    catalog.settings.set(IDLE_AFTER, 41)
    run = catalog.runs.create(a_run("waits"), [idle.id])
    assert said(catalog) == []
    finish(catalog, run.id)
    assert [one for one in said(catalog) if "idle" in one]
