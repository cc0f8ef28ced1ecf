"""Saved views of runs, and the columns in which they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cloudtui import run_columns
from cloudtui_engine.records.view import View

if TYPE_CHECKING:
    from cloudtui.handlers.session import Session


def list_all(session: Session) -> list[View]:
    """All of them."""
    from cloudtui_engine.catalog import views

    return views.views(session.catalog)


def save(
    session: Session,
    name: str,
    filter: str,  # noqa: A002 - its option
    columns: str | None = None,
    yes: bool = False,
) -> View:
    """Keep a filter under a name; with `yes` in place of the one that has the name."""
    from cloudtui_engine.catalog import views

    told = [one.id for one in run_columns.columns(run_columns.named(columns or ""))]
    return views.save(session.catalog, name, filter, replace=yes, columns=told)


@dataclass(frozen=True, slots=True)
class RunColumns:
    """What is told of runs, and what could be."""

    shown: tuple[str, ...]
    known: tuple[tuple[str, str], ...]
    """Names, and what each of them is."""
    view: str = ""
    """Whose columns these are; empty: of all runs."""


def columns(
    session: Session, columns: str | None = None, view: str | None = None, reset: bool = False
) -> RunColumns:
    """Choose what lists of runs tell, of all or of a view; without a choice nothing is changed."""
    from cloudtui_engine.catalog import finding, views

    catalog = session.catalog
    told: Sequence[str] = ()
    if columns is not None and not reset:
        told = [one.id for one in run_columns.columns(run_columns.named(columns))]
    if told or reset:
        if view:
            found = views.find(catalog, view)
            views.save(catalog, found.name, found.filter, replace=True, columns=told)
        elif told:
            catalog.settings.set(run_columns.KEY, {"runs": list(told)})
        else:
            catalog.settings.unset(run_columns.KEY)
    words = finding.vocabulary(catalog)
    known = tuple((one.id, one.about) for one in run_columns.known(words.params, words.metrics))
    own = run_columns.usable(views.find(catalog, view).columns) if view else ()
    return RunColumns(own or run_columns.kept(catalog.settings.get(run_columns.KEY)), known, view or "")


def delete(session: Session, name: str) -> View:
    """Forget a name."""
    from cloudtui_engine.catalog import views

    return views.delete(session.catalog, name)
