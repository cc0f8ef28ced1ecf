"""Operations, and what a cleaning would remove, as text for people. All text from hosts is cleaned here."""

from __future__ import annotations

import shlex
import time
from collections.abc import Sequence
from typing import Any

from cloudtui import format as words
from cloudtui.cli.tables import Column, pairs, table
from cloudtui_engine.sanitize import clean_line

Lines = list[str]


def operations(records: Sequence[Any], cells: int | None) -> Lines:
    """The list of operations."""
    now = time.time()
    rows = [
        [one.kind, clean_line(one.about), one.state, _said(one), words.since(one.created_at, now), one.id]
        for one in records
    ]
    columns = [
        Column("What"),
        Column("About", shrinks=True),
        Column("State"),
        Column("How far", shrinks=True),
    ]
    return table([*columns, Column("Age", right=True), Column("Id")], rows, cells)


def operation(record: Any) -> Lines:
    """One operation."""
    return pairs(
        [
            ("Operation", record.id),
            ("What", record.kind),
            ("About", f"{clean_line(record.about)}  {record.target}".strip()),
            ("State", record.state),
            ("How far", _said(record)),
            ("What to do", clean_line(str(record.error.get("hint") or ""))),
            ("Asked for", words.moment(record.created_at)),
            ("Begun", words.moment(record.started_at)),
            ("Ended", words.moment(record.ended_at)),
        ]
    )


def acts(records: Sequence[Any], cells: int | None) -> Lines:
    """The log of actions."""
    rows = [
        [
            words.moment(one.t),
            str(words.ACT_MARKS.get(one.state, one.state)),
            one.command,
            one.message,
            one.by,
        ]
        for one in records
    ]
    columns = [Column("When"), Column("How it ended"), Column("Command", shrinks=True)]
    return table([*columns, Column("Why", shrinks=True), Column("By")], rows, cells)


def _said(record: Any) -> str:
    question = str(record.question.get("kind") or "") if record.state == "needs_you" else ""
    said = record.error.get("message") or question or record.progress.get("text") or ""
    return clean_line(str(said))


def cleaning(record: Any, cells: int | None) -> Lines:
    """What may go from a machine, or has gone, and what stays."""
    rows = [
        [one.name, words.size(one.size_bytes), "goes" if one.goes else "stays", clean_line(one.why)]
        for one in sorted(record.entries, key=lambda one: (not one.goes, -one.size_bytes, one.name))
    ]
    columns = [Column("On the machine"), Column("Size", right=True), Column(""), Column("Why", shrinks=True)]
    lines = table(columns, rows, cells) if rows else ["There is nothing of ours on it."]
    if record.untouched:
        lines.append(f"Not ours, and not touched: {clean_line(', '.join(record.untouched), 300)}")
    going = sum(one.goes for one in record.entries)
    if record.removed is not None:
        return [*lines, "", f"Removed {record.removed} of {going}: {words.size(record.bytes)} free again."]
    return [*lines, "", f"{going} may go: {words.size(record.bytes)}. Nothing was removed."]


def views(records: Sequence[Any], cells: int | None) -> Lines:
    """Saved views."""
    told = any(one.columns for one in records)
    rows = [
        [clean_line(one.name), clean_line(one.filter), *([_columns(one)] if told else [])] for one in records
    ]
    heads = ("View", "Filter", *(("Columns",) if told else ()))
    return table([Column(head, shrinks=True) for head in heads], rows, cells)


def _columns(record: Any) -> str:
    return clean_line(",".join(record.columns))


def view(record: Any) -> Lines:
    """A view that was saved."""
    listed = shlex.join(["cloudtui", "run", "list", "--view", record.name])
    return pairs(
        [
            ("View", clean_line(record.name)),
            ("Filter", clean_line(record.filter)),
            ("Columns", _columns(record)),
            ("See it", listed),
        ]
    )


def deleted_view(record: Any) -> Lines:
    """A view that is no more, and the way back."""
    told = ["--columns", ",".join(record.columns)] if record.columns else []
    again = shlex.join(["cloudtui", "view", "save", record.name, "--filter", record.filter, *told])
    return [f"The view {clean_line(record.name)} is deleted. Have it back: {again}"]


def run_columns(record: Any, cells: int | None) -> Lines:
    """Which columns a list of runs has, and which it could have."""
    whose = f"of the view {clean_line(record.view)}" if record.view else "of the list of runs"
    rows = [["✓" if name in record.shown else "", clean_line(name), about] for name, about in record.known]
    heads = [Column("Shown"), Column("Column", shrinks=True), Column("What it is", shrinks=True)]
    return [f"Columns {whose}: {clean_line(','.join(record.shown), 2000)}", "", *table(heads, rows, cells)]


def settings(records: Sequence[Any], cells: int | None) -> Lines:
    """All settings, what the user changed marked with a star."""
    rows = [
        [
            one.id,
            ("* " if one.changed else "  ") + (one.shown or "–"),
            f"⚠ {one.problem}" if one.problem else "",
        ]
        for one in records
    ]
    return table(
        [Column("Setting"), Column("  Value", shrinks=True), Column("Problem", shrinks=True)], rows, cells
    )


def setting(record: Any) -> Lines:
    """One setting."""
    about = record.preference
    return pairs(
        [
            ("Setting", record.id),
            ("Value", record.shown or "–"),
            ("Default", about.shown(about.default) or "–"),
            ("It takes", about.allowed),
            ("What it is", about.help),
            ("Problem", f"⚠ {record.problem}" if record.problem else ""),
        ]
    )
