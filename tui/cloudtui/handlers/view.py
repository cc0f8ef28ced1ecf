"""Saved views of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudtui_engine.records.view import View

if TYPE_CHECKING:
    from cloudtui.handlers.session import Session


def list_all(session: Session) -> list[View]:
    """All of them."""
    from cloudtui_engine.catalog import views

    return views.views(session.catalog)


def save(session: Session, name: str, filter: str, yes: bool = False) -> View:  # noqa: A002 - its option
    """Keep a filter under a name; with `yes` in place of the one that has the name."""
    from cloudtui_engine.catalog import views

    return views.save(session.catalog, name, filter, replace=yes)


def delete(session: Session, name: str) -> View:
    """Forget a name."""
    from cloudtui_engine.catalog import views

    return views.delete(session.catalog, name)
