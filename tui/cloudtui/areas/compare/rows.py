"""A compared run as a row of the list."""

from __future__ import annotations

import math

from cloudtui import format as fmt
from cloudtui.areas.compare.compared import Compared, Member
from cloudtui.areas.runs.rows import status
from cloudtui.comparing import Outcome, above, settings_of
from cloudtui.widgets.table import Cell, Column, Row
from cloudtui_engine.sanitize import clean_line

COLUMNS = (
    Column("", 1),
    Column("Name", 16, sort="name", share=2),
    Column("Status", 12, rank=2),
    Column("Differs in", 16, share=3, rank=1),
    Column("Last", 9, "right", sort="last", rank=3),
    Column("Best", 9, "right", sort="best"),
    Column("Delta", 10, "right", sort="delta"),
)


def member_row(member: Member, now: float) -> Row:
    """The cells, in the order of `COLUMNS`."""
    compared, place, run = member.compared, member.place, member.run
    outcome = compared.outcome
    return Row(
        run.id,
        (
            compared.marker(place),
            (clean_line(run.name, 80), ""),
            ("⌫ in the trash", "warn") if run.deleted_at is not None else status(run, now),
            (clean_line(settings_of(compared.found, place), 120) or fmt.MISSING, "muted"),
            figure(outcome.last[place] if outcome else None, "muted"),
            best(outcome, place),
            change(outcome, place, compared.baseline),
        ),
    )


def figure(value: float | None, style: str = "") -> Cell:
    """A value; what is no number is told in red."""
    if value is not None and not math.isfinite(value):
        return fmt.number(value), "bad"
    return fmt.number(value), style if value is not None else "muted"


def best(outcome: Outcome | None, place: int, gap: str = " ") -> Cell:
    """The best value of a run, checked where it is the best of all."""
    text, style = figure(outcome.best[place] if outcome else None)
    return (f"✓{gap}{text}", "good") if outcome and place in outcome.winners else (text, style)


def change(outcome: Outcome | None, place: int, baseline: int, digits: int = 3) -> Cell:
    """What a run is above the baseline; green where that is better."""
    if place == baseline:
        return "baseline", "accent"
    return signed(outcome.delta(place, baseline) if outcome else None, outcome, digits)


def signed(delta: float | None, outcome: Outcome | None, digits: int = 3) -> Cell:
    """A difference with its sign, in colour where it is known which is better."""
    better = outcome.improves(delta) if outcome else None
    return above(delta, digits), {True: "good", False: "bad", None: "muted"}[better]


def direction(outcome: Outcome | None) -> str:
    """Which is better, in words."""
    if outcome is None or outcome.goal is None:
        return ""
    return "more is better" if outcome.goal == "max" else "less is better"


def title(compared: Compared) -> str:
    """What the figures of the list are: the metric, which is better, what is grouped."""
    if compared.metric is None:
        return ""
    said = direction(compared.outcome)
    return f"{clean_line(compared.metric, 40)}{', ' + said if said else ''}"
