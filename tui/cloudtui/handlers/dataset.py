"""What a person does with datasets."""

from __future__ import annotations

from cloudtui.handlers import instance as instances
from cloudtui.handlers.session import Session
from cloudtui_engine.records.dataset import Dataset


def add(session: Session, name: str, source: str, task: str | None = None) -> Dataset:
    """Read a source into a new version on this machine."""
    from cloudtui_engine import data

    def told(text: str, done: int, total: int) -> None:
        session.on_progress(text, done / total if total else None)

    return data.add_dataset(session.catalog, name, source, task=task, on_progress=told)


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
