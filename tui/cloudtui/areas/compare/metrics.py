"""The metrics tab: what each run reached, and how far from the baseline; of groups mean and deviation."""

from __future__ import annotations

from cloudtui import format as fmt
from cloudtui.areas.compare.compared import Compared
from cloudtui.areas.compare.look import LookAt
from cloudtui.areas.compare.rows import best, change, direction, figure, signed
from cloudtui.areas.compare.tab import CompareTab, beside, filled, is_crowded
from cloudtui.bridge import Bridge
from cloudtui.comparing import Outcome, ranked, spread
from cloudtui.widgets.table import Cell, Column, Row, Table
from cloudtui_engine.sanitize import clean_line

_GROUPS = (
    Column("Metric", 19, share=1),
    Column("", 1),
    Column("Group", 16, share=3),
    Column("Runs", 4, "right", rank=1),
    Column("Mean", 10, "right"),
    Column("± Dev", 9, "right", rank=2),
    Column("Delta", 10, "right"),
)


class MetricTable(Table):
    """The lines of metrics: one opens its curves."""

    HINTS = (("enter", "curves"),)


class MetricsTab(CompareTab):
    """Every metric: best, difference and last of each run, or the figures of each group."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.body = self.table = MetricTable(())

    def load(self) -> None:
        """From the summaries of the runs."""
        compared = self.compared
        if compared is None:
            return
        metrics = compared.found.metrics
        if not self.show_body(metrics):
            self.notice.say("No metrics yet", more="None of these runs has logged one.")
        elif compared.groups:
            self.table.restructure(_GROUPS)
            self.table.show([row for one in metrics for row in group_rows(compared, one)])
        else:
            self.table.restructure(beside("Metric", compared))
            self.table.show([row for one in metrics for row in run_rows(compared, one)])

    def on_table_opened(self, event: Table.Opened) -> None:
        """Its curves."""
        event.stop()
        self.post_message(LookAt(event.key.rpartition("|")[0]))


def run_rows(compared: Compared, one: Outcome) -> list[Row]:
    """The best of each run, what it is above the baseline, and the last; without a goal the last alone."""
    places = range(len(compared.found.runs))
    crowded = is_crowded(compared)
    deltas = [change(one, place, compared.baseline, 2 if crowded else 3) for place in places]
    lasts = [figure(value, "muted" if one.goal else "") for value in one.last]
    lines: list[tuple[Cell, list[Cell]]] = [(("  last", "muted"), lasts)]
    name = (_key(compared, one), "accent" if one.key == compared.metric else "")
    if one.goal:
        lines.insert(0, (name, [best(one, place, "" if crowded else " ") for place in places]))
    else:
        lines[0] = (name, lasts)
    if len(places) > 1:
        said = "" if crowded else direction(one)
        lines.insert(1, ((f"  delta{', ' + said if said else ''}", "muted"), deltas))
    return [filled(f"{one.key}|{at}", title, cells) for at, (title, cells) in enumerate(lines)]


def group_rows(compared: Compared, one: Outcome) -> list[Row]:
    """A line a group, the best first."""
    spreads = [spread([one.figures[place] for place in group.places]) for group in compared.groups]
    home = compared.group_of[compared.baseline]
    theirs = spreads[home].mean
    rows = []
    for at, index in enumerate(ranked(compared.groups, one)):
        group, mine = compared.groups[index], spreads[index]
        delta = mine.mean - theirs if mine.mean is not None and theirs is not None else None
        first = at == 0
        rows.append(
            Row(
                f"{one.key}|{index}",
                (
                    (_key(compared, one) if first else "", "accent" if one.key == compared.metric else ""),
                    compared.sign(index),
                    (clean_line(group.label, 80), ""),
                    (str(mine.n), "muted"),
                    _mean(mine.mean, top=first and one.goal is not None and len(spreads) > 1),
                    (fmt.number(mine.deviation), "muted"),
                    ("baseline", "accent") if index == home else signed(delta, one),
                ),
            )
        )
    return rows


def _mean(value: float | None, *, top: bool) -> Cell:
    text, style = figure(value)
    return (f"✓ {text}", "good") if top and value is not None else (text, style)


def _key(compared: Compared, one: Outcome) -> str:
    """The metric's name, shorter where many columns stand beside it."""
    short = one.key.replace("validation", "val").replace("accuracy", "acc")
    return clean_line(short if is_crowded(compared) else one.key, 60)
