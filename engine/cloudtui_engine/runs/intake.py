"""What journals say beside points: made safe, bounded, and written down in the caller's transaction."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.chunks import Points
from cloudtui_engine.errors import FailedError
from cloudtui_engine.records.event import PREEMPTION
from cloudtui_engine.records.facts import checked_gpus
from cloudtui_engine.records.gpu import GpuSample, samples_of
from cloudtui_engine.records.instance import NOTICED
from cloudtui_engine.records.source import Source
from cloudtui_engine.runs.columns import MAX_STEP, KeyCleaner, is_step, number
from cloudtui_engine.runs.line_shapes import LATEST
from cloudtui_engine.runs.pull_policy import Policy
from cloudtui_engine.sanitize import clean, clean_line

MAX_EVENTS = 10_000
"""Of one run; a host that tells more is not listened to, and counted."""
MAX_FILES = 10_000
MAX_REPORTS = 1_000
MAX_TEXT = 4_000
_MAX_DEPTH = 20
_PROGRESS = ("epoch", "epochs", "step", "steps", "eta_s", "rate")
_MAX_DOING = 200
_GPU = ("utilization", "memory_used_bytes", "temperature_c", "power_w")
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
NOT_FINITE = frozenset({"taken_back", "not_finite"})
"""What a job says when its numbers are none: a person may want to be told at once."""
_LEVELS = frozenset({"info", "warning", "error"})

Record = dict[str, Any]


@dataclass(slots=True)
class Intake:
    """Takes in the records of one commit.

    Args:
        catalog: inside a `write`.
        source: where they come from.
        shift: added to every time.
        clean_key: makes keys safe.
    """

    catalog: Catalog
    source: Source
    shift: float
    clean_key: KeyCleaner
    taken: list[Record] = field(default_factory=list)
    """The records that were understood, safe to use."""
    bad: int = 0
    _files: list[tuple[str, str, int, str]] = field(default_factory=list)
    _progress: Record | None = None
    _told: int | None = None

    def take(self, record: Record) -> None:
        """Take one record in; what cannot be understood is counted."""
        kind = record.get("kind")
        t = number(record.get("t"))
        made: Record | None = None
        at = 0.0
        if t is not None and 0 <= t < LATEST and isinstance(kind, str) and kind in _TAKERS:
            at = min(max(t + self.shift, 0.0), LATEST)
            made = _TAKERS[kind](self, record, at)
        if made is None:
            self.bad += 1
        else:
            self.taken.append({"kind": kind, "t": at, **made})

    def finish(self) -> None:
        """Write down what is written once a commit."""
        run, attempt = self.source.run_id, self.source.attempt
        if self._files:
            room = max(0, MAX_FILES - self.catalog.runs.count_artifacts(run, attempt))
            self.bad += max(0, len(self._files) - room)
            self._add_files(self._files[:room])
        if self._progress is not None and self.catalog.runs.newest_attempt(run) == attempt:
            self.catalog.runs.set_progress(run, self._progress)

    def _add_files(self, files: list[tuple[str, str, int, str]]) -> None:
        run, attempt = self.source.run_id, self.source.attempt
        known = self.catalog.runs.artifacts(run, attempt)
        left = Policy.of(self.catalog.runs.spec(run)).left(known, files)
        self.catalog.runs.add_artifacts(run, attempt, files, left)

    def _take_progress(self, record: Record, _t: float) -> Record | None:
        found: Record = {}
        for name in _PROGRESS:
            value = number(record.get(name))
            if value is not None and math.isfinite(value):
                found[name] = record[name] if isinstance(record[name], int | float) else value
        text = record.get("text")
        if isinstance(text, str) and (said := clean_line(text, _MAX_DOING)):
            found["text"] = said
        if found:
            self._progress = found
        return found or None

    def _take_event(self, record: Record, t: float) -> Record | None:
        name, data = self._named(record)
        if not name:
            return None
        if name == "resumed":
            self._resumed(data)
        elif name == PREEMPTION and self.source.name == "system":
            data = {**data, "attempt": self.source.attempt}
            self._noticed()
        elif name == "goals":
            self._goals(data)
        text = data.get("text")
        level = data.get("level")
        self._tell(
            level if isinstance(level, str) and level in _LEVELS else "info",
            name,
            text if isinstance(text, str) else name,
            data,
            t,
        )
        if name in NOT_FINITE:
            told = data.get("text")
            detail = told if isinstance(told, str) else ""
            self.catalog.notices.add("nan", self.source.run_id, self.source.attempt, detail, at=t)
        return {"name": name, "data": data}

    def _take_done(self, record: Record, t: float) -> Record | None:
        reason = record.get("reason")
        message = record.get("message")
        found = {
            "reason": clean_line(reason, 40) if isinstance(reason, str) else "",
            "message": clean(message[:MAX_TEXT]) if isinstance(message, str) else "",
        }
        level = "error" if found["reason"] == "failed" else "info"
        data = {**found, "attempt": self.source.attempt}
        self._tell(level, "done", found["message"] or found["reason"] or "done", data, t, always=True)
        return found

    def _take_artifact(self, record: Record, _t: float) -> Record | None:
        name, size, sha256 = record.get("name"), record.get("size_bytes"), record.get("sha256")
        kind = record.get("type")
        if (
            not isinstance(name, str)
            or not _is_safe_name(name)
            or not is_step(size)
            or not isinstance(sha256, str)
            or not _SHA256.fullmatch(sha256)
        ):
            return None
        kind = clean_line(kind, 40) if isinstance(kind, str) else ""
        self._files.append((name, kind or "file", size, sha256))
        return {"name": name, "type": kind or "file", "size_bytes": size, "sha256": sha256}

    def _take_report(self, record: Record, t: float) -> Record | None:
        name, data = self._named(record)
        run, attempt = self.source.run_id, self.source.attempt
        if not name or self.catalog.runs.count_reports(run, attempt) >= MAX_REPORTS:
            return None
        self.catalog.runs.add_report(run, attempt, name, t, data)
        return {"name": name, "data": data}

    def _named(self, record: Record) -> tuple[str, Record]:
        name, data = record.get("name"), record.get("data")
        name = clean_line(name, 200) if isinstance(name, str) else ""
        return name, safe(data) if isinstance(data, dict) else {}

    def _tell(
        self, level: str, name: str, text: str, data: Record, t: float, *, always: bool = False
    ) -> None:
        run = self.source.run_id
        if self._told is None:
            self._told = self.catalog.events.count(run, MAX_EVENTS)
        if self._told >= MAX_EVENTS and not always:
            self.bad += 1
            return
        self._told += 1
        self.catalog.events.add(run, level, name, text, data, t)

    def _resumed(self, data: Record) -> None:
        step = data.get("from_step")
        if self.source.attempt > 1 and is_step(step):
            self.catalog.runs.set_from_step(self.source.run_id, self.source.attempt, step)

    def _noticed(self) -> None:
        """The cloud takes the machine back, as the machine itself was told."""
        machine = self.catalog.instances.get(self.source.instance_id)
        if not machine.spot or machine.is_gone or machine.cloud_reason == NOTICED:
            return
        self.catalog.instances.update(machine.id, cloud_reason=NOTICED)
        text = "Its jobs save themselves and go on on another machine."
        self.catalog.notices.tell("leaving", f"{machine.id}:{machine.cloud_id}", machine.name, text)

    def _goals(self, data: Record) -> None:
        declared = {
            key: goal for raw, goal in data.items() if goal in ("min", "max") and (key := self.clean_key(raw))
        }
        if declared:
            self.catalog.metrics.declare_goals(self.source.run_id, declared)


_TAKERS = {
    "progress": Intake._take_progress,
    "event": Intake._take_event,
    "done": Intake._take_done,
    "artifact": Intake._take_artifact,
    "report": Intake._take_report,
}


def safe(value: Any, depth: int = 0) -> Any:
    """A JSON value with clean texts, without numbers that JSON cannot hold, and not too deep."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, int | None):
        return value if value is None or -MAX_STEP <= value <= MAX_STEP else float(str(value)[:300])
    if depth >= _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        return {clean(key): safe(one, depth + 1) for key, one in value.items()}
    return [safe(one, depth + 1) for one in value]


def _is_safe_name(name: str) -> bool:
    """A relative path that stays where it is put."""
    return (
        0 < len(name) <= 500
        and clean_line(name) == name
        and "\\" not in name
        and not any(part in {"", ".", ".."} for part in name.split("/"))
    )


@dataclass(slots=True)
class GpuSamples:
    """What samples tell of all GPUs of a machine."""

    t: float = 0.0
    """When the newest was, by our clock."""
    gpus: list[Record] = field(default_factory=list)
    all: list[GpuSample] = field(default_factory=list)
    """Each GPU at each moment."""
    bad: int = 0
    """Samples whose GPUs are no list."""


def gpu_columns(records: list[Record], shift: float) -> tuple[dict[str, Points], GpuSamples]:
    """The series of each GPU, and the newest sample of all of them, made safe."""
    points: dict[str, Points] = {}
    newest = GpuSamples()
    for record in records:
        step, time = record.get("seq"), number(record.get("t"))
        if not is_step(step) or time is None or not 0 <= time < LATEST:
            continue
        try:
            gpus = checked_gpus(record.get("gpus"))
        except FailedError:
            newest.bad += 1
            continue
        if gpus:
            newest.t, newest.gpus = time + shift, gpus
            newest.all += samples_of(gpus, time + shift)
        for gpu in gpus:
            for name in _GPU:
                if gpu.get(name) is not None:
                    column = points.setdefault(f"gpu{gpu['index']}/{name}", Points.empty())
                    column.steps.append(step)
                    column.times.append(time + shift)
                    column.values.append(gpu[name])
    return points, newest
