"""A row that a host spoiled, or a connection that failed, takes nothing else with it."""

from __future__ import annotations

import sqlite3
from typing import Any, cast

import pytest

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.instance import Address, Instance, LinkState


@pytest.mark.parametrize("text", ["5", "null", '"x"', "{", "[1, null]", '{"host": 5, "x": 1}', "[" * 100_000])
@pytest.mark.parametrize("column", ["gpus", "facts", "address"])
def test_a_bad_column_does_not_break_the_list(catalog: Catalog, column: str, text: str) -> None:
    bad = catalog.instances.add(Instance(new_id(), "bad", "ssh"))
    good = catalog.instances.add(Instance(new_id(), "good", "ssh", Address("h", port=7), facts={"os": "x"}))
    with catalog.write() as db:
        db.execute(f"UPDATE instance SET {column} = ?, link_state = 'odd' WHERE id = ?", (text, bad.id))  # noqa: S608
    first, second = catalog.instances.list()
    assert second == good
    assert (first.gpus, first.address, first.link_state) == ((), Address(), LinkState.DOWN)
    assert isinstance(first.facts, dict)
    assert catalog.instances.get(bad.id) == first


def test_stored_gpus_that_are_none_do_not_break_the_list(catalog: Catalog) -> None:
    catalog.instances.add(Instance(new_id(), "bad", "ssh"))
    catalog.instances.update(catalog.instances.find("bad").id, gpus=5)
    assert catalog.instances.find("bad").gpus == ()


class _NoRollback:
    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real

    def execute(self, statement: str, *args: Any) -> sqlite3.Cursor:
        if statement == "ROLLBACK":
            raise sqlite3.OperationalError("disk I/O error")
        return self._real.execute(statement, *args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _write_and_fail(catalog: Catalog) -> None:
    with catalog.write() as db:
        db.execute("INSERT INTO setting VALUES ('a', '1')")
        raise ValueError("the body")


def test_a_rollback_that_fails_is_the_catalogs_error_and_the_next_write_works(catalog: Catalog) -> None:
    handle = catalog._handle()
    handle.connection = cast("sqlite3.Connection", _NoRollback(handle.connection))
    with pytest.raises(CatalogError):
        _write_and_fail(catalog)
    catalog.settings.set("b", 2)
    assert (catalog.settings.get("a", None), catalog.settings.get("b", None)) == (None, 2)
