"""An engine that talks to no host: it finishes the rows that commands commit, through the catalog alone."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.ids import new_id
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.run import Run, RunState

FINGERPRINT = "SHA256:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
EVALUATION = {
    "n": 360,
    "metrics": {"accuracy": 0.95},
    "confidence": {"accuracy": [0.92, 0.97]},
    "classes": [{"label": "3"}, {"label": "5"}],
    "confusion": [[170, 10], [8, 172]],
}
COMPRESSION = {
    "max_drop": 0.5,
    "rows": {"calibration": 256, "validation": 200, "test": 360},
    "baseline": {"accuracy": 0.95, "size_bytes": 1_267_761, "latency_ms": 0.5, "throughput": 4000.0},
    "variants": [
        {
            "id": "int8", "method": "int8", "split": "test", "n": 360, "accuracy": 0.95, "delta": 0.0,
            "delta_ci": [-0.012, 0.012], "size_bytes": 336_087, "size_ratio": 3.77, "latency_ratio": 2.17,
            "throughput_ratio": 2.59, "verdict": "undecided",
            "why": "360 rows cannot tell a drop of 0.5 point; 765 could.",
        }
    ],
    "chosen": None,
}  # fmt: skip


class FakeEngine:
    """`ensure` stands in for `operations.ensure_engine`; `outcome` says how runs end."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.outcome = "succeeded"
        self.hosts = {"local": "caught up"}
        self.cleaned: list[str] = []
        self.secrets: dict[str, dict[str, str]] = {}
        self._thread: threading.Thread | None = None
        self._end = threading.Event()
        self.errors: list[BaseException] = []

    def ensure(self, _paths: Paths, timeout: float = 15.0) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, daemon=True)
            self._thread.start()

    def send_secrets(self, _paths: Paths, subject: str, values: dict[str, str]) -> None:
        self.secrets[subject] = dict(values)

    def close(self) -> None:
        self._end.set()
        if self._thread:
            self._thread.join(timeout=30)
            assert not self._thread.is_alive()
        assert not self.errors, self.errors

    def _serve(self) -> None:
        catalog = Catalog.open(self.paths)
        try:
            while not self._end.wait(0.01):
                for operation in catalog.operations.pending():
                    if catalog.operations.take(operation.id):
                        self._carry_out(catalog, operation)
        except Exception as error:  # noqa: BLE001 - shown by `close`
            self.errors.append(error)
        finally:
            catalog.close()

    def _carry_out(self, catalog: Catalog, operation: Operation) -> None:
        result: Any = getattr(self, "_" + operation.kind.replace(".", "_"))(catalog, operation)
        if result is not None:
            catalog.operations.finish(operation.id, result)

    def _instance_add(self, catalog: Catalog, operation: Operation) -> dict[str, Any] | None:
        args = operation.args
        if args["address"]["host"] == "nowhere":
            catalog.operations.fail(
                operation.id,
                {"code": "unreachable", "message": "nowhere does not answer.", "hint": "Is it on?"},
            )
            return None
        accepted = args["accept_host_key"] == FINGERPRINT or operation.answer.get("accept")
        if not accepted:
            catalog.operations.ask(
                operation.id,
                {"kind": "host_key", "host": args["address"]["host"], "fingerprint": FINGERPRINT},
            )
            return None
        catalog.instances.add(
            Instance(operation.id, args["name"], "ssh", Address(**args["address"]), facts={"os": "Linux"})
        )
        return {"instance": operation.id}

    def _instance_probe(self, catalog: Catalog, operation: Operation) -> dict[str, Any]:
        catalog.instances.update(operation.target, facts={"os": "Linux", "python": "3.11.7"}, seen_at=1000.0)
        return {"instance": operation.target}

    def _dataset_push(self, catalog: Catalog, operation: Operation) -> dict[str, Any]:
        catalog.datasets.add_copy(operation.target, operation.args["instance"], 1000.0)
        return {}

    def _instance_clean(self, _catalog: Catalog, operation: Operation) -> dict[str, Any]:
        wanted = operation.args.get("remove")
        self.cleaned += wanted or []
        entries = [
            {"name": "trainer/" + "a" * 64, "size_bytes": 7, "goes": True, "why": "Old."},
            {"name": "data/" + "b" * 64, "size_bytes": 9, "goes": False, "why": "one needs it."},
        ]
        removed = None if wanted is None else len(wanted)
        return {"entries": entries, "untouched": ["thesis"], "removed": removed, "bytes": 7}

    def _run_sync(self, _catalog: Catalog, _operation: Operation) -> dict[str, Any]:
        return {"hosts": self.hosts}

    def _run_import(self, _catalog: Catalog, _operation: Operation) -> dict[str, Any]:
        return {"runs": []}

    def _run_stop(self, catalog: Catalog, operation: Operation) -> dict[str, Any]:
        live = (RunState.QUEUED, RunState.RUNNING)
        catalog.runs.move(operation.target, operation.args["attempt"], RunState.STOPPED, expected=live)
        return {}

    def _run_start(self, catalog: Catalog, operation: Operation) -> dict[str, Any] | None:
        run_id, number = operation.target, operation.args["attempt"]
        move = catalog.runs.move
        move(run_id, number, RunState.STAGING, expected=RunState.QUEUED)
        if self.outcome == "busy":
            error = RefusedError("GPU 0: ann uses 40.0 GiB", "Wait.", code="gpu_busy").as_dict()
            move(run_id, number, RunState.FAILED, expected=RunState.STAGING, reason=error["message"])
            catalog.operations.fail(operation.id, error)
            return None
        move(run_id, number, RunState.STARTING, expected=RunState.STAGING)
        move(run_id, number, RunState.RUNNING, expected=RunState.STARTING)
        catalog.runs.set_progress(run_id, {"epoch": 1, "epochs": 2, "eta_s": 60})
        log = self.paths.console(run_id, number)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"epoch 1\n\x1b]0;title\x07bar 10%\rbar 100%\nepoch 2\n")
        if self.outcome == "succeeded":
            self._succeed(catalog, run_id, number)
            move(run_id, number, RunState.SUCCEEDED, expected=RunState.RUNNING, exit_code=0)
        elif self.outcome == "failed":
            move(
                run_id,
                number,
                RunState.FAILED,
                expected=RunState.RUNNING,
                exit_code=1,
                reason="Out of memory.",
            )
        return {}

    def _succeed(self, catalog: Catalog, run_id: str, number: int) -> None:
        run = catalog.runs.get(run_id)
        if run.kind == "evaluate":
            catalog.runs.add_report(run_id, number, "evaluation/test", 2000.0, EVALUATION)
        elif run.kind == "compress":
            catalog.runs.add_report(run_id, number, "compression", 2000.0, COMPRESSION)
            self._leave(catalog, run_id, number, "int8/model.onnx", "onnx")
            catalog.models.register(run_id, number, variant="int8", parent_id=run.model_id)
        else:
            self._leave_files(catalog, run_id, number)

    def _run_pull(self, catalog: Catalog, operation: Operation) -> dict[str, Any]:
        for one in catalog.runs.artifacts(operation.target, operation.args["attempt"]):
            if one.wanted:
                catalog.runs.mark_pulled(operation.target, operation.args["attempt"], one.name)
        return {"pulled": 1, "left": 0}

    def _leave_files(self, catalog: Catalog, run_id: str, number: int) -> None:
        for name in ("model.onnx", "report.json"):
            self._leave(catalog, run_id, number, name, "model")
        catalog.runs.add_report(run_id, number, "evaluation/test", 1000.0, EVALUATION)
        catalog.models.register(run_id, number)

    def _leave(self, catalog: Catalog, run_id: str, number: int, name: str, kind: str) -> None:
        content = f"{run_id} {name}".encode()
        sha = hashlib.sha256(content).hexdigest()
        self.paths.file(sha).parent.mkdir(parents=True, exist_ok=True)
        self.paths.file(sha).write_bytes(content)
        catalog.runs.add_artifacts(run_id, number, [(name, kind, len(content), sha)])
        catalog.runs.mark_pulled(run_id, number, name)


def a_dataset(catalog: Catalog, name: str = "digits") -> Dataset:
    """A dataset row without its arrays."""
    sha = hashlib.sha256(name.encode()).hexdigest()
    return catalog.datasets.add(
        Dataset(
            new_id(),
            name,
            1,
            "image",
            sha,
            1000,
            {"train": 10, "validation": 2, "test": 3},
            ("0", "1"),
            {},
            name,
        )
    )


def a_run(catalog: Catalog, name: str, *states: RunState, **fields: Any) -> Run:
    """A run that went through these states."""
    run = catalog.runs.create(
        Run(new_id(), name, "train", RunState.QUEUED, 1, (), created_at=1000.0, **fields),
        [catalog.instances.ensure_local().id],
    )
    before = RunState.QUEUED
    for state in states:
        catalog.runs.move(run.id, 1, state, expected=before)
        before = state
    return catalog.runs.get(run.id)


DONE = (RunState.STAGING, RunState.STARTING, RunState.RUNNING, RunState.SUCCEEDED)
FAILED = (RunState.STAGING, RunState.STARTING, RunState.RUNNING, RunState.FAILED)
LIVE = (RunState.STAGING, RunState.STARTING, RunState.RUNNING)


def some_points(catalog: Catalog, run: Run, folder: Path) -> None:
    """Two points of a loss, as the follower would store them."""
    from cloudtui_engine.runs.ingest import Ingest
    from cloudtui_host.journal import encode_line

    del folder
    source = catalog.sources.open(catalog.instances.ensure_local().id, run.id, 1, "trainer")
    ingest = Ingest(catalog, source, 0.0)
    data = b"".join(
        encode_line(
            {
                "seq": i,
                "t": 1000.0 + i,
                "m": float(i),
                "kind": "metric",
                "step": i,
                "values": {"train/loss": v},
            }
        )
        for i, v in enumerate((0.5, "nan"))
    )
    ingest.feed(0, data)
    ingest.commit()
