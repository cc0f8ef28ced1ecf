"""Two models beside each other."""

from __future__ import annotations

from cloudtui.differing import ModelDifference, difference, pick, with_answers
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import UsageError


def diff(
    session: Session, model: str, other: str, dataset: str | None = None, split: str | None = None
) -> ModelDifference:
    """What the other model has more and less, on the newest rows on which both were judged."""
    catalog = session.catalog
    first, second = catalog.models.find(model), catalog.models.find(other)
    if first.id == second.id:
        raise UsageError(f"{first.label} is the same model twice.", "Name another one beside it.")
    dataset_id = catalog.datasets.find(dataset).id if dataset else None
    return with_answers(catalog, difference(*pick(catalog, first, second, dataset_id, split)))
