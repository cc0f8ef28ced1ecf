"""Datasets as text for people: a list, and a page for one version with what is to be known of its data."""

from __future__ import annotations

import textwrap
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui import format as words
from cloudtui.cli.tables import Column, pairs, table
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.sanitize import clean_line

Lines = list[str]
_MOST_COLUMNS = 60
_MOST_CLASSES = 30
_WIDTH = 100


def datasets(records: Sequence[Dataset], cells: int | None) -> Lines:
    """The list of datasets."""
    now = time.time()
    columns = [
        Column("Name", shrinks=True),
        Column("Version", right=True),
        Column("Task"),
        Column("Train", right=True),
        Column("Validation", right=True),
        Column("Test", right=True),
        Column("Classes", right=True),
        Column("Size", right=True),
        Column("On", shrinks=True),
        Column("Age", right=True),
    ]
    rows = [
        [
            clean_line(one.name),
            str(one.version),
            one.task,
            *(words.count(one.splits.get(split)) for split in ("train", "validation", "test")),
            words.count(len(one.classes)) if one.classes else "",
            words.size(one.size_bytes),
            clean_line(one.only_on or ", ".join(one.instances)),
            words.since(one.created_at, now),
        ]
        for one in records
    ]
    return table(columns, rows, cells)


def dataset(record: Dataset) -> Lines:
    """One dataset version: what it is, what to know of it, its columns and those left out."""
    lines = pairs(
        [
            ("Dataset", f"{clean_line(record.name)} v{record.version}  {record.id}"),
            ("Task", record.task),
            ("Target", _target(record)),
            ("Source", clean_line(record.source)),
            *([("Taken", words.taken(record.taken))] if record.taken else []),
            ("Rows", ", ".join(f"{split} {words.count(n)}" for split, n in record.splits.items())),
            ("Classes", _classes(record.classes)),
            ("Input", _input(record)),
            ("Size", words.size(record.size_bytes)),
            ("sha256", record.sha256),
            ("On", clean_line(record.only_on or ", ".join(record.instances))),
        ]
    )
    columns = record.columns
    if columns:
        titles = [
            Column("Column"),
            Column("Type"),
            Column("Missing", right=True),
            Column("Different", right=True),
        ]
        lines += ["", *table(titles, [_column(one) for one in columns[:_MOST_COLUMNS]])]
        if len(columns) > _MOST_COLUMNS:
            lines.append(
                f"and {words.count(len(columns) - _MOST_COLUMNS)} more columns: see them with --json"
            )
    left_out = [
        f"{clean_line(str(one.get('name')), 60)}: {clean_line(str(one.get('why')))}"
        for one in record.left_out[:_MOST_COLUMNS]
    ]
    lines += _listed("Left out", left_out)
    lines += _listed("To know", [clean_line(str(one.get("text"))) for one in record.findings])
    return lines


def _target(record: Dataset) -> str:
    name = record.target.get("name")
    if not name:
        return ""
    kind = "a number" if record.target.get("kind") == "number" else f"one of {len(record.classes)} classes"
    return f"{clean_line(str(name), 80)}, {kind}"


def _classes(classes: Sequence[str]) -> str:
    shown = ", ".join(clean_line(label, 60) for label in classes[:_MOST_CLASSES])
    more = len(classes) - _MOST_CLASSES
    return f"{shown} and {words.count(more)} more" if more > 0 else shown


def _input(record: Dataset) -> str:
    shape = (record.manifest.get("input") or {}).get("shape") or []
    if record.task == "tabular":
        return f"{words.count(shape[0])} columns" if shape else ""
    return " x ".join(str(size) for size in shape)


def _column(one: Mapping[str, Any]) -> list[str]:
    missing = one.get("missing") or 0.0
    return [
        clean_line(str(one.get("name")), 60),
        clean_line(str(one.get("type") or one.get("kind")), 20),
        words.percent(missing, 1) if missing else "",
        words.count(one.get("distinct")),
    ]


def _listed(title: str, texts: Sequence[str]) -> Lines:
    if not texts:
        return []
    lines = ["", title]
    for text in texts:
        lines += textwrap.wrap(text, _WIDTH, initial_indent="  - ", subsequent_indent="    ")
    return lines
