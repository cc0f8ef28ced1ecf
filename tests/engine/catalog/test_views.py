"""Filters under names: what can be one, what is kept, and what is found in one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import open_catalog

from cloudtui_engine.catalog import Catalog, finding, views
from cloudtui_engine.catalog.query import compile_filter
from cloudtui_engine.errors import CloudtuiError, NotFoundError, RefusedError, UsageError
from cloudtui_engine.records.view import View

BEST = View("best fashion runs", "dataset:fashion-mnist sort:-validation/accuracy")


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path)
    yield opened
    opened.close()


def test_a_view_is_kept_replaced_when_somebody_says_so_and_forgotten(catalog: Catalog) -> None:
    assert views.views(catalog) == []
    assert views.save(catalog, f" {BEST.name}", f"{BEST.filter} ") == BEST
    assert views.save(catalog, BEST.name, BEST.filter) == BEST, "that is no other"
    views.save(catalog, "Another", "tag:a")
    assert [one.name for one in views.views(catalog)] == ["Another", BEST.name]
    assert views.called(catalog, BEST.filter, "-created") == BEST.name
    assert views.called(catalog, " dataset:fashion-mnist", "-metric.validation/accuracy") == BEST.name
    assert views.called(catalog, "dataset:fashion-mnist", "-created") == ""
    assert views.called(catalog, "tag:a", "-created") == "Another", "it has no order of its own"
    with pytest.raises(RefusedError) as refused:
        views.save(catalog, BEST.name, "tag:b")
    assert refused.value.code == "exists"
    assert BEST.filter in refused.value.message
    assert views.save(catalog, BEST.name, "tag:b", replace=True).filter == "tag:b"
    assert views.find(catalog, "BEST fashion runs").filter == "tag:b"
    assert views.delete(catalog, BEST.name).filter == "tag:b"
    assert finding.history(catalog) == ["tag:b"], "it can be had again"
    with pytest.raises(NotFoundError):
        views.find(catalog, BEST.name)


@pytest.mark.parametrize("name", ["", "  ", "-x", "a\nb", "\x1b[2J", "x" * 61, "a\u202eb"])
def test_what_cannot_be_a_name(catalog: Catalog, name: str) -> None:
    with pytest.raises(UsageError):
        views.save(catalog, name, "tag:a")


@pytest.mark.parametrize("text", ["", "speed > 5", "tag:"])
def test_what_cannot_be_a_filter(catalog: Catalog, text: str) -> None:
    with pytest.raises(UsageError):
        views.save(catalog, "x", text)


@pytest.mark.parametrize("kept", [[], "x", {"a\x1b": "tag:a", "b": 5, "ok": "tag:a"}])
def test_what_is_none_in_the_catalog_is_left_out(catalog: Catalog, kept: object) -> None:
    catalog.settings.set("finding.views", kept)
    assert [one.name for one in views.views(catalog)] in ([], ["ok"])


def test_what_is_listed_of_filter_view_and_order(catalog: Catalog) -> None:
    views.save(catalog, "v", "tag:a sort:-cost")
    assert views.narrowed(catalog, "on:x sort:name") == "on:x sort:name"
    assert views.narrowed(catalog, "on:x sort:name", sort="-name") == "on:x"
    assert views.narrowed(catalog, "on:x", "v") == "(tag:a) (on:x) sort:-cost"
    assert views.narrowed(catalog, "", "v", "name") == "tag:a"
    with pytest.raises(NotFoundError):
        views.narrowed(catalog, "", "w")


def test_there_are_not_more_than_can_be_looked_through(catalog: Catalog) -> None:
    catalog.settings.set("finding.views", {f"view {place}": "tag:a" for place in range(views.MOST)})
    views.save(catalog, "view 5", "tag:b", replace=True)
    with pytest.raises(CloudtuiError, match="already"):
        views.save(catalog, "one more", "tag:a")


@pytest.mark.parametrize(
    ("view", "text", "rest", "order"),
    [
        ("tag:a or tag:b sort:-cost", "on:x", "(tag:a or tag:b) (on:x)", "-cost"),
        ("tag:a sort:-cost", "sort:name", "(tag:a)", "name"),
        ("sort:'-a b/c'", "on:x or on:y", "(on:x or on:y)", "-metric.a b/c"),
        ("tag:a", " ", "tag:a", ""),
        ('sort:metric."x y".max', "", "", 'metric."x y".max'),
    ],
)
def test_a_filter_in_a_view(view: str, text: str, rest: str, order: str) -> None:
    found = compile_filter(views.within(View("v", view), text))
    assert (found.rest, found.order) == (rest, order)
