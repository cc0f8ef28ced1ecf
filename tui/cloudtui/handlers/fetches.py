"""Data of a store of objects on its way here: asked for, listed, stopped."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from cloudtui.handlers.session import LeftRunning, Session
from cloudtui_engine.errors import NotFoundError, UsageError
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.fetch import Fetch
from cloudtui_engine.records.operation import Operation

if TYPE_CHECKING:
    from cloudtui_engine.data import Wishes


def add(session: Session, name: str, source: str, wishes: Wishes) -> Dataset | Operation:
    """Have it fetched, and a version made of it; the desktop does not wait. Ctrl-c leaves it running.

    Raises:
        CloudtuiError: it cannot be fetched, or no dataset can be made of it.
    """
    from cloudtui_engine.data import check_name
    from cloudtui_engine.objects.fetches import ask_for

    check_name(name)
    operation = ask_for(session.catalog, name, source, dataclasses.asdict(wishes))
    if not session.wait:
        session.ensure_engine()
        return operation
    try:
        done = session.finish(operation)
    except LeftRunning as left:
        left.hint = "See how far it is: cloudtui dataset fetches"
        raise
    return session.catalog.datasets.get(str(done.result["dataset"]))


def fetches(session: Session, what: str | None = None, which: str | None = None) -> list[Fetch] | Fetch:
    """All that are under way, or the one that was stopped.

    Raises:
        UsageError: it is not said which one. NotFoundError: there is none such.
    """
    from cloudtui_engine.objects import fetches as engine

    live = listed(session)
    return live if what is None else engine.stop(session.catalog, _the_one(live, which or ""))


def listed(session: Session) -> list[Fetch]:
    """All that somebody wants now."""
    from cloudtui_engine.objects import fetches as engine

    return engine.live(session.catalog)


def _the_one(live: list[Fetch], which: str) -> Fetch:
    """By the dataset's name, or by its id or the beginning of it."""
    see = "See: cloudtui dataset fetches"
    if not which:
        raise UsageError("Which one shall it stop?", f"Say the dataset's name. {see}")
    found = [one for one in live if one.name == which] or [one for one in live if one.id.startswith(which)]
    if not found:
        raise NotFoundError(f"Nothing is fetched for {which}.", see)
    if len(found) > 1:
        raise UsageError(f"{len(found)} fetches are called {which}.", f"Say the id of one. {see} --json")
    return found[0]
