"""What the tabs of a comparison have in common."""

from __future__ import annotations

from collections.abc import Sequence

from cloudtui.areas.compare.compared import Compared, Member
from cloudtui.areas.tab import Tab
from cloudtui.widgets.columns import Cell, Column, Row
from cloudtui_engine.sanitize import clean_line


class CompareTab(Tab):
    """A view of all compared runs."""

    @property
    def compared(self) -> Compared | None:
        """What is compared."""
        return self.record.compared if isinstance(self.record, Member) else None

    def say_alone(self, compared: Compared) -> bool:
        """Say so where there is nothing to compare with; False where there is."""
        if len(compared.found.runs) > 1:
            return False
        self.notice.say(
            "One run only",
            more="There is nothing beside it.",
            begin="Mark several with space in Runs and press c.",
        )
        return True


def is_crowded(compared: Compared) -> bool:
    """There are so many columns that 80 cells are hardly enough."""
    return not compared.groups and len(compared.found.runs) > 4


def beside(title: str, compared: Compared) -> list[Column]:
    """A first column, then one a run, headed by the sign of its line and its name; few stay together."""
    heads = [
        f"{compared.marker(place)[0]} {clean_line(run.name, 40)}"
        for place, run in enumerate(compared.found.runs)
    ]
    width = 8 if is_crowded(compared) else 9
    room = [Column("", 0, share=4 - len(heads))] if len(heads) < 4 else []
    return [Column(title, 13, share=1), *(Column(head, width, "right", share=1) for head in heads), *room]


def filled(key: str, title: Cell, cells: Sequence[Cell]) -> Row:
    """A line of the columns `beside` each other."""
    return Row(key, (title, *cells, *([("", "")] if len(cells) < 4 else [])))
