"""Records as the JSON that scripts read. The fields are promises: add, don't rename."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any

from cloudtui.comparing import groups, spread
from cloudtui.format import rfc3339


def plain(value: Any) -> Any:
    """Anything as JSON can hold it: NaN and infinities are null, arrays are lists."""
    if value is None or isinstance(value, str | bool | int):
        return str(value) if isinstance(value, Enum) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
        return [plain(part) for part in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return str(value)


def instance(record: Any) -> dict[str, Any]:
    """A machine."""
    gpu_fields = ("name", "memory_bytes", "utilization", "memory_used_bytes", "temperature_c")
    return {
        "id": record.id,
        "name": record.name,
        "provider": record.provider,
        "wanted": record.wanted,
        "cloud_state": record.cloud_state,
        "link_state": str(record.link_state),
        "link_detail": record.link_detail,
        "address": str(record.address) if record.address.host or not record.is_rented else "",
        "root": record.root,
        "price_usd_per_hour": record.price_usd_per_hour,
        "cost_usd": record.cost_usd,
        "gpus": [{field: gpu.get(field) for field in gpu_fields} for gpu in record.gpus],
        "facts": dict(record.facts),
        "seen_at": rfc3339(record.seen_at),
        "idle_since": rfc3339(record.idle_since),
        "looked_at": rfc3339(record.looked_at),
        "created_at": rfc3339(record.created_at),
        "region": record.region,
        "zone": record.zone,
        "machine_type": record.machine_type,
        "spot": record.spot,
        "cloud_id": record.cloud_id,
        "cloud_reason": record.cloud_reason,
        "cloud_seen_at": rfc3339(record.cloud_seen_at),
        "deadline_at": rfc3339(record.deadline_at),
        "deadline_told": {one.who: {"knows": one.knows, "text": one.text} for one in record.told},
    }


def dataset(record: Any) -> dict[str, Any]:
    """A dataset version."""
    return {
        "id": record.id,
        "name": record.name,
        "version": record.version,
        "task": record.task,
        "sha256": record.sha256,
        "size_bytes": record.size_bytes,
        "splits": {name: record.splits.get(name, 0) for name in ("train", "validation", "test")},
        "classes": list(record.classes),
        "instances": list(record.instances),
        "target": dict(record.target) or None,
        "columns": list(record.columns),
        "left_out": list(record.left_out),
        "findings": list(record.findings),
        "source": record.source,
        "taken": dict(record.taken) or None,
        "created_at": rfc3339(record.created_at),
    }


def artifact(record: Any) -> dict[str, Any]:
    """A file that a run left."""
    return {
        "name": record.name,
        "kind": record.kind,
        "size_bytes": record.size_bytes,
        "sha256": record.sha256,
        "local": record.local,
        "wanted": record.wanted,
    }


def run(record: Any) -> dict[str, Any]:
    """A run."""
    return {
        "id": record.id,
        "name": record.name,
        "kind": record.kind,
        "status": str(record.status),
        "attempt": record.attempt,
        "instances": list(record.instances),
        "dataset": record.dataset,
        "task": record.task,
        "model": record.model,
        "params": dict(record.params),
        "metrics": {key: _summary(summary) for key, summary in record.metrics.items()},
        "progress": dict(record.progress),
        "stale_since": rfc3339(record.stale_since),
        "created_at": rfc3339(record.created_at),
        "started_at": rfc3339(record.started_at),
        "ended_at": rfc3339(record.ended_at),
        "duration_s": record.duration_s,
        "cost_usd": record.cost_usd,
        "exit_code": record.exit_code,
        "reason": record.reason,
        "artifacts": [artifact(one) for one in record.artifacts],
        "tags": list(record.tags),
        "note": record.note,
        "deleted_at": rfc3339(record.deleted_at),
        "checkpoint": _checkpoint(record.checkpoint),
    }


def _checkpoint(one: Any) -> dict[str, Any] | None:
    """What is kept on this machine of a run that was on another."""
    return None if one is None else {**dataclasses.asdict(one), "at": rfc3339(one.at)}


def _summary(summary: Any) -> dict[str, Any]:
    return {
        "last": summary.last,
        "best": summary.best,
        "goal": summary.goal,
        "step": summary.step,
        "count": summary.count,
        "best_step": summary.best_step,
        "min": summary.min,
        "max": summary.max,
    }


def series(record: Any) -> dict[str, Any]:
    """The points of one key."""
    return {
        "key": record.key,
        "steps": plain(record.steps),
        "values": plain(record.values),
        "times": [rfc3339(t) for t in record.times],
    }


def model(record: Any) -> dict[str, Any]:
    """A model version."""
    return {
        "id": record.id,
        "name": record.name,
        "version": record.version,
        "run": record.run_id,
        "task": record.task,
        "architecture": record.architecture,
        "dataset": record.dataset,
        "metrics": dict(record.metrics),
        "reports": dict(record.reports),
        "files": [artifact(one) for one in record.files],
        "alias": list(record.alias),
        "variant": record.variant,
        "parent": record.parent,
        "cost_usd": record.cost_usd,
        "created_at": rfc3339(record.created_at),
    }


def comparison(record: Any) -> dict[str, Any]:
    """Several runs side by side."""
    return {
        "runs": [run(one) for one in record.runs],
        "params": [{"key": d.key, "values": list(d.values), "differs": d.differs} for d in record.params],
        "metrics": [
            {"key": o.key, "goal": o.goal, "last": list(o.last), "best": list(o.best)} for o in record.metrics
        ],
        "baseline": record.runs[record.baseline].id,
        "by": record.way or None,
        "groups": [_group(record, one) for one in groups(record, record.way)] if record.way else [],
    }


def _group(record: Any, group: Any) -> dict[str, Any]:
    spreads = {one.key: spread([one.figures[place] for place in group.places]) for one in record.metrics}
    return {
        "label": group.label,
        "runs": [record.runs[place].id for place in group.places],
        "metrics": {
            key: {"n": one.n, "mean": one.mean, "deviation": one.deviation} for key, one in spreads.items()
        },
    }


def log(record: Any) -> dict[str, Any]:
    """A whole log."""
    return {"run": record.run.id, "attempt": record.attempt, "lines": list(record.lines())}


def operation(record: Any) -> dict[str, Any]:
    """What came of an operation."""
    return {"id": record.id, "kind": record.kind, "state": str(record.state), **dict(record.result)}


def engine_status(record: Any) -> dict[str, Any]:
    """The engine."""
    return {**dataclasses.asdict(record), "started_at": rfc3339(record.started_at)}


def demo(record: Any) -> dict[str, Any]:
    """What came of the demo."""
    return {
        "run": run(record.run),
        "dataset": dataset(record.dataset),
        "model": model(record.model) if record.model else None,
        "accuracy": record.accuracy,
        "confidence": {"accuracy": list(record.interval) if record.interval else None},
        "n": record.n,
        "confusions": [{"truth": t, "predicted": p, "count": n} for t, p, n in record.confusions],
        "parameters": record.parameters,
        "duration_s": record.run.duration_s,
        "files": [artifact(one) for one in record.run.artifacts],
        "evaluation": document(record.evaluation) if record.evaluation else None,
        "compression": document(record.compression) if record.compression else None,
        "reason": record.reason,
        "last_lines": list(record.last_lines),
        "next": list(record.next_commands),
    }


def exported(record: Any) -> dict[str, Any]:
    """A file that was written."""
    return {
        "model": record.model.id,
        "file": str(record.file),
        "kind": record.kind,
        "size_bytes": record.size_bytes,
        "sha256": record.sha256,
    }


def checks(records: Sequence[Any]) -> dict[str, Any]:
    """What doctor found."""
    return {
        "ok": all(check.status != "fail" for check in records),
        "checks": [dataclasses.asdict(check) for check in records],
    }


def setting(record: Any) -> dict[str, Any]:
    """A setting; of an address or a command only what is shown."""
    hidden = record.preference.kind in {"address", "command"}
    return {
        "key": record.id,
        "value": record.shown if hidden and record.value else record.value,
        "default": record.preference.default,
        "changed": record.changed,
        "allowed": record.preference.allowed,
        "help": record.preference.help,
        "problem": record.problem,
    }


_BY_TYPE: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "Instance": instance, "Dataset": dataset, "Run": run, "Series": series, "Model": model,
    "Comparison": comparison, "Log": log, "Operation": operation, "EngineStatus": engine_status,
    "DemoReport": demo, "Exported": exported, "Setting": setting,
}  # fmt: skip


def _of_jobs(name: str) -> Callable[[Any], dict[str, Any]] | None:
    from cloudtui.cli import access_texts, everyone_texts, fleet_texts, job_json, money_texts

    found: Mapping[str, Callable[[Any], dict[str, Any]]] = {
        "Evaluation": job_json.evaluation, "Compression": job_json.compression,
        "ModelDetail": job_json.model_detail, "ModelDifference": job_json.difference,
        "Cleaning": job_json.cleaning, "OperationRow": job_json.operation_row,
        "Act": job_json.act, "BudgetState": money_texts.budget_json, "CostReport": money_texts.cost_json,
        "Orphan": fleet_texts.orphan_json, "Everyone": everyone_texts.everyone_json,
        "Forwarded": access_texts.forwarded_json, "Reached": access_texts.reached_json,
        "Stopped": access_texts.stopped_json,
    }  # fmt: skip
    return found.get(name)


def document(result: Any) -> Any:
    """The one document that a command prints."""
    if isinstance(result, list):
        if result and type(result[0]).__name__ == "Check":
            return plain(checks(result))
        return [document(one) for one in result]
    name = type(result).__name__
    builder = _BY_TYPE.get(name) or _of_jobs(name)
    return plain(builder(result) if builder else dataclasses.asdict(result))
