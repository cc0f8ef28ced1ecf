"""One run of the trainer in this process, as the benches of the trainer need it."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

from cloudtui_trainer.__main__ import main as run_trainer


def attempt(root: Path, name: str, dataset: str, *, model: str = "cnn", **params: Any) -> tuple[int, Path]:
    """Train on a dataset in `root/data`: the exit status and the attempt's folder."""
    folder = root / "jobs" / name / "a0001"
    folder.mkdir(parents=True)
    config = {
        "run": name, "attempt": 1, "dataset": f"{{root}}/data/{dataset}", "task": "image", "model": model,
        "params": params,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    with contextlib.redirect_stdout(io.StringIO()):
        return run_trainer([str(folder / "config.json")], env={}), folder


def tell(**figures: Any) -> None:
    """One JSON line."""
    print(json.dumps(figures), flush=True)
