"""Runs of the trainer in this process, on a small dataset, and what they told."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as __main__ does: before torch is imported

from cloudtui_engine.data import build_dataset
from cloudtui_host.journal import decode_line


@dataclass
class Home:
    """A host's root with one dataset, and one run with its attempts."""

    root: Path
    dataset: str
    params: dict[str, Any] = field(default_factory=dict)
    model: str = "cnn"
    weights_file: Path | None = None

    def folder(self, attempt=1):
        return self.root / "jobs" / "run" / f"a{attempt:04d}"

    def beside(self, name):
        """Another root with the same dataset and params."""
        other = Home(self.root / name, self.dataset, self.params, self.model, self.weights_file)
        other.root.mkdir()
        (other.root / "data").symlink_to((self.root / "data").resolve())
        return other

    def config(self, attempt=1, **params):
        """Write the attempt's config.json; returns its path."""
        folder = self.folder(attempt)
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "run": "run", "attempt": attempt, "dataset": f"{{root}}/data/{self.dataset}", "task": "image",
            "model": self.model, "params": {**self.params, **params}, "name": "test",
            "weights": str(self.weights_file or ""),
        }  # fmt: skip
        (folder / "config.json").write_text(json.dumps(config))
        return folder / "config.json"

    def run(self, attempt=1, **params):
        """Train in this process; returns the exit status."""
        from cloudtui_trainer.__main__ import main

        return main([str(self.config(attempt, **params))], env={})

    def records(self, attempt=1, kind=None):
        """What the attempt told, whole lines only."""
        content = (self.folder(attempt) / "journal" / "trainer.jsonl").read_bytes()
        found = [decode_line(line) for line in content.split(b"\n")[:-1]]
        return [record for record in found if kind in {None, record["kind"]}]

    def events(self, attempt=1):
        return {record["name"]: record["data"] for record in self.records(attempt, "event")}

    def points(self, attempt=1):
        """Every point of every curve: {(step, key): value}; a step is never told twice."""
        found = {}
        for record in self.records(attempt, "metric"):
            for key, value in record["values"].items():
                assert (record["step"], key) not in found
                found[record["step"], key] = value
        return found

    def weights(self, attempt=1):
        return (self.folder(attempt) / "artifacts" / "model.safetensors").read_bytes()


@pytest.fixture(scope="session")
def datasets(tmp_path_factory):
    """The folder of prepared datasets; `digits` is the first one's name."""
    folder = tmp_path_factory.mktemp("data")
    return folder, build_dataset("digits", folder, name="digits").sha256


@pytest.fixture
def home(tmp_path, datasets):
    """A root with the digits, and params for runs of a second."""
    folder, sha = datasets
    (tmp_path / "data").symlink_to(folder)
    return Home(tmp_path, sha, {"epochs": 2, "batch_size": 256, "threads": 1, "log_every": 1})


@pytest.fixture
def small():
    """The small network narrower still, in this process: each kind of layer, a thirtieth of the weights."""
    from cloudtui_trainer.models import cnn

    right = cnn.spec

    def narrow(*given, **more):
        net = right(*given, **more)
        return {**net, "widths": [wide // 4 for wide in net["widths"]], "dense": 64}

    with pytest.MonkeyPatch.context() as patch:  # of its own: a test takes back what it has patched
        patch.setattr(cnn, "spec", narrow)
        yield


@pytest.fixture
def no_export(monkeypatch):
    """Without ONNX, which takes seconds."""
    monkeypatch.setattr("cloudtui_trainer.export.missing_libraries", lambda: ["onnx"])
