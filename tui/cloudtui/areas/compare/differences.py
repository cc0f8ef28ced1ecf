"""The differences tab: the settings in which runs differ. Those in which they agree are counted above it."""

from __future__ import annotations

from cloudtui import format as fmt
from cloudtui.areas.compare.compared import Compared
from cloudtui.areas.compare.tab import CompareTab, beside, filled
from cloudtui.bridge import Bridge
from cloudtui.comparing import FEW, Difference
from cloudtui.widgets.table import Column, Row, Table
from cloudtui_engine.sanitize import clean_line

_MANY = (Column("Setting", 14, share=1), Column("Values", 6, "right"), Column("Value × runs", 24, share=3))


class DifferencesTab(CompareTab):
    """A line a setting, a column a run; of many runs each value with how many have it."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.body = self.table = Table(())

    def load(self) -> None:
        """From the settings of the runs."""
        compared = self.compared
        if compared is None:
            return
        different = compared.found.different
        if not self.show_body(different):
            if not self.say_alone(compared):
                self.notice.say(
                    "No setting differs",
                    more=f"{_all(compared.found.equal)}.",
                )
            return
        few = len(compared.found.runs) <= FEW
        self.table.restructure(beside("Setting", compared) if few else _MANY)
        self.table.show([_few(compared, one) if few else _many(one) for one in different])


def _all(equal: int) -> str:
    return "The one setting is equal" if equal == 1 else f"All {equal} settings are equal"


def _few(compared: Compared, one: Difference) -> Row:
    usual = one.identities[compared.baseline]
    cells = [
        (fmt.setting(value), "muted" if identity == usual else "")
        for value, identity in zip(one.values, one.identities, strict=True)
    ]
    return filled(one.key, (clean_line(one.key, 60), ""), cells)


def _many(one: Difference) -> Row:
    counted = one.counted()
    told = "  ".join(f"{clean_line(text, 24)} ×{count}" for text, count in counted)
    return Row(one.key, ((clean_line(one.key, 60), ""), (str(len(counted)), "muted"), (told, "")))
