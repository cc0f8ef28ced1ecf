"""The figures tab: every metric with its interval, baselines beside it, and whether the rows can tell."""

from __future__ import annotations

from cloudtui import format as fmt
from cloudtui.areas.evaluation.judged import Judged, too_small, waiting
from cloudtui.areas.evaluation.judged_tab import JudgedTab
from cloudtui.bridge import Bridge
from cloudtui.reported import TITLES, figure, interval, mapping, mappings, number, ordered
from cloudtui.widgets.facts import Fact, Facts
from cloudtui_engine.sanitize import clean_line


class FiguresTab(JudgedTab):
    """A sheet, or what is said while nothing is measured."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(bridge)
        self.body = self.facts = Facts()

    def load(self) -> None:
        """From the report."""
        judged = self.judged
        if judged is None:
            return
        if self.show_body(judged.report):
            self.facts.show(figures(judged))
        else:
            what, more = waiting(judged)
            failed = judged.run is not None and judged.run.status == "failed"
            self.notice.say(what, more=more, style="bad" if failed else "")


def figures(judged: Judged) -> list[Fact]:
    """All figures of a report."""
    report = judged.report
    metrics = mapping(report.get("metrics"))
    said = too_small(report)
    facts = [Fact(said, style="heading")] if said else []
    facts.append(Fact("Results", style="heading"))
    for key in ordered(metrics):
        text = f"{figure(key, metrics[key]):>8}  {interval(key, report)}".rstrip()
        facts.append(Fact(TITLES.get(key, clean_line(key, 30)), text))
    facts += baselines(judged)
    facts += [
        Fact("Where from", style="heading"),
        Fact("rows", f"{fmt.count(number(report.get('n')))} of {clean_line(judged.split)}"),
        Fact("data", clean_line(judged.dataset, 60) or fmt.MISSING),
        Fact("model", clean_line(judged.name, 80)),
        Fact("run", judged.id.partition("/")[0], "muted"),
        Fact("when", fmt.moment(judged.t)),
    ]
    return facts


def baselines(judged: Judged) -> list[Fact]:
    """What simple models reach on the same rows."""
    facts = []
    for one in mappings(judged.report.get("baselines")):
        metrics = mapping(one.get("metrics"))
        text = "  ".join(
            f"{TITLES.get(k, clean_line(k, 30))} {figure(k, metrics[k])}" for k in ordered(metrics)
        )
        facts.append(Fact(clean_line(str(one.get("name", "?")), 26), text))
    note = judged.report.get("baselines_note")
    if isinstance(note, str) and note:
        facts.append(Fact("", clean_line(note, 300), "muted"))
    return [Fact("Baselines on the same rows", style="heading"), *facts] if facts else []
