"""Data of a store that is on its way here, as text for people."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from cloudtui import format as words
from cloudtui.cli.tables import Column, table
from cloudtui_engine.sanitize import clean_line

MARKS = {"running": "● running", "waiting": "◌ waiting", "stopped": "■ stopped"}


def fetches(records: Sequence[Any], cells: int | None) -> Sequence[str]:
    """All that are under way."""
    now = time.time()
    columns = [
        Column("Dataset"), Column("State"), Column("Done", right=True), Column("For", right=True),
        Column("What it does", shrinks=True),
    ]  # fmt: skip
    rows = [
        [
            clean_line(one.name), MARKS[one.state], words.percent(one.share),
            words.since(one.since, now), clean_line(one.text or one.source),
        ]
        for one in records
    ]  # fmt: skip
    return [*table(columns, rows, cells), "", "Stop one: cloudtui dataset fetches stop NAME"]


def stopped(one: Any) -> Sequence[str]:
    """One that is wanted no more."""
    return [f"{clean_line(one.source)} is not fetched any more; what came of it goes."]
