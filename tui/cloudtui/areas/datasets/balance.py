"""The classes tab: how many rows each class has, and where."""

from __future__ import annotations

from collections.abc import Mapping

from textual.containers import VerticalScroll

from cloudtui import format as fmt
from cloudtui.areas.datasets.detail import DatasetTab
from cloudtui.bridge import Bridge
from cloudtui.widgets.bars import Bar, Bars
from cloudtui_engine.sanitize import clean_line

Balance = Mapping[str, Mapping[str, int]]


class BalanceTab(DatasetTab):
    """A bar a class."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.bars = Bars()
        self.body = self.scroll = VerticalScroll(self.bars)

    def load(self) -> None:
        """Count the labels, in a thread."""
        dataset, paths = self.dataset, self.bridge.paths
        if dataset is None:
            return

        def work() -> tuple[str, Balance]:
            from cloudtui_engine.data import class_balance

            return dataset.id, class_balance(paths, dataset)

        self.reader.ask(work, self._show)

    def _show(self, found: tuple[str, Balance]) -> None:
        if found[0] == self.shown_id:
            self.show_body(True)
            self.bars.show(balance_bars(found[1]))


def balance_bars(balance: Balance) -> list[Bar]:
    """A bar a class in their order, the greatest full; a class with none in a split is told of in red."""
    labels = list(dict.fromkeys(label for counts in balance.values() for label in counts))
    sums = {label: sum(counts.get(label, 0) for counts in balance.values()) for label in labels}
    whole, most = max(1, sum(sums.values())), max(1, *sums.values(), 1)
    bars = []
    for label in labels:
        counts = [(split, counts.get(label, 0)) for split, counts in balance.items()]
        text = f"{fmt.percent(sums[label] / whole, 1):>6}  " + "  ".join(
            f"{clean_line(split, 12)} {fmt.count(count)}" for split, count in counts
        )
        lacking = any(not count for _, count in counts)
        bars.append(
            Bar(clean_line(str(label), 24), sums[label] / most, text, style="bad" if lacking else "accent")
        )
    return bars
