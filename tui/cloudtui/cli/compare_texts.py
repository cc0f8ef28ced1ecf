"""Compared runs as text for people: what differs, then what each reached, or each group."""

from __future__ import annotations

from cloudtui import format as words
from cloudtui.cli.tables import Column, table
from cloudtui.comparing import FEW, Comparison, Outcome, above, groups, ranked, spread
from cloudtui_engine.sanitize import clean_line

Lines = list[str]


def comparison(found: Comparison, cells: int | None) -> Lines:
    """Settings, then metrics."""
    said = _settings(found, cells)
    if found.metrics:
        said += ["", *(_groups(found, cells) if found.way else _outcomes(found, cells))]
    return said


def _settings(found: Comparison, cells: int | None) -> Lines:
    if not found.different:
        return ["The settings are the same."]
    if len(found.runs) > FEW:
        columns = [Column("Setting"), Column("Value × runs")]
        rows = [
            [clean_line(one.key), "  ".join(f"{clean_line(text, 40)} ×{n}" for text, n in one.counted())]
            for one in found.different
        ]
    else:
        columns = [Column("Setting"), *_names(found)]
        rows = [[clean_line(one.key), *map(words.setting, one.values)] for one in found.different]
    said = table(columns, rows, cells)
    if found.equal:
        said.append(f"{found.equal} other settings are the same.")
    return said


def _names(found: Comparison) -> list[Column]:
    return [Column(clean_line(run.name), right=True, shrinks=True) for run in found.runs]


def _outcomes(found: Comparison, cells: int | None) -> Lines:
    rows = []
    for one in found.metrics:
        figures = [
            f"✓ {words.number(value)}" if place in one.winners else words.number(value)
            for place, value in enumerate(one.figures)
        ]
        deltas = [above(one.delta(place, found.baseline)) for place in range(len(found.runs))]
        deltas[found.baseline] = "baseline"
        rows += [[_title(one), *figures], ["  delta", *deltas]]
    return table([Column("Metric"), *_names(found)], rows, cells)


def _groups(found: Comparison, cells: int | None) -> Lines:
    members = groups(found, found.way)
    home = next(at for at, group in enumerate(members) if found.baseline in group.places)
    rows = []
    for one in found.metrics:
        spreads = [spread([one.figures[place] for place in group.places]) for group in members]
        theirs = spreads[home].mean
        for first, index in enumerate(ranked(members, one)):
            mine = spreads[index]
            delta = mine.mean - theirs if mine.mean is not None and theirs is not None else None
            rows.append(
                [
                    "" if first else _title(one),
                    clean_line(members[index].label),
                    str(mine.n),
                    words.number(mine.mean),
                    words.number(mine.deviation),
                    "baseline" if index == home else above(delta),
                ]
            )
    titles = [Column("Metric"), Column("Group", shrinks=True)]
    return table([*titles, *(Column(t, right=True) for t in ("Runs", "Mean", "± Dev", "Delta"))], rows, cells)


def _title(one: Outcome) -> str:
    return f"{clean_line(one.key)} ({'best' if one.goal else 'last'})"
