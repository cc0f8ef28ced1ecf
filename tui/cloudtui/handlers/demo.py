"""The main job on this machine with real data: train, evaluate, keep the model, and say how good it is."""

from __future__ import annotations

import json
import math
import os
import struct
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudtui.handlers import instance as instances
from cloudtui.handlers.follow import follow_run, wait_for_files, why_it_failed
from cloudtui.handlers.logs import open_log
from cloudtui.handlers.session import Session
from cloudtui.handlers.start import accepted
from cloudtui_engine.errors import NotFoundError, UsageError
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.sanitize import clean_line

DATASET = "digits"
_LAST_LINES = 12
_LONGEST_HEADER = 16 * 1024 * 1024
_HIGHLIGHTS = 3


@dataclass(frozen=True, slots=True)
class DemoReport:
    """What came of it."""

    run: Run
    dataset: Dataset
    model: Model | None = None
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    """95%, by Wilson's method."""
    n: int | None = None
    confusions: tuple[tuple[str, str, int], ...] = ()
    """The most frequent mistakes: truth, predicted, how often."""
    parameters: int | None = None
    reason: str = ""
    last_lines: tuple[str, ...] = ()
    next_commands: tuple[str, ...] = field(default=())
    opens_desktop: bool = False
    """The run has just begun, and the desktop shows how it goes on."""


def demo(session: Session, headless: bool = False, epochs: int | None = None) -> DemoReport:
    """Train on the built-in digits; wait for the result, or leave that to the desktop."""
    from cloudtui_engine.runs import commands

    if epochs is not None and epochs < 1:
        raise UsageError("--epochs wants a number from 1.")
    dataset = _dataset(session)
    run = commands.start_training(
        session.catalog,
        dataset=dataset,
        instances=[instances.find(session, "local")],
        params={} if epochs is None else {"epochs": epochs},
        name=_free_name(session),
    )
    run = accepted(session, run, follow=False)
    if not session.wait or (session.interactive and not headless and sys.stdout.isatty()):
        return DemoReport(run, dataset, opens_desktop=True)
    run = follow_run(session, run)
    if run.status is not RunState.SUCCEEDED:
        return _failed(session, run, dataset)
    return _report(session, wait_for_files(session, run), dataset)


def _dataset(session: Session) -> Dataset:
    try:
        return session.catalog.datasets.find(DATASET)
    except NotFoundError:
        from cloudtui.handlers import dataset as datasets

        session.on_progress("Preparing the digits", None)
        return datasets.add(session, DATASET, DATASET)


def _free_name(session: Session) -> str:
    from cloudtui_engine.catalog import RunQuery

    query = RunQuery(limit=1000, metrics=False)
    taken = {run.name for run in session.catalog.runs.list(query)}
    number = 1
    while f"demo-{number}" in taken:
        number += 1
    return f"demo-{number}"


def _failed(session: Session, run: Run, dataset: Dataset) -> DemoReport:
    log = open_log(session, run, follow=False, tail=_LAST_LINES, attempt=None)
    return DemoReport(
        run,
        dataset,
        reason=why_it_failed(session, run),
        last_lines=tuple(log.lines()),
        next_commands=(f"cloudtui run logs {run.name}", f"cloudtui run again {run.name}", "cloudtui doctor"),
    )


def _report(session: Session, run: Run, dataset: Dataset) -> DemoReport:
    found = session.catalog.runs.reports(run.id)
    test = found.get("evaluation/test") or found.get("evaluation/validation") or {}
    accuracy = _number((test.get("metrics") or {}).get("accuracy"))
    n = _number(test.get("n"))
    model = next((one for one in session.catalog.models.list() if one.run_id == run.id), None)
    return DemoReport(
        run,
        dataset,
        model=model,
        accuracy=accuracy,
        interval=_interval(test, accuracy, n),
        n=int(n) if n is not None else None,
        confusions=_confusions(test),
        parameters=parameters(run),
        next_commands=(
            f"cloudtui run show {run.name}",
            f"cloudtui model export {model.name if model else 'MODEL'} model.onnx",
            f"cloudtui run again {run.name} --set epochs=20 --follow",
            "cloudtui",
        ),
    )


def wilson(right: float, n: float) -> tuple[float, float]:
    """The 95% score interval of a share."""
    z = 1.959963984540054
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _interval(test: Mapping[str, Any], accuracy: float | None, n: float | None) -> tuple[float, float] | None:
    given = (test.get("confidence") or {}).get("accuracy")
    if (
        isinstance(given, list)
        and len(given) == 2
        and None not in (low_high := [_number(one) for one in given])
    ):
        low, high = low_high
        assert low is not None  # noqa: S101 - looked at above
        assert high is not None  # noqa: S101
        return low, high
    return wilson(accuracy * n, n) if accuracy is not None and n else None


def _confusions(test: Mapping[str, Any]) -> tuple[tuple[str, str, int], ...]:
    labels = [
        clean_line(str(one.get("label", "?")), 40)
        for one in test.get("classes") or ()
        if isinstance(one, dict)
    ]
    rows = test.get("confusion") or ()
    found: Counter[tuple[str, str]] = Counter()
    for i, row in enumerate(rows[: len(labels)]):
        for j, count in enumerate(row[: len(labels)]):
            if i != j and isinstance(count, int) and count > 0:
                found[labels[i], labels[j]] = count
    return tuple((truth, predicted, count) for (truth, predicted), count in found.most_common(_HIGHLIGHTS))


def parameters(run: Run) -> int | None:
    """How many numbers the model has, by the header of its file; None where the file is not here."""
    path = next((a.local for a in run.artifacts if a.name.endswith(".safetensors") and a.local), None)
    if path is None:
        return None
    try:
        with Path(path).open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(_LONGEST_HEADER, os.fstat(file.fileno()).st_size):
                return None
            header = json.loads(file.read(length))
            # Counters and running averages are kept in the file and are not learned.
            shapes = [
                entry["shape"]
                for name, entry in header.items()
                if name != "__metadata__"
                and not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
            ]
            return sum(int(math.prod(shape)) for shape in shapes)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):
        return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
