"""`dataset.fetch` as the engine carries it out: to a version, withdrawn, or left to the next engine."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import open_catalog
from tests.engine.objects.store import PIECE, FakeStore

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, FailedError, NotFoundError
from cloudtui_engine.handlers import fetch as handler
from cloudtui_engine.handlers.context import Context, Withdrawn
from cloudtui_engine.handlers.fetch import fetch
from cloudtui_engine.objects import building, fetches
from cloudtui_engine.records.operation import Operation, OperationState
from cloudtui_providers import registry

TABLE = "a,b,y\n" + "".join(f"{n * 7 % 400},{n * 13 % 97},{('yes', 'no')[n % 3 % 2]}\n" for n in range(400))


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> FakeStore:
    made = FakeStore()
    made.objects["in/t.csv"] = TABLE.encode()
    monkeypatch.setattr(registry, "store", lambda _scheme: made)
    return made


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of its own takes a second to start."""
    monkeypatch.setattr(
        handler, "build", lambda wanted, report, _check: building.outcome(building.made(wanted, report))
    )


def context(catalog: Catalog) -> Context:
    nothing = cast("Any", None)
    return Context(catalog, catalog.paths, nothing, nothing, threading.Event())


def asked(catalog: Catalog, source: str = "s3://b/in/t.csv", **wishes: Any) -> Operation:
    made = fetches.ask_for(catalog, "towns", source, {"leave_out": (), **wishes})
    catalog.operations.take(made.id)
    return catalog.operations.get(made.id)


def staged(catalog: Catalog) -> list[Path]:
    return [path for path in (catalog.paths.home / "downloads" / "objects").glob("*/*") if path.is_file()]


def test_a_version_is_made_of_it_and_says_where_it_is_from(catalog: Catalog, store: FakeStore) -> None:
    operation = asked(catalog, leave_out=("b",))
    made = catalog.datasets.get(fetch(context(catalog), operation)["dataset"])
    assert (made.name, made.source, made.taken["version"]) == ("towns", "s3://b/in/t.csv", "v1")
    assert (made.taken["bytes"], made.is_in_place, made.is_here) == (len(TABLE), False, True)
    assert [one["name"] for one in made.columns] == ["a"]
    assert staged(catalog) == []
    assert catalog.operations.get(operation.id).progress["text"]


@pytest.mark.usefixtures("in_this_process")
def test_what_cannot_be_read_is_told_by_its_address_and_not_fetched_again(
    catalog: Catalog, store: FakeStore
) -> None:
    store.objects["in/t.csv"] = b"a,b\n1,2\n3\n"
    with pytest.raises(CloudtuiError, match="Line 3 of t") as raised:
        fetch(context(catalog), asked(catalog))
    assert "downloads" not in raised.value.message + raised.value.hint
    store.objects["in/t.csv"] = TABLE.encode()
    with pytest.raises(NotFoundError):
        fetch(context(catalog), asked(catalog, "s3://b/in/u.csv"))
    with pytest.raises(CloudtuiError, match="no such column"):
        fetch(context(catalog), asked(catalog, target="no such column"))
    reads = len(store.read_from)
    fetch(context(catalog), asked(catalog))
    assert len(store.read_from) == reads


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize(("by", "left"), [("person", False), ("engine", False), ("engine", True)])
def test_a_stop_takes_what_came_away_and_an_end_of_the_engine_leaves_it(
    catalog: Catalog, store: FakeStore, by: str, left: bool
) -> None:
    world, operation = context(catalog), asked(catalog)
    end: dict[str, Callable[[], object]] = {
        "person": lambda: catalog.operations.withdraw(operation.id),
        "engine": world.closing.set,
    }
    store.before = lambda _key, at: end[by]() and None if at == 2 * PIECE else None
    with pytest.raises(Withdrawn):
        fetch(world, operation)
    assert bool(staged(catalog)) == (by == "engine")
    state = catalog.operations.get(operation.id).state
    assert state is (OperationState.CANCELLED if by == "person" else OperationState.RUNNING)
    store.before = lambda _key, _at: None
    if by == "engine" and left:
        (waiting,) = fetches.live(catalog)
        assert (waiting.state, waiting.text[:15]) == ("waiting", "No engine runs.")
        fetches.stop(catalog, waiting)
        assert staged(catalog) == [], "nobody is there to take it away but who stops it"
    elif by == "engine":
        fetch(context(catalog), operation)
        # By then it may have been whole: nothing is looked at between two pieces.
        assert [start >= 2 * PIECE for _, start in store.read_from[1:]] in ([], [True])


def test_the_same_is_not_begun_twice_and_another_is(catalog: Catalog, store: FakeStore) -> None:
    first, again = asked(catalog, leave_out=("b",)), asked(catalog, leave_out=("b",))
    other = asked(catalog, target="a")
    assert (first.id, len({first.id, other.id})) == (again.id, 2)
    assert [one.name for one in fetches.live(catalog)] == ["towns", "towns"]


def test_a_process_that_dies_over_the_data_is_told_and_takes_nothing_along(
    catalog: Catalog, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    monkeypatch.setattr(building, "_command", lambda: [sys.executable, "-c", killed])
    with pytest.raises(FailedError, match=r"signal 9: .*memory"):
        fetch(context(catalog), asked(catalog))
    assert staged(catalog)
