"""What handlers give back, as sheets of facts."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from cloudtui import format as fmt
from cloudtui.handlers.run import Comparison
from cloudtui.widgets.facts import Fact
from cloudtui_engine.sanitize import clean_line


def result_facts(result: Any) -> list[Fact]:
    """A result worth a sheet, or nothing where "done" says it all."""
    if isinstance(result, Comparison):
        return _comparison(result)
    if hasattr(result, "running") and dataclasses.is_dataclass(result):
        return [
            Fact(field.name.replace("_", " "), clean_line(str(getattr(result, field.name))))
            for field in dataclasses.fields(result)
        ]
    return []


def _comparison(found: Comparison) -> list[Fact]:
    width = max(10, min(22, 70 // max(1, len(found.runs))))

    def line(values: Sequence[str]) -> str:
        return "  ".join(clean_line(value, width).ljust(width) for value in values).rstrip()

    facts = [Fact("Runs", style="heading"), Fact("name", line([run.name for run in found.runs]))]
    different = [one for one in found.params if one.differs]
    facts.append(Fact("Settings that differ" if different else "No setting differs", style="heading"))
    facts += [
        Fact(clean_line(one.key, 26), line([fmt.setting(value) for value in one.values])) for one in different
    ]
    facts.append(Fact("Results (last)", style="heading"))
    facts += [
        Fact(clean_line(one.key, 26), line([fmt.number(value) for value in one.last]))
        for one in found.metrics
    ]
    return facts
