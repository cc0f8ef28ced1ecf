"""Evaluations and compressions in a report: a host's word, of which nothing is taken for granted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui import format as fmt
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
from cloudtui.reporting.markup import Html, Paper, joined, ours, tag

MOST_CLASSES = 40
"""A larger confusion table is no help on a page."""


def evaluation(paper: Paper, split: str, report: Mapping[str, Any]) -> Html:
    """Figures with their intervals, baselines, the classes, and what is taken for what."""
    rows = fmt.count(number(report.get("n")))
    head = tag("h3", paper.key(f"Evaluation on {split}"), tag("span", ours(f", {rows} rows"), class_="muted"))
    return joined([head, _figures(paper, report), _classes(paper, report), _confusion(paper, report)])


def _figures(paper: Paper, report: Mapping[str, Any]) -> Html:
    metrics = mapping(report.get("metrics"))
    if not metrics:
        return Html("")
    baselines = mappings(report.get("baselines"))
    heads = ["Figure", "Value", "95% interval", *(str(one.get("name", "?")) for one in baselines)]
    rows = [
        [
            paper.key(TITLES.get(key, key)),
            ours(figure(key, metrics[key])),
            ours(_interval(key, report)),
            *(ours(figure(key, mapping(one.get("metrics")).get(key))) for one in baselines),
        ]
        for key in ordered(metrics)
    ]
    return paper.table(heads, rows)


def _interval(key: str, report: Mapping[str, Any]) -> str:
    between = confidence(key, report)
    return fmt.MISSING if between is None else f"[{figure(key, between[0])}, {figure(key, between[1])}]"


def _classes(paper: Paper, report: Mapping[str, Any]) -> Html:
    found = mappings(report.get("classes"))
    rows = [
        [
            _label(paper, one.get("label")),
            *(ours(fmt.percent(number(one.get(key)), 2)) for key in ("precision", "recall", "f1")),
            ours(fmt.count(number(one.get("support")))),
        ]
        for one in found
    ]
    if not rows:
        return Html("")
    table = paper.table(("Class", "Precision", "Recall", "F1", "Rows"), rows)
    return joined([tag("h4", ours("Classes")), table])


def _confusion(paper: Paper, report: Mapping[str, Any]) -> Html:
    labels = [_label(paper, one.get("label")) for one in mappings(report.get("classes"))]
    counts = [[number(one) or 0.0 for one in items(row)] for row in items(report.get("confusion"))]
    if not 0 < len(labels) <= MOST_CLASSES or [len(row) for row in counts] != [len(labels)] * len(labels):
        return Html("")
    head = tag("tr", tag("th", ours("Truth \\ said"), scope="col"),
               *(tag("th", title, scope="col") for title in labels))  # fmt: skip
    body = (
        tag("tr", tag("th", title, scope="row"), *(_count(row, column, column == place)
                                                   for column in range(len(row))))
        for place, (title, row) in enumerate(zip(labels, counts, strict=True))
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
    variants = mappings(report.get("variants"))
    if not variants:
        return Html("")
    heads = ("Variant", "Accuracy", "Change, 95%", "Size", "Smaller", "Faster x1", "x64", "Verdict", "Why")
    rows = [_variant(paper, one, report.get("chosen")) for one in variants]
    may = number(report.get("max_drop"))
    said = "" if may is None else f", may lose {may:g} points"
    head = tag("h3", ours("Variants"), tag("span", ours(said), class_="muted"))
    return joined([head, paper.table(heads, rows, kind="variants")])


def _variant(paper: Paper, one: Mapping[str, Any], chosen: Any) -> list[Html]:
    name = str(one.get("id", "?"))
    mark = ours(" ★ chosen") if chosen and one.get("id") == chosen else Html("")
    verdict = str(one.get("verdict") or fmt.MISSING)
    said = ours(str(VERDICTS[verdict])) if verdict in VERDICTS else paper.text(verdict)
    return [
        joined([paper.text(name), mark]),
        ours(fmt.percent(number(one.get("accuracy")), 2)),
        ours(change(one)),
        ours(fmt.size(number(one.get("size_bytes")))),
        *(ours(times(one.get(key))) for key in ("size_ratio", "latency_ratio", "throughput_ratio")),
        said,
        paper.text(str(one.get("why") or "")),
    ]


def _label(paper: Paper, value: Any) -> Html:
    return ours(label(value)) if isinstance(value, float) else paper.text(label(value, 60))
