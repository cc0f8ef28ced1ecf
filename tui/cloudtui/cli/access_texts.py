"""Ports of machines, as text for people and as JSON for scripts."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from typing import Any

from cloudtui import format as words
from cloudtui.cli.tables import Column, table
from cloudtui_engine.sanitize import clean_line

MARKS = {"open": "● open", "waiting": "◌ waiting", "starting": "◌ starting", "needs_you": "⚠ needs you"}


def forwards(records: Sequence[Any], cells: int | None) -> Sequence[str]:
    """All that are held open."""
    now = time.time()
    columns = [
        Column("Here"), Column("Machine", shrinks=True), Column("Port there"), Column("State"),
        Column("For", right=True), Column("Said last", shrinks=True),
    ]  # fmt: skip
    rows = [
        [
            f"127.0.0.1:{one.local}" if one.local else words.MISSING, clean_line(one.name), there(one),
            MARKS.get(one.state, one.state), words.since(one.since, now), clean_line(one.why),
        ]
        for one in records
    ]  # fmt: skip
    return [*table(columns, rows, cells), "", "Stop one: cloudtui instance forwards stop PORT"]


def there(one: Any) -> str:
    """What is to be had."""
    port = str(one.remote) if one.remote else words.MISSING
    return f"{port} Jupyter" if one.kind == "jupyter" else port


def reached(result: Any) -> Sequence[str]:
    """One that is open."""
    one = result.forwarded
    what = "Jupyter" if one.kind == "jupyter" else f"Port {one.remote}"
    return [
        f"{what} of {clean_line(one.name)}: {result.address}",
        f"Until the engine ends, or: cloudtui instance forwards stop {one.local}",
    ]


def stopped(result: Any) -> Sequence[str]:
    """One that was stopped."""
    one = result.forwarded
    if one.kind == "jupyter":
        return [f"The Jupyter of {clean_line(one.name)} is being ended; 127.0.0.1:{one.local} is closed."]
    return [f"127.0.0.1:{one.local} is closed; what listens on {clean_line(one.name)} goes on."]


def forwarded_json(one: Any) -> dict[str, Any]:
    """One of the list: nothing of it is secret."""
    return dataclasses.asdict(one)


def reached_json(result: Any) -> dict[str, Any]:
    """One that is open, its address with the token of a Jupyter."""
    return {**dataclasses.asdict(result.forwarded), "address": result.address}


def stopped_json(result: Any) -> dict[str, Any]:
    """One that was stopped."""
    return {**dataclasses.asdict(result.forwarded), "state": "stopped"}
