"""The names that forms suggest for files that are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from cloudtui.actions import Action
from cloudtui.dialogs.form_field import FormField
from cloudtui.handlers.writing import free

_ENDINGS: Mapping[str, str] = {"run.export": ".html", "home.picture": ".svg"}


def suggested(fields: Sequence[FormField], action: Action, name: str) -> list[FormField]:
    """The same lines; the one for the file has a name in it that is free, in the folder of this process."""
    ending = _ENDINGS.get(action.id)
    if ending is None:
        return list(fields)
    file = str(free(Path.cwd(), name, ending))
    return [replace(field, value=file) if field.name == "file" else field for field in fields]
