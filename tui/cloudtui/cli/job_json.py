"""Evaluations, compressions and what hangs on a model, as the JSON that scripts read: add, don't rename."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui.cli.json_fields import model, plain
from cloudtui.format import rfc3339

_EVALUATION: Mapping[str, Any] = {
    "task": None, "n": None, "metrics": {}, "confidence": {}, "classes": [], "confusion": [], "errors": [],
}  # fmt: skip
_COMPRESSION: Mapping[str, Any] = {
    "task": None, "max_drop": None, "rows": {}, "baseline": {}, "variants": [], "chosen": None,
}  # fmt: skip


def evaluation(record: Any) -> dict[str, Any]:
    """One evaluation; what else its report holds is there, too."""
    return {
        **_EVALUATION,
        **record.report,
        "model": record.model,
        "dataset": record.dataset,
        "split": record.split,
        "run": record.run_id,
        "at": rfc3339(record.t),
    }


def compression(record: Any) -> dict[str, Any]:
    """One compression, as far as it was measured."""
    return {
        **_COMPRESSION,
        **record.report,
        "model": record.model,
        "dataset": record.dataset,
        "run": record.run_id,
        "status": str(record.status),
        "at": rfc3339(record.t),
    }


def difference(record: Any) -> dict[str, Any]:
    """Two evaluations on the same rows; `paired` where both could be held against each other row by row."""
    pair = record.paired
    return {
        "model": record.first.model,
        "other": record.second.model,
        "dataset": record.first.dataset,
        "split": record.first.split,
        "n": record.rows,
        "runs": [record.first.run_id, record.second.run_id],
        "metrics": {one.key: _figure(one) for one in record.metrics},
        "classes": [
            {"label": one.label, "support": one.rows, **{part.key: _figure(part) for part in one.figures}}
            for one in record.classes
        ],
        "labels": list(record.labels),
        "confusion": record.cells,
        "paired": None if pair is None else {
            "delta": pair.delta, "delta_ci": [pair.low, pair.high], "mcnemar_p": pair.p, "n": pair.n,
            "only_model": pair.only_baseline, "only_other": pair.only_variant,
            "rows_needed_half_point": record.could,
        },
        "paired_errors": None if record.errors is None else {
            "n": record.errors.n,
            **{key: {"delta": gap.delta, "delta_ci": [gap.low, gap.high]}
               for key, gap in (("mae", record.errors.mae), ("rmse", record.errors.rmse))},
            "closer_model": record.errors.closer_first, "closer_other": record.errors.closer_second,
        },
        "untold": record.untold,
    }  # fmt: skip


def _figure(one: Any) -> dict[str, Any]:
    return {"model": one.first, "other": one.second, "delta": one.delta, "better": one.better}


def model_detail(record: Any) -> dict[str, Any]:
    """A model version with all that hangs on it."""
    return {
        **model(record.model),
        "evaluations": [plain(evaluation(one)) for one in record.evaluations],
        "compressions": [plain(compression(one)) for one in record.compressions],
        "variants": [model(one) for one in record.children],
        "lineage": list(record.lineage),
    }


def cleaning(record: Any) -> dict[str, Any]:
    """What may go from a machine, or has gone."""
    return {
        "instance": record.instance,
        "removed": record.removed,
        "bytes": record.bytes,
        "entries": [
            {"name": one.name, "size_bytes": one.size_bytes, "goes": one.goes, "why": one.why}
            for one in record.entries
        ],
        "untouched": list(record.untouched),
    }


def operation_row(record: Any) -> dict[str, Any]:
    """One operation as it stands."""
    return {
        "id": record.id,
        "kind": record.kind,
        "target": record.target,
        "about": record.about,
        "state": record.state,
        "args": dict(record.args),
        "progress": dict(record.progress),
        "question": dict(record.question),
        "result": dict(record.result),
        "error": dict(record.error) or None,
        "created_at": rfc3339(record.created_at),
        "started_at": rfc3339(record.started_at),
        "ended_at": rfc3339(record.ended_at),
    }


def act(record: Any) -> dict[str, Any]:
    """Something that was done, and how it ended."""
    return {
        "at": rfc3339(record.t), "action": record.action, "command": record.command, "by": record.by,
        "state": record.state, "message": record.message, "ended_at": rfc3339(record.ended_at),
        "operations": list(record.operations),
    }  # fmt: skip
