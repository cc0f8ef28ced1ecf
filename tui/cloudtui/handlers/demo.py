"""The main job on this machine with real data: train, evaluate, compress, and say what came of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace

from cloudtui.handlers import instance as instances
from cloudtui.handlers import judging
from cloudtui.handlers.demo_report import confusions_of, interval_of, parameters
from cloudtui.handlers.follow import follow_run, wait_for_files, why_it_failed
from cloudtui.handlers.logs import open_log
from cloudtui.handlers.session import Session
from cloudtui.handlers.start import accepted
from cloudtui.reported import mapping, number
from cloudtui_engine.errors import CloudtuiError, NotFoundError, UsageError
from cloudtui_engine.records.compression import Compression
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.evaluation import Evaluation
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Run, RunState

DATASET = "digits"
_LAST_LINES = 12


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
    evaluation: Evaluation | None = None
    compression: Compression | None = None
    opens_desktop: bool = False
    """The run has just begun, and the desktop shows how it goes on."""


def demo(
    session: Session, headless: bool = False, epochs: int | None = None, max_drop: float = 0.5
) -> DemoReport:
    """Train on the built-in digits, evaluate, compress; where the desktop shows it, the engine goes on."""
    from cloudtui_engine.runs import commands, follow_up

    if epochs is not None and epochs < 1:
        raise UsageError("--epochs wants a number from 1.")
    on_desktop = not session.wait or (session.interactive and not headless and sys.stdout.isatty())
    dataset = _dataset(session)
    run = commands.start_training(
        session.catalog,
        dataset=dataset,
        instances=[instances.find(session, "local")],
        params={} if epochs is None else {"epochs": epochs},
        name=_free_name(session),
        then=follow_up.plan(follow_up.JOBS, max_drop) if on_desktop else (),
    )
    run = accepted(session, run, follow=False)
    if on_desktop:
        return DemoReport(run, dataset, opens_desktop=True)
    run = follow_run(session, run)
    if run.status is not RunState.SUCCEEDED:
        return _failed(session, run, dataset)
    run = wait_for_files(session, run)
    model = next(iter(session.catalog.models.of_run(run.id)), None)
    if model is None:
        return _failed(session, run, dataset)
    return _judged(session, _report(session, run, dataset, model), model, max_drop)


def _judged(session: Session, report: DemoReport, model: Model, max_drop: float) -> DemoReport:
    """The report with the evaluation and the compression; one that fails says why, and the rest stands."""
    evaluation = compression = None
    try:
        evaluation = judging.evaluate(session, model.id)
        compression = judging.compress(session, model.id, max_drop=max_drop)
    except CloudtuiError as error:
        if error.exit_status != CloudtuiError.exit_status:
            raise
        report = replace(report, reason=f"{error.message} {error.hint}".strip())
    return replace(
        report,
        evaluation=evaluation if isinstance(evaluation, Evaluation) else None,
        compression=compression if isinstance(compression, Compression) else None,
    )


def _dataset(session: Session) -> Dataset:
    try:
        return session.catalog.datasets.find(DATASET)
    except NotFoundError:
        from cloudtui.handlers import dataset as datasets

        session.on_progress("Preparing the digits", None)
        return datasets.add_here(session, DATASET, DATASET)


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


def _report(session: Session, run: Run, dataset: Dataset, model: Model) -> DemoReport:
    found = session.catalog.runs.reports(run.id)
    test = found.get("evaluation/test") or found.get("evaluation/validation") or {}
    accuracy = number(mapping(test.get("metrics")).get("accuracy"))
    n = number(test.get("n"))
    return DemoReport(
        run,
        dataset,
        model=model,
        accuracy=accuracy,
        interval=interval_of(test, accuracy, n),
        n=int(n) if n is not None else None,
        confusions=confusions_of(test),
        parameters=parameters(run),
        next_commands=(
            f"cloudtui run show {run.name}",
            f"cloudtui model show {model.name}",
            f"cloudtui model export {model.name} model.onnx",
            f"cloudtui run again {run.name} --set epochs=20 --follow",
            "cloudtui",
        ),
    )
