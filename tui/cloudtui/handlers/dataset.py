"""What a person does with datasets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cloudtui.handlers import instance as instances
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.instance import LOCAL
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import Run

if TYPE_CHECKING:
    from cloudtui_engine.data import Wishes


def add(
    session: Session,
    name: str,
    source: str,
    *,
    task: str | None = None,
    target: str | None = None,
    leave_out: Sequence[str] | None = None,
    split_column: str | None = None,
    no_header: bool = False,
    seed: int = 0,
) -> Dataset | Run | Operation:
    """Read a source into a new version: on this machine, or in place on the one that the source names.

    What lies in a store of objects the engine fetches; the desktop gets the operation and does not wait.
    """
    from cloudtui.handlers import fetches, in_place
    from cloudtui_engine import data
    from cloudtui_engine.objects.address import parse

    wishes = data.Wishes(
        task=task or None,
        target=target or "",
        header=False if no_header else None,
        leave_out=tuple(one for one in leave_out or () if one),
        split_column=split_column or "",
        seed=int(seed or 0),
    )
    if "://" in source and parse(source) is not None:
        return fetches.add(session, name, source, wishes)
    place = in_place.place_of(session, source)
    if place is not None and place[0].name != LOCAL:
        return in_place.add(session, name, *place, wishes)
    return add_here(session, name, source if place is None else place[1], wishes)


def add_here(session: Session, name: str, source: str, wishes: Wishes | None = None) -> Dataset:
    """Read a source of this machine, or a built-in one, into a new version."""
    from cloudtui_engine import data

    def told(text: str, done: int, total: int) -> None:
        session.on_progress(text, done / total if total else None)

    return data.add_dataset(session.catalog, name, source, wishes=wishes, on_progress=told)


def list_all(session: Session) -> list[Dataset]:
    """All versions."""
    return list(session.catalog.datasets.list())


def show(session: Session, dataset: str) -> Dataset:
    """One version."""
    return session.catalog.datasets.find(dataset)


def push(session: Session, dataset: str, instance: str, follow: bool = False) -> Dataset:
    """Have a version copied to a machine."""
    from cloudtui_engine import operations

    found = session.catalog.datasets.find(dataset)
    target = instances.find(session, instance)
    if not found.is_here and target.name not in found.instances:
        raise RefusedError(
            f"{found.name} v{found.version} lies {found.only_on} and cannot be pushed from here.",
            "Copy its source to this machine and add it from here.",
            code="elsewhere",
        )
    operation = operations.submit(session.catalog, "dataset.push", found.id, {"instance": target.id})
    if follow and session.wait:
        session.finish(operation)
    else:
        session.ensure_engine()
    return session.catalog.datasets.get(found.id)
