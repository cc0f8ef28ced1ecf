"""Jobs of the trainer in this process: any config, and what came of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from cloudtui_host.journal import decode_line


@dataclass
class Done:
    """A job that ended."""

    folder: Path
    status: int

    @property
    def artifacts(self):
        return self.folder / "artifacts"

    @property
    def report(self):
        """Its report.json."""
        return json.loads((self.artifacts / "report.json").read_text())

    def records(self, kind=None):
        lines = (self.folder / "journal" / "trainer.jsonl").read_bytes().split(b"\n")[:-1]
        found = [decode_line(line) for line in lines]
        return [record for record in found if kind in {None, record["kind"]}]

    def events(self):
        return {record["name"]: record["data"] for record in self.records("event")}

    @property
    def message(self):
        """Of the last record."""
        return self.records()[-1]["message"]


def do(root: Path, name: str, dataset, **config) -> Done:
    """Carry out a config on `<root>/data/<dataset>`."""
    from cloudtui_trainer.__main__ import main

    folder = root / "jobs" / name / "a0001"
    folder.mkdir(parents=True)
    params = {"threads": 1, **config.pop("params", {})}
    whole = {"run": name, "attempt": 1, "name": name, "dataset": f"{{root}}/data/{dataset}", "params": params}
    (folder / "config.json").write_text(json.dumps({**whole, **config}))
    return Done(folder, main([str(folder / "config.json")], env={}))
