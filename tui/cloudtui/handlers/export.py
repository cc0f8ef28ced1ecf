"""Runs as files for others: a report, the points, or the records."""

from __future__ import annotations

import getpass
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudtui.handlers.session import Session
from cloudtui.handlers.writing import target_of, write_whole
from cloudtui_engine.errors import UsageError
from cloudtui_engine.records.run import Run

BUCKETS = 400
"""Stretches of a curve in a report: more than its drawing has pixels a line."""
_EVALUATION = "evaluation/"


@dataclass(frozen=True, slots=True)
class Written:
    """A file that was written about some runs."""

    file: Path
    format: str
    runs: tuple[str, ...]
    """Their ids."""
    size_bytes: int


def export(session: Session, runs: Sequence[str], file: str, yes: bool = False) -> Written:
    """Write a report, the points or the records of runs; the ending of the file chooses which.

    Raises:
        UsageError: the ending is none of them, or the file is a folder.
        RefusedError: the file is there, and `yes` was not said.
        FailedError: it cannot be written.
    """
    ending = Path(file).suffix.lower()
    if ending not in _FORMATS:
        raise UsageError(
            f"A run cannot be exported as '{ending or Path(file).name}'.",
            f"The ending chooses: {', '.join(_FORMATS)}.",
        )
    target = target_of(file, replace=yes)
    found = list({run.id: run for run in (session.catalog.runs.find(text) for text in runs)}.values())
    size = write_whole(target, _FORMATS[ending](session, found))
    return Written(target, ending[1:], tuple(run.id for run in found), size)


def _html(session: Session, runs: Sequence[Run]) -> str:
    from cloudtui.reporting.report import report

    return report([reported(session, run) for run in runs], scrub_for(session, runs), time.time())


def _csv(session: Session, runs: Sequence[Run]) -> str:
    from cloudtui.reporting.points import csv_of

    return csv_of((run.name, session.catalog.metrics.series(run.id)) for run in runs)


def _json(session: Session, runs: Sequence[Run]) -> str:
    from cloudtui.cli.json_fields import document

    said = [
        {"run": document(run), "metrics": document(list(session.catalog.metrics.series(run.id)))}
        for run in runs
    ]
    return json.dumps({"runs": said}, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


_FORMATS: Mapping[str, Callable[[Session, Sequence[Run]], str]] = {
    ".html": _html, ".csv": _csv, ".json": _json,
}  # fmt: skip


def reported(session: Session, run: Run) -> Any:
    """A run with all that a report tells of it: curves in stretches, attempts, evaluations, variants."""
    from cloudtui.reporting.records import Reported

    catalog = session.catalog
    reports = catalog.runs.reports(run.id)
    evaluations = {
        name.removeprefix(_EVALUATION): said
        for name, said in reports.items()
        if name.startswith(_EVALUATION) and isinstance(said, Mapping)
    }
    own = reports.get("compression")
    tried = [own] if isinstance(own, Mapping) else []
    for model in catalog.models.of_run(run.id):
        tried += [one.report for one in catalog.models.compressions(model.id) if one.report]
    curves = {key: _stretches(session, run, key) for key in catalog.metrics.keys(run.id)}
    return Reported(run, curves, catalog.runs.attempts(run.id), evaluations, tried)


def _stretches(session: Session, run: Run, key: str) -> list[Any]:
    from cloudtui.reporting.records import Stretch

    found = session.catalog.metrics.envelope(run.id, key, buckets=BUCKETS)
    return [Stretch((one.first + one.last) / 2, one.min, one.max, one.mean) for one in found]


def scrub_for(session: Session, runs: Sequence[Run]) -> Any:
    """What this home knows of machines, people and secrets, to be taken out of a report."""
    from cloudtui.reporting.scrub import Scrub

    machines = session.catalog.instances.list(include_forgotten=True)
    hosts = {name for one in machines for name in (one.name, one.address.host, *_hostnames(one.facts))}
    hosts |= {name for run in runs for name in run.instances} | {socket.gethostname()}
    hosts |= {name.partition(".")[0] for name in hosts if not name[:1].isdigit()}
    users = {one.address.user for one in machines} | set(_here())
    secrets = {str(value) for run in runs for value in (run.spec.get("env") or {}).values()}
    return Scrub(hosts, users, secrets)


def _hostnames(facts: Mapping[str, Any]) -> Iterator[str]:
    name = facts.get("hostname")
    if isinstance(name, str):
        yield name


def _here() -> Iterator[str]:
    """Who sits at this machine."""
    yield Path.home().name
    try:
        yield getpass.getuser()
    except (KeyError, OSError):  # a process of a user whom no file knows
        return
