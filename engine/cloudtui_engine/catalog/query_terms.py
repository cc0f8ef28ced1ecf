"""The fields of the filter language, and one condition on one of them as SQL. Pure.

A function that cannot do what is asked returns a sentence about it; the parser knows the place to go with it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from cloudtui_engine.records.run import FINISHED, RunState

Sql = tuple[str, list[object]]

DURATION = "(r.past_s + COALESCE(r.ended_at, (julianday('now') - 2440587.5) * 86400.0) - r.since)"
AGGREGATES = {
    "last": "last", "min": "vmin", "max": "vmax", "best": "best", "step": "last_step", "count": "n",
}  # fmt: skip
_TEXTS = {
    "name": "r.name",
    "note": "r.note",
    "id": "r.id",
    "kind": "r.kind",
    "status": "r.status",
    "task": "r.task",
    "model": "r.model",
    "reason": "r.reason",
    "dataset": "(SELECT d.name FROM dataset d WHERE d.id = r.dataset_id)",
}
_MANY = {
    "tag": ("tag AS x WHERE x.run = r.seq", "x.tag"),
    "on": ("placement AS p JOIN instance AS x ON x.id = p.instance_id WHERE p.run = r.seq", "x.name"),
    "gpu": (
        "placement AS p JOIN instance AS x ON x.id = p.instance_id"
        " JOIN json_each(CASE WHEN json_valid(x.gpus) THEN x.gpus ELSE '[]' END) AS g WHERE p.run = r.seq",
        "json_extract(x.gpus, g.fullkey || '.name')",
    ),
}
_NUMBERS = {"duration": DURATION, "attempt": "r.attempt", "exit_code": "r.exit_code", "cost": "r.cost_usd"}
_TIMES = {"created": "r.created_at", "started": "r.started_at", "ended": "r.ended_at"}
FIELDS = {
    **dict.fromkeys(_TEXTS, "text"),
    **dict.fromkeys(_MANY, "many"),
    **dict.fromkeys(_NUMBERS, "number"),
    **dict.fromkeys(_TIMES, "time"),
}
"""The kind of every field that has a name of its own."""
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SQL = {"==": "="}


@dataclass(frozen=True, slots=True)
class Field:
    """What is compared: `kind` is text, many, number, time, param or metric."""

    kind: str
    name: str
    sql: str = ""


def field_of(text: str, unquote: Callable[[str], str]) -> Field | str:
    """The field that a word names."""
    head, dot, rest = text.partition(".")
    head = head.lower()
    if dot and head == "param" and rest:
        return Field("param", unquote(rest))
    if dot and head == "metric" and rest:
        key, _, aggregate = rest.rpartition(".")
        if key and aggregate in AGGREGATES:
            return Field("metric", unquote(key), AGGREGATES[aggregate])
        return Field("metric", unquote(rest), "last")
    for kind, names in (("text", _TEXTS), ("number", _NUMBERS), ("time", _TIMES)):
        if not dot and head in names:
            return Field(kind, head, names[head])
    if not dot and head in _MANY:
        return Field("many", head)
    known = ", ".join(sorted({*_TEXTS, *_MANY, *_NUMBERS, *_TIMES}))
    return f"there is no field {text!r}; try metric. or param. (or one of {known})"


def bare(text: str) -> Sql:
    """A word alone: somewhere in name, note or a tag."""
    like = _like(text)
    return (
        "(r.name LIKE ? ESCAPE '\\' OR r.note LIKE ? ESCAPE '\\'"
        " OR EXISTS (SELECT 1 FROM tag AS x WHERE x.run = r.seq AND x.tag LIKE ? ESCAPE '\\'))",
        [like, like, like],
    )


def compare(field: Field, operator: str, value: str) -> Sql | str:
    """One comparison."""
    operator = _SQL.get(operator, operator)
    if operator in {"!=", "!~"}:
        positive = compare(field, {"!=": "=", "!~": "~"}[operator], value)
        return positive if isinstance(positive, str) else (f"NOT {positive[0]}", positive[1])
    if field.kind in {"text", "many"}:
        return _text(field, operator, value)
    if field.kind == "param":
        return _param(field, operator, value)
    return _number(field, operator, value)


def _number(field: Field, operator: str, value: str) -> Sql | str:
    number = _time(value) if field.kind == "time" else number_of(value)
    if number is None:
        wanted = "a date like 2026-01-31" if field.kind == "time" else "a number"
        return f"{field.name} needs {wanted}, not {value!r}"
    if operator == "~":
        return f"{field.name} is a number: `~` is for text"
    if field.kind == "metric":
        return (
            "EXISTS (SELECT 1 FROM summary u WHERE u.run = r.seq AND u.metric = (SELECT id FROM metric"
            " WHERE key = ?)"
            f" AND u.{field.sql} {operator} ?)",
            [field.name, number],
        )
    return f"COALESCE({field.sql} {operator} ?, 0)", [number]


def membership(field: Field, values: list[str]) -> Sql | str:
    """One of several values."""
    parts = []
    for value in values:
        part = compare(field, "=", value)
        if isinstance(part, str):
            return part
        parts.append(part)
    return f"({' OR '.join(sql for sql, _ in parts)})", [value for _, found in parts for value in found]


def span(field: Field, low: str, high: str) -> Sql | str:
    """From one value to another, both included; either may be left out."""
    parts = []
    for operator, value in ((">=", low), ("<=", high)):
        if value:
            part = compare(field, operator, value)
            if isinstance(part, str):
                return part
            parts.append(part)
    if not parts:
        return "a range needs an end"
    return f"({' AND '.join(sql for sql, _ in parts)})", [value for _, found in parts for value in found]


def number_of(text: str) -> float | None:
    """A number, or a duration like `90m` in seconds."""
    match = re.fullmatch(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)([smhd]?)", text, re.IGNORECASE | re.ASCII)
    if match is None:
        return None
    number = float(match[1]) * _UNITS.get(match[2].lower(), 1.0)
    return number if math.isfinite(number) else None


def _time(text: str) -> float | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _text(field: Field, operator: str, value: str) -> Sql | str:
    if operator not in {"=", "~"}:
        return f"{field.name} is text: it can be compared with `:`, `=`, `!=`, `~` and `!~`"
    if field.name == "status" and operator == "=":
        return _status(value)
    test, wanted = ("= ?", value) if operator == "=" else ("LIKE ? ESCAPE '\\'", _like(value))
    if field.kind == "many":
        source, column = _MANY[field.name]
        if field.name == "gpu" and operator == "=":
            # Its words: `gpu:A100` is a NVIDIA A100-SXM4-80GB, and an A10 is none.
            column, test = f"' ' || replace({column}, '-', ' ') || ' '", "LIKE ? ESCAPE '\\'"
            wanted = _like(f" {' '.join(value.replace('-', ' ').split())} ")
        return f"EXISTS (SELECT 1 FROM {source} AND {column} {test})", [wanted]
    return f"COALESCE({field.sql} {test}, 0)", [wanted]


def _status(value: str) -> Sql | str:
    value = value.lower()
    groups = {"live": [s for s in RunState if s not in FINISHED], "finished": sorted(FINISHED)}
    states = groups.get(value) or [state for state in RunState if state == value]
    if not states:
        return f"there is no status {value!r} (there are live, finished, {', '.join(RunState)})"
    return f"r.status IN ({','.join('?' * len(states))})", [str(state) for state in states]


def _param(field: Field, operator: str, value: str) -> Sql | str:
    number = number_of(value) if value[-1:].lower() not in _UNITS else None
    exists = "EXISTS (SELECT 1 FROM param x WHERE x.run = r.seq AND x.key = ? AND {})"
    if operator == "~":
        return exists.format("x.text LIKE ? ESCAPE '\\'"), [field.name, _like(value)]
    if operator == "=":
        if number is None:
            return exists.format("x.text = ?"), [field.name, value]
        return exists.format("(x.num = ? OR x.text = ?)"), [field.name, number, value]
    if number is None:
        return exists.format(f"x.num IS NULL AND x.text {operator} ?"), [field.name, value]
    return exists.format(f"x.num {operator} ?"), [field.name, number]


def _like(text: str) -> str:
    # SQLite reads a pattern up to a NUL only. Kept texts have no control characters: one of them finds none.
    escaped = re.sub(r"([\\%_])", r"\\\1", text.replace("\0", "\x01"))
    return f"%{escaped}%"
