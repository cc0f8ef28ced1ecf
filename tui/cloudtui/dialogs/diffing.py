"""Which models can stand beside one: those that were judged on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cloudtui import format as fmt
from cloudtui.dialogs.form_field import Option
from cloudtui.differing import same_rows
from cloudtui.reported import mapping, number
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

_MOST = 1000


def partners(catalog: Catalog, known: Mapping[str, Any]) -> list[Option]:
    """What there is to choose from, the newest first. Runs in a thread.

    Args:
        catalog: where they are.
        known: the id of the `model` that they are to stand beside; `dataset` and `split` where fixed.

    Raises:
        RefusedError: there is none.
    """
    model, dataset, split = known["model"], known.get("dataset"), known.get("split")
    chosen = catalog.datasets.find(dataset).id if dataset else None
    mine = [
        one
        for one in catalog.models.evaluations(model)
        if chosen in {None, one.dataset_id} and split in {None, one.split}
    ]
    found: dict[str, Option] = {}
    for one in catalog.models.evaluations(limit=_MOST):
        if one.model_id != model and any(same_rows(one, other) for other in mine):
            accuracy = number(mapping(one.report.get("metrics")).get("accuracy"))
            parts = (
                one.model,
                f"{one.dataset} {one.split}",
                "" if accuracy is None else fmt.percent(accuracy, 2),
            )
            text = clean_line(" · ".join(part for part in parts if part), 120)
            found.setdefault(one.model, Option(one.model, text))
    if not found:
        raise RefusedError(
            "No other model was judged on these rows.", "v evaluates a model on a dataset that it fits."
        )
    return list(found.values())
