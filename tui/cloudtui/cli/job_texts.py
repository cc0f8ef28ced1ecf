"""Evaluations and compressions as text for people. All of a report comes from a host: it is cleaned here."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui import format as words
from cloudtui.cli.tables import Column, pairs, table
from cloudtui_engine.records.compression import Compression
from cloudtui_engine.records.evaluation import Evaluation
from cloudtui_engine.sanitize import clean_line

Lines = list[str]
MOST_CLASSES = 20
"""A larger confusion matrix is no help in a terminal."""
_MOST_ERRORS = 10
_TITLES = {
    "accuracy": "Accuracy", "macro_precision": "Precision (macro)", "macro_recall": "Recall (macro)",
    "macro_f1": "F1 (macro)", "auc": "AUC", "ece": "Calibration error", "loss": "Loss", "mae": "MAE",
    "rmse": "RMSE", "r2": "R²",
}  # fmt: skip
_SHARES = frozenset({"accuracy", "macro_precision", "macro_recall", "macro_f1"})
VERDICTS: Mapping[str, str] = {
    "passes": "✓ passes", "fails": "✗ fails", "undecided": "◐ undecided", "dominated": "· dominated",
    "no speed-up": "· no speed-up",
}  # fmt: skip


def evaluation(record: Evaluation) -> Lines:
    """One evaluation: figures with their intervals, baselines, classes, confusion, the worst errors."""
    report = record.report
    metrics = _mapping(report.get("metrics"))
    lines = pairs(
        [
            ("Model", clean_line(record.model)),
            ("Dataset", f"{clean_line(record.dataset)}, {clean_line(record.split)},"
                        f" {words.count(_number(report.get('n')))} rows"),
            *(
                (_TITLES.get(key, clean_line(key)), _figure(key, metrics[key], report))
                for key in _ordered(metrics)
            ),
        ]
    )  # fmt: skip
    for part in (_baselines(report), _classes(report), confusion(report), _errors(report)):
        if part:
            lines += ["", *part]
    return lines


def _ordered(metrics: Mapping[str, Any]) -> list[str]:
    return [key for key in _TITLES if key in metrics] + [key for key in metrics if key not in _TITLES]


def _figure(key: str, value: Any, report: Mapping[str, Any]) -> str:
    number = _number(value)
    show = _percent if key in _SHARES else words.number
    text = show(number)
    between = _pair(_mapping(report.get("confidence")).get(key))
    return text if between is None else f"{text}  95% interval [{show(between[0])}, {show(between[1])}]"


def _baselines(report: Mapping[str, Any]) -> Lines:
    found = [one for one in _list(report.get("baselines")) if isinstance(one, Mapping)]
    note = report.get("baselines_note")
    said = [clean_line(note)] if isinstance(note, str) else []
    if not found:
        return said
    own = _mapping(report.get("metrics"))
    keys = [key for key in _ordered(own) if any(key in _mapping(one.get("metrics")) for one in found)]
    columns = [Column("Baseline"), *(Column(_TITLES.get(k, clean_line(k)), right=True) for k in keys)]
    rows = [["this model", *(_plain(key, own.get(key)) for key in keys)]]
    for one in found:
        metrics = _mapping(one.get("metrics"))
        rows.append([clean_line(str(one.get("name", "?"))), *(_plain(key, metrics.get(key)) for key in keys)])
    return [*table(columns, rows), *said]


def _plain(key: str, value: Any) -> str:
    number = _number(value)
    return _percent(number) if key in _SHARES else words.number(number)


def _classes(report: Mapping[str, Any]) -> Lines:
    found = [one for one in _list(report.get("classes")) if isinstance(one, Mapping)]
    columns = [Column("Class"), *(Column(t, right=True) for t in ("Precision", "Recall", "F1", "Rows"))]
    rows = [
        [
            _label(one.get("label")),
            *(_percent(_number(one.get(key))) for key in ("precision", "recall", "f1")),
            words.count(_number(one.get("support"))),
        ]
        for one in found
    ]
    return table(columns, rows) if rows else []


def confusion(report: Mapping[str, Any]) -> Lines:
    """Rows are the truth, columns what was said; left out where there are too many classes to read."""
    labels = [_label(one.get("label")) for one in _list(report.get("classes")) if isinstance(one, Mapping)]
    counts = _list(report.get("confusion"))
    if not 0 < len(counts) == len(labels) <= MOST_CLASSES:
        return []
    columns = [Column("Truth"), *(Column(label, right=True) for label in labels)]
    rows = [
        [label, *("·" if one == 0 else words.count(_number(one)) for one in _list(row)[: len(labels)])]
        for label, row in zip(labels, counts, strict=True)
    ]
    if any(len(row) != len(columns) for row in rows):
        return []
    return table(columns, rows)


def _errors(report: Mapping[str, Any]) -> Lines:
    found = [one for one in _list(report.get("errors")) if isinstance(one, Mapping)][:_MOST_ERRORS]
    sure = any("confidence" in one for one in found)
    columns = [Column("Worst errors: row", right=True), Column("Truth"), Column("Predicted")]
    columns += [Column("Confidence", right=True)] if sure else []
    rows = [
        [
            words.count(_number(one.get("index"))), _label(one.get("truth")), _label(one.get("predicted")),
            *([_percent(_number(one.get("confidence")))] if sure else []),
        ]
        for one in found
    ]  # fmt: skip
    return table(columns, rows) if rows else []


def compression(record: Compression, cells: int | None) -> Lines:
    """One compression: the baseline, a line a variant, and the verdict of each in a sentence."""
    report = record.report
    baseline = _mapping(report.get("baseline"))
    rows = _mapping(report.get("rows"))
    measured, planned = _number(report.get("measured")), _number(report.get("planned"))
    lines = pairs(
        [
            ("Model", clean_line(record.model)),
            ("May lose", f"{words.number(_number(report.get('max_drop')))} points of accuracy"),
            ("Rows", ", ".join(f"{clean_line(k)} {words.count(_number(v))}" for k, v in rows.items())),
            ("Before", f"accuracy {_percent(_number(baseline.get('accuracy')))},"
                       f" {words.size(_number(baseline.get('size_bytes')))},"
                       f" {words.number(_number(baseline.get('latency_ms')))} ms a row"),
            ("Measured", "" if measured is None or measured == planned
                         else f"{words.count(measured)} of {words.count(planned)} so far"),
        ]
    )  # fmt: skip
    variants = [one for one in _list(report.get("variants")) if isinstance(one, Mapping)]
    chosen = report.get("chosen")
    if variants:
        lines += ["", *_variants(variants, chosen, cells), "", *_reasons(variants)]
    verdict = next((str(one.get("verdict")) for one in variants if chosen and one.get("id") == chosen), "")
    picked = f"Chosen: {clean_line(str(chosen))}, {VERDICTS.get(verdict, clean_line(verdict))}"
    lines += ["", picked if chosen else "None is chosen: none keeps within what may be lost."]
    lines += [clean_line(note) for note in _list(report.get("notes")) if isinstance(note, str)]
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
            _percent(_number(one.get("accuracy"))),
            _change(one),
            words.size(_number(one.get("size_bytes"))),
            *(_times(one.get(key)) for key in ("size_ratio", "latency_ratio", "throughput_ratio")),
            VERDICTS.get(str(one.get("verdict")), clean_line(str(one.get("verdict", "")))),
        ]
        for one in variants
    ]
    return table(columns, rows, cells)


def _change(variant: Mapping[str, Any]) -> str:
    delta = _number(variant.get("delta"))
    between = _pair(variant.get("delta_ci"))
    if delta is None:
        return words.MISSING
    text = f"{delta * 100:+.2f}"
    return text if between is None else f"{text} [{between[0] * 100:+.2f}, {between[1] * 100:+.2f}]"


def _reasons(variants: Sequence[Mapping[str, Any]]) -> Lines:
    return pairs(
        [(clean_line(str(one.get("id", "?"))), clean_line(str(one.get("why") or ""))) for one in variants]
    )


def _times(value: Any) -> str:
    number = _number(value)
    return words.MISSING if number is None else f"{number:.2f}x"


def evaluations(records: Sequence[Evaluation], cells: int | None) -> Lines:
    """The list of a model's evaluations."""
    now = time.time()
    rows = []
    for one in records:
        metrics = _mapping(one.report.get("metrics"))
        key = next((key for key in ("accuracy", "r2", "auc", "loss") if key in metrics), "")
        figure = f"{_TITLES[key]} {_figure(key, metrics[key], one.report)}" if key else ""
        rows.append(
            [
                clean_line(one.dataset), clean_line(one.split),
                words.count(_number(one.report.get("n"))), figure, words.since(one.t, now),
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
        variants = _list(one.report.get("variants"))
        passing = [v for v in variants if isinstance(v, Mapping) and v.get("verdict") == "passes"]
        rows.append(
            [
                one.run_id, str(words.RUN_MARKS[one.status]),
                words.number(_number(one.report.get("max_drop"))),
                f"{len(passing)} of {len(variants)}", clean_line(str(one.report.get("chosen") or "none")),
                words.since(one.t, now),
            ]
        )  # fmt: skip
    titles = ("Compressed by", "Status", "May lose", "Pass", "Chosen")
    return table([*(Column(title) for title in titles), Column("Age", right=True)], rows, cells)


def _percent(share: float | None) -> str:
    return words.percent(share, 2)


def _label(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return words.number(float(value)) if isinstance(value, float) else str(value)
    return clean_line(str(value), 40)


def _number(value: Any) -> float | None:
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fine else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _pair(value: Any) -> tuple[float, float] | None:
    numbers = [_number(one) for one in _list(value)]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        return None
    return numbers[0], numbers[1]
