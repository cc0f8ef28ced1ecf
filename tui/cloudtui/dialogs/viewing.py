"""The saved views, to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloudtui.dialogs.form_field import Option
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog


def named(catalog: Catalog) -> list[Option]:
    """All views by name. Runs in a thread.

    Raises:
        RefusedError: there is none.
    """
    from cloudtui_engine.catalog import views

    found = views.views(catalog)
    if not found:
        raise RefusedError("No view is saved yet.", "V saves what is listed in Runs.")
    return [Option(one.name, clean_line(f"{one.name} · {one.filter}", 120)) for one in found]
