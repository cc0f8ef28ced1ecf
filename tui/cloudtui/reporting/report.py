"""The report: one run, or several side by side, as one HTML file that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cloudtui import format as fmt
from cloudtui.comparing import Comparison, Outcome, compare_runs
from cloudtui.reporting import judged
from cloudtui.reporting.chart import Curve, chart
from cloudtui.reporting.markup import Html, Paper, joined, ours, tag
from cloudtui.reporting.page import page
from cloudtui.reporting.records import Reported
from cloudtui.reporting.scrub import Scrub
from cloudtui.secrecy import without_secrets
from cloudtui_engine.records.run import Attempt, Run

_SETS = ("train", "validation", "test")


def report(found: Sequence[Reported], scrub: Scrub, made_at: float) -> str:
    """One HTML document about one run, or about how several differ."""
    paper = Paper(scrub, scrub.key)
    names = [one.run.name for one in found]
    title = names[0] if len(names) == 1 else f"{len(names)} runs: {', '.join(names)}"
    body = _one(paper, found[0]) if len(found) == 1 else _several(paper, found)
    return page(paper, title, body, made_at)


def _one(paper: Paper, one: Reported) -> Html:
    judgements = [judged.evaluation(paper, split, report) for split, report in one.evaluations.items()]
    judgements += [judged.compression(paper, report) for report in one.compressions]
    return joined(
        [
            tag("h1", paper.text(one.run.name), ours(" "), _status(one.run)),
            _about(paper, one.run),
            _section("Curves", _curves(paper, one)),
            _section("Metrics", _metrics(paper, one.run)),
            _section("Results", joined(judgements)),
            _section("Settings", _settings(paper, one.run)),
            _section("Attempts", _attempts(paper, one.attempts)),
        ]
    )


def _section(title: str, inside: Html) -> Html:
    return tag("section", tag("h2", ours(title)), inside) if inside else Html("")


def _status(run: Run) -> Html:
    mark = fmt.RUN_MARKS[run.status]
    return tag("span", ours(str(mark)), class_=f"mark {mark.tone}")


def _about(paper: Paper, run: Run) -> Html:
    tags = joined(tag("span", paper.text(one), class_="tag") for one in run.tags)
    return paper.facts(
        [
            ("Began", ours(moment(run.started_at or run.created_at))),
            ("Took", ours(fmt.duration(run.duration_s)) if run.duration_s is not None else Html("")),
            ("Cost", ours(f"${fmt.money(run.cost_usd)}") if run.cost_usd is not None else Html("")),
            ("Reason", paper.text(run.reason)),
            ("Tags", tags),
            ("Note", paper.text(run.note)),
        ]
    )


def _curves(paper: Paper, one: Reported) -> Html:
    groups: dict[str, list[str]] = {}
    for key in one.curves:
        groups.setdefault(key.rsplit("/", 1)[-1], []).append(key)
    charts = (
        chart(
            paper,
            name,
            [
                Curve(paper.key(key.rpartition("/")[0] or key), one.curves[key])
                for key in sorted(keys, key=_order)
            ],
        )
        for name, keys in sorted(groups.items(), key=lambda group: _order(group[1][0].rsplit("/", 1)[-1]))
    )
    return _grid(list(charts))


def _order(key: str) -> tuple[int, str]:
    """Training first, then validation, then test; of names, the loss and the accuracy."""
    first = key.partition("/")[0]
    leading = (*_SETS, "loss", "accuracy")
    return (leading.index(first) if first in leading else len(leading), key)


def _grid(charts: Sequence[Html]) -> Html:
    return tag("div", joined(charts), class_="charts") if charts else Html("")


def _metrics(paper: Paper, run: Run) -> Html:
    rows = [
        [
            paper.key(key),
            ours(fmt.number(one.last)),
            ours(fmt.number(one.best)),
            ours(fmt.count(one.best_step)),
            ours({"min": "less is better", "max": "more is better"}.get(one.goal or "", fmt.MISSING)),
            ours(fmt.count(one.count)),
        ]
        for key, one in sorted(run.metrics.items(), key=lambda item: _order(item[0]))
    ]
    return paper.table(("Metric", "Last", "Best", "At step", "Goal", "Points"), rows) if rows else Html("")


def _settings(paper: Paper, run: Run) -> Html:
    params = _compared([run]).params
    rows = [[paper.key(one.key), _setting(paper, one.key, one.values[0])] for one in params]
    return paper.table(("Setting", "Value"), rows, numbers=False)


def _setting(paper: Paper, key: str, value: Any) -> Html:
    return paper.text(fmt.setting(without_secrets(key, value)))


def _attempts(paper: Paper, attempts: Sequence[Attempt]) -> Html:
    rows = [
        [
            ours(str(one.number)),
            ours(str(fmt.RUN_MARKS[one.state])),
            ours(moment(one.started_at or one.created_at)),
            ours(fmt.duration(_took(one))),
            ours(fmt.count(one.from_step)),
            ours(fmt.MISSING if one.exit_code is None else str(one.exit_code)),
            paper.text(one.reason),
        ]
        for one in attempts
    ]
    heads = ("Attempt", "State", "Began", "Took", "From step", "Exit", "Reason")
    return paper.table(heads, rows, numbers=False) if rows else Html("")


def _took(attempt: Attempt) -> float | None:
    if attempt.started_at is None or attempt.ended_at is None:
        return None
    return attempt.ended_at - attempt.started_at


def moment(t: float | None) -> str:
    """A moment that reads the same everywhere."""
    text = fmt.rfc3339(t)
    return fmt.MISSING if text is None else f"{text[:10]} {text[11:16]} UTC"


def _several(paper: Paper, found: Sequence[Reported]) -> Html:
    compared = _compared([one.run for one in found])
    notes = [[paper.text(one.run.name), paper.text(one.run.note)] for one in found if one.run.note]
    return joined(
        [
            tag("h1", ours(f"{len(found)} runs")),
            _section("Runs", _overview(paper, found)),
            _section("Settings that differ", _differences(paper, compared)),
            _section("Metrics", _side_by_side(paper, compared)),
            _section("Curves", _overlaid(paper, found)),
            _section("Notes", paper.table(("Run", "Note"), notes, numbers=False) if notes else Html("")),
        ]
    )


def _compared(runs: Sequence[Run]) -> Comparison:
    """Without command lines: what stands in one may be a secret of any form."""
    found = compare_runs(runs)
    return replace(found, params=tuple(one for one in found.params if one.key != "command"))


def _overview(paper: Paper, found: Sequence[Reported]) -> Html:
    rows = [
        [
            paper.text(run.name), _status(run), ours(moment(run.started_at or run.created_at)),
            ours(fmt.duration(run.duration_s)), ours(fmt.money(run.cost_usd)),
            paper.text(", ".join(run.tags) or fmt.MISSING),
        ]
        for run in (one.run for one in found)
    ]  # fmt: skip
    return paper.table(("Run", "State", "Began", "Took", "Cost, $", "Tags"), rows, numbers=False)


def _differences(paper: Paper, found: Comparison) -> Html:
    same = tag("p", ours(f"{found.equal} settings are the same in all."), class_="muted")
    if not found.different:
        return same
    rows = [
        [paper.key(one.key), *(_setting(paper, one.key, value) for value in one.values)]
        for one in found.different
    ]
    return joined([paper.table(("Setting", *(run.name for run in found.runs)), rows), same])


def _side_by_side(paper: Paper, found: Comparison) -> Html:
    rows = [
        [_counted(paper, one), *(_figure(one, place) for place in range(len(found.runs)))]
        for one in sorted(found.metrics, key=lambda one: _order(one.key))
    ]
    return paper.table(("Metric", *(run.name for run in found.runs)), rows) if rows else Html("")


def _counted(paper: Paper, one: Outcome) -> Html:
    return joined([paper.key(one.key), tag("span", ours(" best" if one.goal else " last"), class_="muted")])


def _figure(one: Outcome, place: int) -> Html:
    """The best of them has a star."""
    text = ours(fmt.number(one.figures[place]))
    return tag("b", ours("★ "), text) if place in one.winners else text


def _overlaid(paper: Paper, found: Sequence[Reported]) -> Html:
    keys = sorted({key for one in found for key in one.curves}, key=_order)
    return _grid(
        [
            chart(paper, key, [Curve(paper.text(one.run.name), one.curves.get(key, ())) for one in found])
            for key in keys
        ]
    )  # fmt: skip
