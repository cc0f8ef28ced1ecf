"""The comparison as the area shows it: the runs that were chosen, read from the catalog. No screen here."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from cloudtui.areas.compare.chosen import Chosen
from cloudtui.comparing import (
    FEW,
    Comparison,
    Group,
    Outcome,
    compare_runs,
    groups,
    main_metric,
    ranked,
    usual_way,
    ways,
)
from cloudtui_engine.errors import NotFoundError
from cloudtui_engine.records.run import Run

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

MARKERS = "●▲■◆★▼"
"""Of the lines of a chart, in its order: told apart without colour."""


@dataclass(frozen=True)
class Compared:
    """Runs beside each other, and what was chosen about them."""

    chosen: Chosen
    found: Comparison
    gone: int = 0
    """Runs that were chosen and are not in this catalog any more."""

    @cached_property
    def baseline(self) -> int:
        """The place of the run that the others are measured against: the first, unless another was chosen."""
        ids = [run.id for run in self.found.runs]
        return ids.index(self.chosen.baseline) if self.chosen.baseline in ids else 0

    @cached_property
    def ways(self) -> list[str]:
        """What they may be grouped by; empty stands for not at all, where they are few."""
        few = len(self.found.runs) <= FEW
        return ["", *ways(self.found)] if few else ways(self.found)

    @cached_property
    def way(self) -> str:
        """What they are grouped by; empty where they are told one by one."""
        if self.chosen.way in self.ways:
            return self.chosen.way
        return self.ways[0] if not self.ways[0] else usual_way(self.found)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups; none where runs are told one by one."""
        return groups(self.found, self.way) if self.way else ()

    @cached_property
    def group_of(self) -> Mapping[int, int]:
        """The place of each run's group."""
        return {place: index for index, group in enumerate(self.groups) for place in group.places}

    @cached_property
    def metric(self) -> str | None:
        """The metric that is looked at."""
        keys = [one.key for one in self.found.metrics]
        return self.chosen.metric if self.chosen.metric in keys else main_metric(self.found)

    @cached_property
    def outcome(self) -> Outcome | None:
        """What came of it in that metric."""
        return self.found.outcome(self.metric) if self.metric is not None else None

    @cached_property
    def drawn(self) -> tuple[int, ...]:
        """The places of the groups, or of the runs, that have a line: of too many groups the best."""
        if not self.groups:
            return tuple(range(len(self.found.runs)))
        if len(self.groups) <= len(MARKERS):
            return tuple(range(len(self.groups)))
        return tuple(ranked(self.groups, self.outcome)[: len(MARKERS)])

    def marker(self, place: int) -> tuple[str, str]:
        """The sign and the colour of a run's line, or of its group's; blank where there is none."""
        return self.sign(self.group_of.get(place, place))

    def sign(self, index: int) -> tuple[str, str]:
        """The sign and the colour of a group, or of a run where there are no groups."""
        if index not in self.drawn:
            return " ", ""
        line = self.drawn.index(index)
        return MARKERS[line], f"s{line}"


@dataclass(frozen=True)
class Member:
    """A run in its comparison: a row of the list."""

    compared: Compared
    place: int

    @property
    def run(self) -> Run:
        """The run."""
        return self.compared.found.runs[self.place]

    @property
    def id(self) -> str:
        """Its id."""
        return self.run.id

    @property
    def name(self) -> str:
        """Its name."""
        return self.run.name


def read(catalog: Catalog, chosen: Chosen) -> Compared:
    """The runs as they are now, in the order in which they were chosen, those in the trash too."""
    there = []
    for one in chosen.runs:
        with suppress(NotFoundError):  # the home was restored from an older backup: the others are there
            there.append(catalog.runs.get(one))
    return Compared(chosen, compare_runs(there), len(chosen.runs) - len(there))


def without(chosen: Chosen, run_id: str) -> Chosen:
    """One run fewer."""
    baseline = None if chosen.baseline == run_id else chosen.baseline
    return replace(chosen, runs=tuple(one for one in chosen.runs if one != run_id), baseline=baseline)
