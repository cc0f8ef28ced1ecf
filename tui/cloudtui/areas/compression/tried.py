"""What the area lists: compressions as far as they are measured, and their jobs. Pure but `read`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloudtui import format as fmt
from cloudtui.areas.runs.rows import status
from cloudtui.areas.runs.side import time_left
from cloudtui.reported import VERDICTS, change, mapping, mappings, number, pair
from cloudtui.widgets.table import Cell, Column, Row
from cloudtui_engine.records.compression import Compression
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Run
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog

COLUMNS = (
    Column("Model", 16, share=2),
    Column("State", 12),
    Column("Measured", 8, "right", rank=4),
    Column("May lose", 8, "right", rank=5),
    Column("Pass", 5, "right", rank=3),
    Column("Chosen", 16, share=1, rank=1),
    Column("Size", 6, "right", rank=2),
    Column("bs1", 6, "right", rank=2),
    Column("Made", 5, "right", rank=6),
)
VARIANT_COLUMNS = (
    Column("Variant", 15, share=1),
    Column("Accuracy", 8, "right", rank=5),
    Column("Δ points [95%]", 19, "right", rank=1),
    Column("Size", 5, "right"),
    Column("bs1", 5, "right", rank=2),
    Column("bs64", 5, "right", rank=3),
    Column("Verdict", 13),
)


@dataclass(frozen=True, slots=True)
class Tried:
    """One compression."""

    id: str
    name: str
    model: Model | None
    run: Run | None
    t: float
    report: Mapping[str, Any]

    @property
    def variants(self) -> list[Mapping[str, Any]]:
        """What was measured."""
        return mappings(self.report.get("variants"))

    @property
    def chosen(self) -> Mapping[str, Any] | None:
        """The variant that was chosen."""
        wanted = self.report.get("chosen")
        return next((one for one in self.variants if wanted and one.get("id") == wanted), None)

    @property
    def is_live(self) -> bool:
        """It is not over."""
        return self.run is not None and not self.run.status.is_finished


def read(catalog: Catalog, text: str) -> list[Tried]:
    """All whose model holds the text, newest first. Runs in a thread."""
    from cloudtui_engine.catalog.runs import RunQuery

    models = {one.id: one for one in catalog.models.list()}
    runs = {one.id: one for one in catalog.runs.list(RunQuery(kinds=("compress",), metrics=False))}
    found = [
        _tried(one, models.get(one.model_id), runs.get(one.run_id)) for one in catalog.models.compressions()
    ]
    return [one for one in found if text.lower() in one.name.lower()]


def _tried(one: Compression, model: Model | None, run: Run | None) -> Tried:
    return Tried(one.run_id, one.model, model, run, run.created_at if run is not None else one.t, one.report)


def tried_row(one: Tried, now: float) -> Row:
    """Its cells, in the order of `COLUMNS`."""
    passing = sum(variant.get("verdict") == "passes" for variant in one.variants)
    chosen = one.chosen or {}
    picked = clean_line(str(chosen.get("id") or ""), 40)
    drop = number(one.report.get("max_drop"))
    return Row(
        one.id,
        (
            (clean_line(one.name, 80), ""),
            status(one.run, now) if one.run is not None else (fmt.MISSING, "muted"),
            (measured(one.report), "" if one.is_live else "muted"),
            (fmt.MISSING if drop is None else f"{drop:g} pt", "muted"),
            (str(passing) if one.variants else fmt.MISSING, "good" if passing else "muted"),
            (picked or _none(one), "accent" if picked else "muted"),
            (times(chosen.get("size_ratio")), ""),
            (times(chosen.get("latency_ratio")), ""),
            (fmt.since(one.t, now), "muted"),
        ),
    )


def _none(one: Tried) -> str:
    return "none" if one.report and not one.is_live else fmt.MISSING


def measured(report: Mapping[str, Any]) -> str:
    """`3 of 6`, the candidates that are measured."""
    done, planned = number(report.get("measured")), number(report.get("planned"))
    if done is None:
        return fmt.count(len(mappings(report.get("variants")))) if report else fmt.MISSING
    return f"{done:.0f} of {planned:.0f}" if planned is not None else f"{done:.0f}"


def variant_row(one: Mapping[str, Any], chosen: object) -> Row:
    """A variant's cells, in the order of `VARIANT_COLUMNS`."""
    identity = clean_line(str(one.get("id", "?")), 60)
    picked = bool(chosen) and one.get("id") == chosen
    glyph, word, style = verdict(one)
    quiet = "muted" if style == "muted" else ""
    return Row(
        identity,
        (
            (f"{'◆' if picked else ' '} {identity}", "accent" if picked else quiet),
            (fmt.percent(number(one.get("accuracy")), 2), quiet),
            (change(one, comma=","), quiet),
            (times(one.get("size_ratio")), quiet),
            _speed(one.get("latency_ratio"), quiet),
            _speed(one.get("throughput_ratio"), quiet),
            (f"{glyph} {word}", style),
        ),
    )


def verdict(one: Mapping[str, Any]) -> tuple[str, str, str]:
    """Glyph, word and style; a word that is not known is shown as it is."""
    word = str(one.get("verdict") or "")
    mark = VERDICTS.get(word) or fmt.Mark("·", clean_line(word, 13) or fmt.MISSING, "quiet")
    return mark.glyph, mark.word, "muted" if mark.tone == "quiet" else mark.tone


def times(value: Any) -> str:
    """`3.8x`."""
    found = number(value)
    return fmt.MISSING if found is None else f"{found:.1f}x" if found < 99.95 else f"{found:.0f}x"


def _speed(value: Any, quiet: str) -> Cell:
    found = number(value)
    return times(value), "bad" if found is not None and found < 0.95 else quiet


def heading(one: Tried, now: float) -> tuple[str, str, str]:
    """Which model within what, and at the right how far it is."""
    drop = number(one.report.get("max_drop"))
    title = clean_line(one.name, 60) + (
        "" if drop is None else f" · may lose {drop:g} point{'' if drop <= 1 else 's'}"
    )
    run = one.run
    if run is None:
        return title, "", "muted"
    if run.stale_since is not None and one.is_live:
        return title, f"no link for {fmt.since(run.stale_since, now)}", "warn"
    if not one.is_live:
        return (
            title,
            f"{measured(one.report)} candidates" if one.report else str(fmt.RUN_MARKS[run.status]),
            "muted",
        )
    left = time_left(run, fmt.run_share(run), now)
    parts = [f"{measured(one.report)} candidates measured" if one.report else str(fmt.RUN_MARKS[run.status])]
    if left is not None:
        parts.append(f"{fmt.duration(left)} left")
    return title, " · ".join(parts), "busy"


def basis(report: Mapping[str, Any]) -> str:
    """What all of it is compared with: `before: 93.57%, 1.26 MB, 0.82 ms a row`."""
    before = mapping(report.get("baseline"))
    rows = mapping(report.get("rows"))
    parts = [
        fmt.percent(number(before.get("accuracy")), 2),
        fmt.size(number(before.get("size_bytes"))),
        f"{fmt.number(number(before.get('latency_ms')))} ms a row",
    ]
    counts = [f"{clean_line(str(key), 12)} {fmt.count(number(value))}" for key, value in rows.items()]
    return "Before: " + ", ".join(parts) + ("   Rows: " + ", ".join(counts) if counts else "")


def noise(report: Mapping[str, Any]) -> str:
    """`Noise (against itself): 0.98–1.02x at 1, 0.99–1.02x at 64`, the A/A control."""
    timing = mapping(report.get("timing"))
    parts = []
    for key, batch in (("aa_band_batch1", 1), ("aa_band_batch64", timing.get("batch", 64))):
        band = pair(timing.get(key))
        if band is not None:
            parts.append(f"{band[0]:.2f}–{band[1]:.2f}x at {label_of(batch)}")
    return "Noise (against itself): " + ", ".join(parts) if parts else ""


def label_of(value: Any) -> str:
    """A whole number as text."""
    found = number(value)
    return fmt.MISSING if found is None else f"{found:.0f}"
