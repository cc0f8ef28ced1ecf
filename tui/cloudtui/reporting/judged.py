"""Evaluations and compressions in a report: a host's word, of which nothing is taken for granted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui import format as fmt
from cloudtui.reporting.markup import Html, Paper, joined, ours, tag

MOST_CLASSES = 40
"""A larger confusion table is no help on a page."""
_TITLES = {
    "accuracy": "Accuracy", "macro_precision": "Precision (macro)", "macro_recall": "Recall (macro)",
    "macro_f1": "F1 (macro)", "auc": "AUC", "ece": "Calibration error", "loss": "Loss", "mae": "MAE",
    "rmse": "RMSE", "r2": "R²",
}  # fmt: skip
_SHARES = frozenset({"accuracy", "macro_precision", "macro_recall", "macro_f1"})
_VERDICTS = {
    "passes": "✓ passes", "fails": "✗ fails", "undecided": "◐ undecided", "dominated": "· dominated",
    "no speed-up": "· no speed-up",
}  # fmt: skip


def evaluation(paper: Paper, split: str, report: Mapping[str, Any]) -> Html:
    """Figures with their intervals, baselines, the classes, and what is taken for what."""
    rows = fmt.count(_number(report.get("n")))
    head = tag("h3", paper.key(f"Evaluation on {split}"), tag("span", ours(f", {rows} rows"), class_="muted"))
    return joined([head, _figures(paper, report), _classes(paper, report), _confusion(paper, report)])


def _figures(paper: Paper, report: Mapping[str, Any]) -> Html:
    metrics, between = _mapping(report.get("metrics")), _mapping(report.get("confidence"))
    keys = [key for key in _TITLES if key in metrics] + [key for key in metrics if key not in _TITLES]
    if not keys:
        return Html("")
    baselines = _mappings(report.get("baselines"))
    heads = ["Figure", "Value", "95% interval", *(str(one.get("name", "?")) for one in baselines)]
    rows = [
        [
            paper.key(_TITLES.get(key, key)),
            _figure(key, metrics[key]),
            _interval(key, between.get(key)),
            *(_figure(key, _mapping(one.get("metrics")).get(key)) for one in baselines),
        ]
        for key in keys
    ]
    return paper.table(heads, rows)


def _figure(key: str, value: Any) -> Html:
    number = _number(value)
    return ours(fmt.percent(number, 2) if key in _SHARES else fmt.number(number))


def _interval(key: str, value: Any) -> Html:
    ends = [_number(one) for one in _items(value)]
    if len(ends) != 2 or None in ends:
        return ours(fmt.MISSING)
    return joined([ours("["), _figure(key, ends[0]), ours(", "), _figure(key, ends[1]), ours("]")])


def _classes(paper: Paper, report: Mapping[str, Any]) -> Html:
    found = _mappings(report.get("classes"))
    rows = [
        [
            _label(paper, one.get("label")),
            *(ours(fmt.percent(_number(one.get(key)), 2)) for key in ("precision", "recall", "f1")),
            ours(fmt.count(_number(one.get("support")))),
        ]
        for one in found
    ]
    if not rows:
        return Html("")
    table = paper.table(("Class", "Precision", "Recall", "F1", "Rows"), rows)
    return joined([tag("h4", ours("Classes")), table])


def _confusion(paper: Paper, report: Mapping[str, Any]) -> Html:
    labels = [_label(paper, one.get("label")) for one in _mappings(report.get("classes"))]
    counts = [[_number(one) or 0.0 for one in _items(row)] for row in _items(report.get("confusion"))]
    if not 0 < len(labels) <= MOST_CLASSES or [len(row) for row in counts] != [len(labels)] * len(labels):
        return Html("")
    head = tag("tr", tag("th", ours("Truth \\ said"), scope="col"),
               *(tag("th", label, scope="col") for label in labels))  # fmt: skip
    body = (
        tag("tr", tag("th", label, scope="row"), *(_count(row, column, column == place)
                                                   for column in range(len(row))))
        for place, (label, row) in enumerate(zip(labels, counts, strict=True))
    )  # fmt: skip
    table = tag("table", tag("thead", head), tag("tbody", joined(body)), class_="confusion numbers")
    return joined([tag("h4", ours("What is taken for what")), tag("div", table, class_="wide")])


def _count(row: Sequence[float], column: int, right: bool) -> Html:
    value = row[column]
    share = value / (sum(row) or 1.0)
    text = ours(fmt.count(value) if value else "·")
    if not value or not 0 < share <= 1:
        return tag("td", text)
    return tag("td", text, class_="hit" if right else "miss", style=f"--w:{share * 100:.0f}%")


def compression(paper: Paper, report: Mapping[str, Any]) -> Html:
    """What was tried, and what became of each."""
    variants = _mappings(report.get("variants"))
    if not variants:
        return Html("")
    heads = ("Variant", "Accuracy", "Change, 95%", "Size", "Smaller", "Faster x1", "x64", "Verdict", "Why")
    rows = [_variant(paper, one, report.get("chosen")) for one in variants]
    may = _number(report.get("max_drop"))
    said = "" if may is None else f", may lose {may:g} points"
    head = tag("h3", ours("Variants"), tag("span", ours(said), class_="muted"))
    return joined([head, paper.table(heads, rows, kind="variants")])


def _variant(paper: Paper, one: Mapping[str, Any], chosen: Any) -> list[Html]:
    name = str(one.get("id", "?"))
    mark = ours(" ★ chosen") if chosen and one.get("id") == chosen else Html("")
    verdict = str(one.get("verdict") or fmt.MISSING)
    said = ours(_VERDICTS[verdict]) if verdict in _VERDICTS else paper.text(verdict)
    return [
        joined([paper.text(name), mark]),
        ours(fmt.percent(_number(one.get("accuracy")), 2)),
        ours(_change(one)),
        ours(fmt.size(_number(one.get("size_bytes")))),
        *(ours(_times(one.get(key))) for key in ("size_ratio", "latency_ratio", "throughput_ratio")),
        said,
        paper.text(str(one.get("why") or "")),
    ]


def _change(one: Mapping[str, Any]) -> str:
    delta = _number(one.get("delta"))
    ends = [_number(end) for end in _items(one.get("delta_ci"))]
    if delta is None:
        return fmt.MISSING
    text = f"{delta * 100:+.2f}"
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        return text
    return f"{text} [{ends[0] * 100:+.2f}, {ends[1] * 100:+.2f}]"


def _times(value: Any) -> str:
    number = _number(value)
    return fmt.MISSING if number is None else f"{number:.2f}x"


def _label(paper: Paper, value: Any) -> Html:
    return ours(fmt.number(value)) if isinstance(value, float) else paper.text(str(value)[:60])


def _number(value: Any) -> float | None:
    fine = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fine else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _items(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in _items(value) if isinstance(one, Mapping)]
