"""One model version: where it comes from, its files and where they lie, and what was found out about it."""

from __future__ import annotations

from typing import NamedTuple

from cloudtui import format as fmt
from cloudtui.areas.compression.tried import times
from cloudtui.areas.evaluation.judged import headline, too_small
from cloudtui.areas.sheet import SheetDetail
from cloudtui.bridge import Bridge, Reader
from cloudtui.reported import VERDICTS, mappings
from cloudtui.widgets.facts import Fact
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.records.compression import Compression
from cloudtui_engine.records.evaluation import Evaluation
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Run
from cloudtui_engine.sanitize import clean_line


class About(NamedTuple):
    """What is read for the sheet of one model."""

    model_id: str
    run: Run
    evaluations: tuple[Evaluation, ...]
    compressions: tuple[Compression, ...]
    children: tuple[Model, ...]


class ModelDetail(SheetDetail):
    """A sheet; what was found out comes as soon as it is read."""

    def __init__(self, bridge: Bridge) -> None:
        super().__init__(self._facts)
        self.bridge = bridge
        self._about: About | None = None
        self._error: CloudtuiError | None = None
        self._reader = Reader(self, bridge, self._failed)

    def show(self, record: Model | None) -> None:
        """Show this model, and read what is known of it."""
        super().show(record)
        if record is None:
            return
        catalog = self.bridge.catalog

        def work() -> About:
            models = catalog.models
            return About(
                record.id, catalog.runs.get(record.run_id), tuple(models.evaluations(record.id)),
                tuple(models.compressions(record.id)), tuple(models.children(record.id)),
            )  # fmt: skip

        self._reader.ask(work, self._read)

    def changed(self, topics: frozenset[str]) -> None:
        """A job of this model may have gone on."""
        if topics & {"model", "run"} and self.record is not None:
            self.show(self.record)

    def _read(self, about: About) -> None:
        if self.record is not None and about.model_id == self.record.id:
            self._about, self._error = about, None
            self.tick()

    def _failed(self, error: CloudtuiError) -> None:
        self._error = error
        self.tick()

    def _facts(self, model: Model) -> list[Fact]:
        about = self._about if self._about is not None and self._about.model_id == model.id else None
        facts = []
        if self._error is not None:
            facts = [Fact(f"✗ {clean_line(self._error.message)}", style="heading"),
                     Fact("", clean_line(self._error.hint), "bad")]  # fmt: skip
        return facts + model_facts(model, about, self.bridge.now())


def model_facts(model: Model, about: About | None, now: float) -> list[Fact]:
    """All that is known of a model version."""
    hosts = clean_line(", ".join(about.run.instances), 40) if about else ""
    facts = [
        Fact("Model", style="heading"),
        Fact("name", clean_line(model.label)),
        Fact("alias", clean_line(", ".join(model.alias)) or fmt.MISSING),
        Fact("made from", clean_line(model.parent or "", 80) or "nothing: trained from the start"),
        Fact("architecture", clean_line(f"{model.architecture} · {model.task}") or fmt.MISSING),
        Fact("dataset", clean_line(model.dataset or fmt.MISSING)),
        Fact("run", f"{clean_line(about.run.name, 60)}  {model.run_id}" if about else model.run_id, "muted"),
        Fact("made", fmt.moment(model.created_at)),
        *([Fact("cost", f"${fmt.money(model.cost_usd)}")] if model.cost_usd is not None else []),
    ]
    if model.files:
        facts.append(Fact("Files", style="heading"))
        facts += [
            Fact(
                clean_line(one.name, 40),
                f"{fmt.size(one.size_bytes):>8}  {'here' if one.local else f'only on {hosts or _HOST}'}",
                "" if one.local else "warn",
            )
            for one in model.files
        ]
    if about is not None:
        facts += _evaluations(about, now) + _compressions(about, now) + _children(about)
    return facts


_HOST = "its host"


def _evaluations(about: About, now: float) -> list[Fact]:
    facts = [Fact("Evaluations  (6 shows where it errs)", style="heading")]
    for one in about.evaluations:
        text = f"{headline(one.report)} · {fmt.since(one.t, now)} ago"
        facts.append(Fact(clean_line(f"{one.dataset} {one.split}", 26), clean_line(text, 120)))
        said = too_small(one.report)
        if said:
            facts.append(Fact("", said, "warn"))
    return facts if about.evaluations else [*facts, Fact("", "None yet: v evaluates it.", "muted")]


def _compressions(about: About, now: float) -> list[Fact]:
    if not about.compressions:
        return []
    facts = [Fact("Compressions  (7 shows every variant)", style="heading")]
    for one in about.compressions:
        variants = mappings(one.report.get("variants"))
        passing = sum(variant.get("verdict") == "passes" for variant in variants)
        chosen = clean_line(str(one.report.get("chosen") or "none"), 40)
        text = f"{passing} of {len(variants)} pass, chosen: {chosen} ·" if variants else "nothing measured ·"
        mark = fmt.RUN_MARKS[one.status]
        facts.append(
            Fact(str(mark), f"{text} {fmt.since(one.t, now)} ago", "bad" if mark.tone == "bad" else "")
        )
    return facts


def _children(about: About) -> list[Fact]:
    if not about.children:
        return []
    verdicts = {
        (one.run_id, str(variant.get("id"))): variant
        for one in about.compressions
        for variant in mappings(one.report.get("variants"))
    }
    facts = [Fact("Made from it", style="heading")]
    for child in about.children:
        found = verdicts.get((child.run_id, child.variant), {})
        judged = VERDICTS.get(str(found.get("verdict")))
        size, speed = times(found.get("size_ratio")), times(found.get("latency_ratio"))
        told = f"{size} smaller, {speed} as fast, {judged or ''}"
        facts.append(
            Fact(clean_line(child.variant or child.label, 26), told if found else clean_line(child.label))
        )
    return facts
