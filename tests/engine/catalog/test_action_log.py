"""The log of actions: bounded, linked to the operations that were committed meanwhile, safe to show."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import open_catalog

from cloudtui_engine.catalog import Catalog, action_log


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return open_catalog(tmp_path)


def test_an_action_from_its_begin_to_its_end(catalog: Catalog) -> None:
    row = catalog.action_log.begin("run.tag", "cloudtui run tag a b", "desktop")
    assert catalog.action_log.list()[0].state == "begun"
    catalog.action_log.end(row, "failed", "no\x1b[31m such run")
    (logged,) = catalog.action_log.list()
    assert (logged.command, logged.state, logged.message) == ("cloudtui run tag a b", "failed", "no such run")
    assert logged.ended_at is not None
    assert catalog.changed(0)[1] >= {"action"}


def test_operations_belong_to_the_action_that_committed_them(catalog: Catalog) -> None:
    row = catalog.action_log.begin("run.sync", "cloudtui run sync", "terminal")
    with action_log.within(row):
        first = catalog.operations.submit("run.sync", "", {})
        elsewhere = threading.Thread(target=lambda: catalog.operations.submit("run.pull", "", {}))
        elsewhere.start()
        elsewhere.join()
        second = catalog.operations.submit("run.sync", "", {})
    catalog.operations.submit("run.sync", "", {})
    assert catalog.action_log.list()[0].operations == (first.id, second.id)


def test_what_is_undone_links_nothing(catalog: Catalog) -> None:
    row = catalog.action_log.begin("run.sync", "cloudtui run sync", "terminal")

    def undone() -> None:
        with action_log.within(row), catalog.write():
            catalog.operations.submit("run.sync", "", {})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    assert catalog.action_log.list()[0].operations == ()


def test_only_the_newest_are_kept(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action_log, "KEPT", 5)
    catalog.events.add("run-1", "info", "kept", "of something else")
    rows = [catalog.action_log.begin("run.tag", f"number {number}", "desktop") for number in range(8)]
    assert [one.id for one in catalog.action_log.list(100)] == rows[:2:-1]
    assert catalog.events.count("run-1", 9) == 1
    catalog.action_log.end(rows[0], "done")  # long gone
