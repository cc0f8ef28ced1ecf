"""Evaluations and compressions as text for people. All of a report comes from a host: it is cleaned here."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui import format as words
from cloudtui.cli.tables import Column, pairs, table
from cloudtui.reported import (
    TITLES,
    VERDICTS,
    change,
    confidence,
    figure,
    items,
    label,
    mapping,
    mappings,
    number,
    ordered,
    times,
)
from cloudtui_engine.records.compression import Compression
from cloudtui_engine.records.evaluation import Evaluation
from cloudtui_engine.sanitize import clean_line

Lines = list[str]
MOST_CLASSES = 20
"""A larger confusion matrix is no help in a terminal."""
_MOST_ERRORS = 10


def evaluation(record: Evaluation) -> Lines:
    """One evaluation: figures with their intervals, baselines, classes, confusion, the worst errors."""
    report = record.report
    metrics = mapping(report.get("metrics"))
    lines = pairs(
        [
            ("Model", clean_line(record.model)),
            ("Dataset", f"{clean_line(record.dataset)}, {clean_line(record.split)},"
                        f" {words.count(number(report.get('n')))} rows"),
            *((TITLES.get(key, clean_line(key)), _figure(key, report)) for key in ordered(metrics)),
        ]
    )  # fmt: skip
    for part in (_baselines(report), _classes(report), confusion(report), _errors(report)):
        if part:
            lines += ["", *part]
    return lines


def _figure(key: str, report: Mapping[str, Any]) -> str:
    text = figure(key, mapping(report.get("metrics")).get(key))
    between = confidence(key, report)
    if between is None:
        return text
    return f"{text}  95% interval [{figure(key, between[0])}, {figure(key, between[1])}]"


def _baselines(report: Mapping[str, Any]) -> Lines:
    found = mappings(report.get("baselines"))
    note = report.get("baselines_note")
    said = [clean_line(note)] if isinstance(note, str) else []
    if not found:
        return said
    own = mapping(report.get("metrics"))
    keys = [key for key in ordered(own) if any(key in mapping(one.get("metrics")) for one in found)]
    columns = [Column("Baseline"), *(Column(TITLES.get(k, clean_line(k)), right=True) for k in keys)]
    rows = [["this model", *(figure(key, own.get(key)) for key in keys)]]
    for one in found:
        metrics = mapping(one.get("metrics"))
        rows.append([clean_line(str(one.get("name", "?"))), *(figure(key, metrics.get(key)) for key in keys)])
    return [*table(columns, rows), *said]


def _classes(report: Mapping[str, Any]) -> Lines:
    found = mappings(report.get("classes"))
    columns = [Column("Class"), *(Column(t, right=True) for t in ("Precision", "Recall", "F1", "Rows"))]
    rows = [
        [
            label(one.get("label")),
            *(_percent(number(one.get(key))) for key in ("precision", "recall", "f1")),
            words.count(number(one.get("support"))),
        ]
        for one in found
    ]
    return table(columns, rows) if rows else []


def confusion(report: Mapping[str, Any]) -> Lines:
    """Rows are the truth, columns what was said; left out where there are too many classes to read."""
    labels = [label(one.get("label")) for one in mappings(report.get("classes"))]
    counts = items(report.get("confusion"))
    if not 0 < len(counts) == len(labels) <= MOST_CLASSES:
        return []
    columns = [Column("Truth"), *(Column(title, right=True) for title in labels)]
    rows = [
        [title, *("·" if one == 0 else words.count(number(one)) for one in items(row)[: len(labels)])]
        for title, row in zip(labels, counts, strict=True)
    ]
    if any(len(row) != len(columns) for row in rows):
        return []
    return table(columns, rows)


def _errors(report: Mapping[str, Any]) -> Lines:
    found = mappings(report.get("errors"))[:_MOST_ERRORS]
    sure = any("confidence" in one for one in found)
    columns = [Column("Worst errors: row", right=True), Column("Truth"), Column("Predicted")]
    columns += [Column("Confidence", right=True)] if sure else []
    rows = [
        [
            words.count(number(one.get("index"))), label(one.get("truth")), label(one.get("predicted")),
            *([_percent(number(one.get("confidence")))] if sure else []),
        ]
        for one in found
    ]  # fmt: skip
    return table(columns, rows) if rows else []


def compression(record: Compression, cells: int | None) -> Lines:
    """One compression: the baseline, a line a variant, and the verdict of each in a sentence."""
    report = record.report
    baseline = mapping(report.get("baseline"))
    rows = mapping(report.get("rows"))
    measured, planned = number(report.get("measured")), number(report.get("planned"))
    lines = pairs(
        [
            ("Model", clean_line(record.model)),
            ("May lose", f"{words.number(number(report.get('max_drop')))} points of accuracy"),
            ("Rows", ", ".join(f"{clean_line(k)} {words.count(number(v))}" for k, v in rows.items())),
            ("Before", f"accuracy {_percent(number(baseline.get('accuracy')))},"
                       f" {words.size(number(baseline.get('size_bytes')))},"
                       f" {words.number(number(baseline.get('latency_ms')))} ms a row"),
            ("Measured", "" if measured is None or measured == planned
                         else f"{words.count(measured)} of {words.count(planned)} so far"),
        ]
    )  # fmt: skip
    variants = mappings(report.get("variants"))
    chosen = report.get("chosen")
    if variants:
        lines += ["", *_variants(variants, chosen, cells), "", *_reasons(variants)]
    verdict = next((str(one.get("verdict")) for one in variants if chosen and one.get("id") == chosen), "")
    picked = f"Chosen: {clean_line(str(chosen))}, {VERDICTS.get(verdict) or clean_line(verdict)}"
    lines += ["", picked if chosen else "None is chosen: none keeps within what may be lost."]
    lines += [clean_line(note) for note in items(report.get("notes")) if isinstance(note, str)]
    return lines


def _variants(variants: Sequence[Mapping[str, Any]], chosen: Any, cells: int | None) -> Lines:
    columns = [
        Column("Variant", shrinks=True), Column("Measured on"), Column("Accuracy", right=True),
        Column("Change, 95%", right=True), Column("Size", right=True), Column("Smaller", right=True),
        Column("Faster x1", right=True), Column("x64", right=True), Column("Verdict"),
    ]  # fmt: skip
    rows = [
        [
            f"{clean_line(str(one.get('id', '?')))}{' *' if chosen and one.get('id') == chosen else ''}",
            clean_line(str(one.get("split", ""))),
            _percent(number(one.get("accuracy"))),
            change(one),
            words.size(number(one.get("size_bytes"))),
            *(times(one.get(key)) for key in ("size_ratio", "latency_ratio", "throughput_ratio")),
            str(VERDICTS.get(str(one.get("verdict"))) or clean_line(str(one.get("verdict", "")))),
        ]
        for one in variants
    ]
    return table(columns, rows, cells)


def _reasons(variants: Sequence[Mapping[str, Any]]) -> Lines:
    return pairs(
        [(clean_line(str(one.get("id", "?"))), clean_line(str(one.get("why") or ""))) for one in variants]
    )


def evaluations(records: Sequence[Evaluation], cells: int | None) -> Lines:
    """The list of a model's evaluations."""
    now = time.time()
    rows = []
    for one in records:
        metrics = mapping(one.report.get("metrics"))
        key = next((key for key in ("accuracy", "r2", "auc", "loss") if key in metrics), "")
        result = f"{TITLES[key]} {_figure(key, one.report)}" if key else ""
        rows.append(
            [
                clean_line(one.dataset), clean_line(one.split),
                words.count(number(one.report.get("n"))), result, words.since(one.t, now),
            ]
        )  # fmt: skip
    columns = [
        Column("Evaluated on"),
        Column("Split"),
        Column("Rows", right=True),
        Column("Result", shrinks=True),
    ]
    return table([*columns, Column("Age", right=True)], rows, cells)


def compressions(records: Sequence[Compression], cells: int | None) -> Lines:
    """The list of a model's compressions."""
    now = time.time()
    rows = []
    for one in records:
        variants = mappings(one.report.get("variants"))
        passing = [variant for variant in variants if variant.get("verdict") == "passes"]
        rows.append(
            [
                one.run_id, str(words.RUN_MARKS[one.status]),
                _points(number(one.report.get("max_drop"))),
                f"{len(passing)} of {len(variants)}", clean_line(str(one.report.get("chosen") or "none")),
                words.since(one.t, now),
            ]
        )  # fmt: skip
    titles = ("Compressed by", "Status", "May lose", "Pass", "Chosen")
    return table([*(Column(title) for title in titles), Column("Age", right=True)], rows, cells)


def _points(value: float | None) -> str:
    return words.MISSING if value is None else f"{value:g} pt"


def _percent(share: float | None) -> str:
    return words.percent(share, 2)
