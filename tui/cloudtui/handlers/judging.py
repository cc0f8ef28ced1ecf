"""Evaluating and compressing a model: jobs on a machine, waited for; ctrl-c leaves them running."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui.handlers import instance as instances
from cloudtui.handlers import values
from cloudtui.handlers.follow import follow_run, wait_for_files, why_it_failed
from cloudtui.handlers.session import Session
from cloudtui.handlers.start import accepted
from cloudtui_engine.errors import FailedError, UsageError
from cloudtui_engine.records.compression import Compression
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.evaluation import Evaluation
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Run, RunState


def evaluate(
    session: Session, model: str, dataset: str | None = None, on: str = "local", split: str = "test"
) -> Evaluation | Run:
    """Measure a model on the rows of a split; the desktop gets the run and does not wait."""
    from cloudtui_engine.runs import commands

    found = session.catalog.models.find(model)
    run = commands.start_evaluation(
        session.catalog,
        model=found,
        dataset=data_of(session, found, dataset),
        instance=instances.find(session, on),
        split=split,
    )
    run = _waited(session, run)
    return run if not session.wait else evaluation_of(session, found, run)


def compress(
    session: Session,
    model: str,
    *,
    dataset: str | None = None,
    max_drop: float = 0.5,
    on: str = "local",
    params: Mapping[str, Any] | None = None,
) -> Compression | Run:
    """Make smaller variants and judge them; the desktop gets the run and does not wait."""
    from cloudtui_engine.runs import commands

    found = session.catalog.models.find(model)
    run = commands.start_compression(
        session.catalog,
        model=found,
        dataset=data_of(session, found, dataset),
        instance=instances.find(session, on),
        max_drop=max_drop,
        params=values.params(params),
    )
    run = _waited(session, run)
    if not session.wait:
        return run
    wait_for_files(session, run)
    return compression_of(session, found, run)


def data_of(session: Session, model: Model, text: str | None) -> Dataset:
    """The dataset that was named, or the one that the model learned from.

    Raises:
        UsageError: none was named, and the model's own is not known.
    """
    if text:
        return session.catalog.datasets.find(text)
    dataset_id = session.catalog.runs.get(model.run_id).dataset_id
    if dataset_id is None:
        raise UsageError(f"It is not known what {model.label} learned from.", "Name the data with --dataset.")
    return session.catalog.datasets.get(dataset_id)


def evaluation_of(session: Session, model: Model, run: Run) -> Evaluation:
    """What an evaluation found.

    Raises:
        FailedError: it left no report.
    """
    found = [one for one in session.catalog.models.evaluations(model.id) if one.run_id == run.id]
    if not found:
        raise _no_report(run)
    return found[0]


def compression_of(session: Session, model: Model, run: Run) -> Compression:
    """What a compression found.

    Raises:
        FailedError: it left no report.
    """
    found = [one for one in session.catalog.models.compressions(model.id) if one.run_id == run.id]
    if not found or not found[0].report:
        raise _no_report(run)
    return found[0]


def _waited(session: Session, run: Run) -> Run:
    """The run once it is accepted, or, for those who wait, once it has succeeded.

    Raises:
        FailedError: it ended otherwise; the message is its own.
    """
    run = accepted(session, run, follow=False)
    if not session.wait:
        return run
    run = follow_run(session, run)
    if run.status is not RunState.SUCCEEDED:
        raise FailedError(
            f"{run.name} {'was stopped' if run.status is RunState.STOPPED else run.status}:"
            f" {why_it_failed(session, run)}",
            f"Its log says more: cloudtui run logs {run.id}",
            code=str(run.status),
        )
    return run


def _no_report(run: Run) -> FailedError:
    return FailedError(
        f"{run.name} left no report.", f"Its log says more: cloudtui run logs {run.id}", code="no_report"
    )
