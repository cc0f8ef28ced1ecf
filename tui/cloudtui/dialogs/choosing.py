"""What there is to choose from in the form of an action. Runs in a thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudtui.actions import Action
from cloudtui.dialogs import training
from cloudtui.dialogs.form_field import Option
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog


def read(
    catalog: Catalog, action: Action, known: Mapping[str, Any]
) -> tuple[training.Known, dict[str, Sequence[Option]]]:
    """What a training can be made of, and the choices for each kind of object.

    Raises:
        RefusedError: there is nothing that the action could be done with.
    """
    there = training.read_known(catalog)
    choices: dict[str, Sequence[Option]] = {**training.options(there)}
    if action.id == "model.diff":
        from cloudtui.dialogs.diffing import partners

        choices["model"] = partners(catalog, known)
    if action.id == "view.delete":
        choices["views"] = _views(catalog)
    return there, choices


def _views(catalog: Catalog) -> list[Option]:
    from cloudtui_engine.catalog import views

    found = views.views(catalog)
    if not found:
        raise RefusedError("No view is saved yet.", "V saves what is listed in Runs.")
    return [Option(one.name, clean_line(f"{one.name} · {one.filter}", 120)) for one in found]
