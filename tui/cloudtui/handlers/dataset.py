"""What a person does with datasets."""

from __future__ import annotations

from collections.abc import Sequence

from cloudtui.handlers import instance as instances
from cloudtui.handlers.session import Session
from cloudtui_engine.records.dataset import Dataset


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
) -> Dataset:
    """Read a source into a new version on this machine."""
    from cloudtui_engine import data

    def told(text: str, done: int, total: int) -> None:
        session.on_progress(text, done / total if total else None)

    wishes = data.Wishes(
        task=task or None,
        target=target or "",
        header=False if no_header else None,
        leave_out=tuple(one for one in leave_out or () if one),
        split_column=split_column or "",
        seed=int(seed or 0),
    )
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
    operation = operations.submit(session.catalog, "dataset.push", found.id, {"instance": target.id})
    if follow and session.wait:
        session.finish(operation)
    else:
        session.ensure_engine()
    return session.catalog.datasets.get(found.id)
