"""What handlers give back, as sheets of facts."""

from __future__ import annotations

import dataclasses
from typing import Any

from cloudtui.widgets.facts import Fact
from cloudtui_engine.sanitize import clean_line


def result_facts(result: Any) -> list[Fact]:
    """A result worth a sheet, or nothing where "done" says it all."""
    if hasattr(result, "running") and dataclasses.is_dataclass(result):
        return [
            Fact(field.name.replace("_", " "), clean_line(str(getattr(result, field.name))))
            for field in dataclasses.fields(result)
        ]
    return []
