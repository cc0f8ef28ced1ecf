"""What an attempt takes along: everything that it needs on its host, and the spec that it is started with."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from cloudtui_engine import kept
from cloudtui_engine.data import archives, csv_files, idx, parquet_files
from cloudtui_engine.errors import FailedError, RefusedError, UnreachableError
from cloudtui_engine.handlers import bring, stage
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.handlers.environment import Environments
from cloudtui_engine.hosts import replies
from cloudtui_engine.hosts.environment import Need, need_of
from cloudtui_engine.hosts.facts import checked_gpus
from cloudtui_engine.hosts.link import HostLink
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Artifact, Run
from cloudtui_engine.runs import gpus, job_spec, model_jobs

HASHING_S = 600.0
"""How long a host may take to hash what a run left there."""


class Packing:
    """One attempt's things, on the way to the host of `link`."""

    def __init__(
        self,
        context: Context,
        run: Run,
        number: int,
        *,
        link: HostLink,
        report: stage.Report,
        is_unwanted: Callable[[], bool],
    ) -> None:
        self._context = context
        self._catalog = context.catalog
        self._run = run
        self._number = number
        self._link = link
        self._report = report
        self._carrier = stage.Carrier(context.paths, link, report, is_unwanted)

    def spec(self, session: Session) -> dict[str, Any]:
        """Everything on the host, and the job's spec."""
        run = self._run
        dataset = self._catalog.datasets.get(run.dataset_id) if run.dataset_id else None
        model = self._catalog.models.get(run.model_id) if run.model_id else None
        common = job_spec.common(run, dataset, self._choose_gpus(session), model)
        common |= {"taken_by": self._taken_by(), "checkpoints": self._bring_checkpoints()}
        if run.kind == "script":
            packed = run.spec.get("folder")
            folder = self._carrier.folder(packed) if packed else ""
            secrets = self._context.secrets.get(run.id)
            return common | job_spec.script(run, folder=folder, secrets=secrets)
        if run.kind == "prepare":
            return common | self._preparing(session)
        if dataset is None:
            raise FailedError(
                f"The dataset of {run.name} is not known here.", "Start it anew with --dataset."
            )
        python = self._find_python(session, model)
        trainer, data = self._carrier.trainer(), self._bring_data(dataset)
        self._catalog.datasets.add_copy(dataset.id, self._link.instance_id, time.time())
        given = self._give(session, model) if model is not None else ""
        there = job_spec.Brought(trainer, f"{session.hello['root']}/{data}", python, given)
        if run.kind == "train":
            return common | job_spec.training(run, self._number, there, model)
        if model is None:
            raise FailedError(
                f"The model that {run.name} acts on is not known here.", "Start it anew: cloudtui model list"
            )
        return common | job_spec.on_model(run, self._number, there, model)

    # -- what may be taken away, and was

    def _taken_by(self) -> str:
        """The cloud that may take the machine back; empty: none."""
        machine = self._catalog.instances.get(self._link.instance_id)
        return machine.provider if machine.spot else ""

    def _bring_checkpoints(self) -> str:
        """The folder on the host with what an attempt on another machine left; empty: there is none.

        Of one that was on this machine they lie beside it.
        """
        found = kept.Kept(self._context.paths, self._run.id)
        newest = found.newest()
        if newest is None or newest.attempt >= self._number:
            return ""
        left_by = self._catalog.runs.attempt(self._run.id, newest.attempt)
        if left_by.instance_id == self._link.instance_id:
            return ""
        return self._carrier.checkpoints(found, newest)

    # -- the data

    def _bring_data(self, dataset: Dataset) -> str:
        return self._carrier.dataset(dataset, self._catalog.instances.get(self._link.instance_id).name)

    def _preparing(self, session: Session) -> dict[str, Any]:
        """Reading data where it lies: what reads it goes there, and a python that can."""
        source = str(self._run.spec.get("source") or "")
        python = self._environments().python_for(session, data_need(source))
        folder = f"{session.hello['root']}/data"
        return job_spec.preparing(self._run, job_spec.Brought(self._carrier.preparer(), folder, python))

    # -- the model

    def _give(self, session: Session, model: Model) -> str:
        """The folder on the host that holds the model's files, absolute."""
        wanted = model_jobs.weights(model) if self._run.kind == "train" else model_jobs.files(model)
        missing = model_jobs.missing(wanted)
        attempt = self._catalog.runs.attempt(model.run_id, model.attempt)
        if missing and attempt.instance_id == self._link.instance_id:
            return self._in_place(session, model, wanted)
        if missing:
            wanted = self._fetched(model, wanted, missing, attempt.instance_id)
        return f"{session.hello['root']}/{self._carrier.model(model.label, wanted)}"

    def _in_place(self, session: Session, model: Model, wanted: Sequence[Artifact]) -> str:
        """Where the run left them, which is on this very host, once their content is proven."""
        self._report("Looking for the model's files", None, None)
        args = {"job": model.run_id, "attempt": model.attempt}
        there = replies.artifact_hashes(session.request("artifacts", args, timeout=HASHING_S))
        below = f"{model.variant}/" if model.variant else ""
        changed = [one.name for one in wanted if there.get(below + one.name) != one.sha256]
        if changed:
            raise FailedError(
                f"{', '.join(changed)} of {model.label} lay only on this host, and is gone or changed there.",
                "Train it again.",
                code="results_lost",
            )
        folder = f"{session.hello['root']}/jobs/{model.run_id}/a{model.attempt:04d}/artifacts"
        return f"{folder}/{model.variant}" if model.variant else folder

    def _fetched(
        self, model: Model, wanted: Sequence[Artifact], missing: Sequence[Artifact], holder: str
    ) -> list[Artifact]:
        """The files, brought here from another host."""
        below = f"{model.variant}/" if model.variant else ""
        names = {below + one.name for one in missing}
        try:
            bring.bring(self._context, model.run_id, model.attempt, self._report, names)
        except UnreachableError as error:
            host = self._catalog.instances.get(holder).name
            raise UnreachableError(
                f"The files of {model.label} lie only on {host}, which is not in reach: {error.message}",
                f"Once it is: cloudtui run pull {model.run_id}",
            ) from None
        fresh = {one.name: one for one in self._catalog.models.get(model.id).files}
        return [fresh[one.name] for one in wanted]

    # -- the machine

    def _choose_gpus(self, session: Session) -> list[int] | None:
        wanted = self._run.spec.get("gpus")
        if not wanted:
            return None
        found = checked_gpus(session.request("gpus", {}, timeout=45.0).get("gpus"))
        try:
            return gpus.choose(found, str(wanted))
        except RefusedError:
            if self._run.kind != "evaluate":
                raise
            return []  # An evaluation does without one rather than wait for it.

    def _find_python(self, session: Session, model: Model | None) -> str:
        """The python for the trainer; empty stands for the one that serves us."""
        files = [file.name for file in model.files] if model else ()
        return self._environments().python_for(session, need_of(self._run.kind, self._run.model or "", files))

    def _environments(self) -> Environments:
        return Environments(
            self._context,
            self._link,
            report=self._report,
            cancelled=self._carrier.cancelled,
            warn=lambda text: self._catalog.events.add(self._run.id, "warning", "environment", text),
        )


def data_need(source: str) -> Need:
    """What reading a source takes, by its name: a folder may hold pictures, an archive anything."""
    name = source.rpartition("/")[2]
    if archives.NAME.search(name):
        return "archives"
    if csv_files.NAME.search(name) or parquet_files.NAME.search(name):
        return "tables"
    return "arrays" if idx.is_images(name) else "pictures"
