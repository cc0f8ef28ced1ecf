"""Records as text: ages, durations, money, numbers, sizes, states. Pure, and the same on both faces."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cloudtui_engine.records.instance import LinkState
from cloudtui_engine.records.operation import OperationState
from cloudtui_engine.records.run import Checkpoint, Run, RunState
from cloudtui_engine.sanitize import clean_line

MISSING = "–"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_LATEST = 4102444800.0
"""The year 2100, in seconds since the epoch."""
_BARS = "▁▂▃▄▅▆▇"


@dataclass(frozen=True, slots=True)
class Mark:
    """A state as a person sees it: a glyph, a word, and a tone: good, busy, warn, bad, quiet."""

    glyph: str
    word: str
    tone: str

    def __str__(self) -> str:
        return f"{self.glyph} {self.word}"


RUN_MARKS: Mapping[RunState, Mark] = {
    RunState.QUEUED: Mark("◌", "queued", "quiet"),
    RunState.STAGING: Mark("◌", "staging", "busy"),
    RunState.STARTING: Mark("◌", "starting", "busy"),
    RunState.RUNNING: Mark("●", "running", "busy"),
    RunState.STOPPING: Mark("●", "stopping", "warn"),
    RunState.SUCCEEDED: Mark("✓", "succeeded", "good"),
    RunState.FAILED: Mark("✗", "failed", "bad"),
    RunState.STOPPED: Mark("■", "stopped", "quiet"),
    RunState.LOST: Mark("?", "lost", "bad"),
}
LINK_MARKS: Mapping[LinkState, Mark] = {
    LinkState.DOWN: Mark("○", "not connected", "quiet"),
    LinkState.CONNECTING: Mark("◌", "connecting", "busy"),
    LinkState.UP: Mark("●", "ready", "good"),
    LinkState.SILENT: Mark("●", "silent", "warn"),
    LinkState.REFUSED: Mark("✗", "refused", "bad"),
    LinkState.KEY_CHANGED: Mark("⚠", "key changed", "bad"),
    LinkState.NEEDS_YOU: Mark("⚠", "needs you", "warn"),
}
OPERATION_MARKS: Mapping[OperationState, Mark] = {
    OperationState.PENDING: Mark("◌", "waiting", "quiet"),
    OperationState.RUNNING: Mark("●", "at work", "busy"),
    OperationState.NEEDS_YOU: Mark("⚠", "needs you", "warn"),
    OperationState.DONE: Mark("✓", "done", "good"),
    OperationState.FAILED: Mark("✗", "failed", "bad"),
    OperationState.CANCELLED: Mark("■", "cancelled", "quiet"),
}
ACT_MARKS: Mapping[str, Mark] = {
    **{str(state): mark for state, mark in OPERATION_MARKS.items()},
    "begun": Mark("◌", "begun", "quiet"),
    "interrupted": Mark("■", "interrupted", "warn"),
}
"""How something ended that somebody did; `begun` stays where the program was killed."""


def age(seconds: float | None) -> str:
    """`3s`, `4m`, `2h`, `5d`; a clock that ran backwards is `0s`."""
    if seconds is None or not math.isfinite(seconds) or seconds > _LATEST:
        return MISSING
    left = max(0, int(seconds))
    if left < _MINUTE:
        return f"{left}s"
    if left < _HOUR:
        return f"{left // _MINUTE}m"
    if left < 2 * _DAY:
        return f"{left // _HOUR}h"
    return f"{left // _DAY}d"


def since(then: float | None, now: float) -> str:
    """The age of a moment."""
    return age(None if then is None else now - then)


def duration(seconds: float | None) -> str:
    """`12m 03s`, `2h 05m`, `3d 04h`: two units, the second in two digits: columns stand still."""
    if seconds is None or not math.isfinite(seconds) or seconds > _LATEST:
        return MISSING
    left = max(0, round(seconds))
    if left < _HOUR:
        return f"{left // _MINUTE}m {left % _MINUTE:02}s"
    if left < _DAY:
        return f"{left // _HOUR}h {left % _HOUR // _MINUTE:02}m"
    return f"{left // _DAY}d {left % _DAY // _HOUR:02}h"


def money(dollars: float | None) -> str:
    """Two decimals, thousands set apart; never a rounded 0.00 for what costs something."""
    if dollars is None or not math.isfinite(dollars):
        return MISSING
    return "<0.01" if 0 < dollars < 0.005 else f"{dollars:,.2f}"


def number(value: float | None) -> str:
    """Four significant digits: `0.9134`, `12.35`, `1,234`, `1.235e-05`."""
    if value is None:
        return MISSING
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    rounded = float(f"{value:.3e}")
    if 1e-4 <= abs(rounded) < 1e6:
        digits = max(0, 3 - math.floor(math.log10(abs(rounded))))
        return f"{value:,.0f}" if abs(rounded) >= 1000 else f"{value:.{digits}f}"
    return f"{value:.3e}"


def count(value: float | None) -> str:
    """A whole number with its thousands set apart."""
    return MISSING if value is None or not math.isfinite(value) else f"{round(value):,}"


def size(count_bytes: float | None) -> str:
    """`812 B`, `1.24 MB`, `41 GB`: three digits, powers of a thousand."""
    if count_bytes is None or not math.isfinite(count_bytes):
        return MISSING
    value = float(count_bytes)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(value) < 999.5 or unit == "TB":
            break
        value /= 1000
    if unit == "B" or abs(value) >= 99.95:
        return f"{value:.0f} {unit}"
    return f"{value:.1f} {unit}" if abs(value) >= 9.995 else f"{value:.2f} {unit}"


def percent(share: float | None, digits: int = 0) -> str:
    """A share of one as percent."""
    return MISSING if share is None or not math.isfinite(share) else f"{share * 100:.{digits}f}%"


def taken(said: Mapping[str, Any]) -> str:
    """Which state of a dataset's source in a store of objects it was; empty where it is in none."""
    if not said:
        return ""
    names = (("version", "version"), ("etag", "ETag"), ("listing", "listing sha256"))
    parts = [f"{word} {clean_line(str(said[name]), 80)}" for name, word in names if said.get(name)]
    count_of = f"{count(said.get('objects'))} objects, " if "listing" in said else ""
    return ", ".join([f"{count_of}{size(said.get('bytes'))}", *parts])


def moment(t: float | None) -> str:
    """A moment in this machine's time zone, to the minute."""
    at = _datetime(t)
    return MISSING if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M")


def checkpoint(found: Checkpoint | None) -> str:
    """What is kept here of a run: `step 1,200 · 41 MB · 2026-11-21 14:02`; empty where nothing is."""
    if found is None:
        return ""
    known = [f"step {count(found.step)}"] if found.step is not None else []
    return " · ".join([*known, size(found.size_bytes), moment(found.at)])


def rfc3339(t: float | None) -> str | None:
    """A moment as scripts read it: UTC, milliseconds; None for what is no time."""
    at = _datetime(t)
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _datetime(t: float | None) -> datetime | None:
    """Times may be a host's word: one that no calendar has must not break the list that it stands in."""
    return datetime.fromtimestamp(t, UTC) if t is not None and 0 <= t <= _LATEST else None


def spark(values: Sequence[float], width: int = 10) -> str:
    """A curve in one line; what is not finite is a gap."""
    shown = list(values)[-width:]
    finite = [value for value in shown if math.isfinite(value)]
    if not finite:
        return MISSING
    low, high = min(finite), max(finite)
    span = (high - low) or 1.0
    steps = len(_BARS) - 1
    return "".join(_BARS[round((v - low) / span * steps)] if math.isfinite(v) else " " for v in shown)


def run_state(run: Run, now: float) -> str:
    """Glyph and word of a run; a live one that no link confirms says for how long."""
    mark = str(RUN_MARKS[run.status])
    if run.stale_since is not None and not run.status.is_finished:
        return f"{mark}, stale {since(run.stale_since, now)}"
    return mark


def run_progress(run: Run) -> str:
    """`7/30`: epochs, else steps."""
    for done, total in (("epoch", "epochs"), ("step", "steps")):
        value, whole = run.progress.get(done), run.progress.get(total)
        if isinstance(value, int | float):
            return f"{count(value)}/{count(whole)}" if isinstance(whole, int | float) else count(value)
    return MISSING


def run_share(run: Run) -> float | None:
    """How much of a run is done, from 0 to 1; None where it does not say."""
    for done, total in (("step", "steps"), ("epoch", "epochs")):
        value, whole = run.progress.get(done), run.progress.get(total)
        if isinstance(value, int | float) and isinstance(whole, int | float) and whole > 0:
            return min(1.0, max(0.0, value / whole))
    return None


def elapsed(run: Run, now: float) -> float | None:
    """Seconds that it took, or has taken so far."""
    if run.duration_s is not None:
        return run.duration_s
    if run.started_at is None:
        return None
    return (now if run.ended_at is None else run.ended_at) - run.started_at


def setting(value: Any) -> str:
    """A hyperparameter's value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value)
    return MISSING if value is None else clean_line(str(value))


def gpus(found: Sequence[Mapping[str, Any]]) -> str:
    """`A100 80GB`, `RTX 4090 x2`, or `–`."""
    names = [clean_line(str(gpu.get("name", "GPU")), 40) for gpu in found]
    kinds = [
        f"{name} x{names.count(name)}" if names.count(name) > 1 else name for name in dict.fromkeys(names)
    ]
    return ", ".join(kinds) or MISSING
