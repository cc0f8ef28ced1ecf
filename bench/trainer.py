"""The trainer: what its loop costs over a raw one, and how good its defaults are on digits.

`python -m bench trainer` prints JSON lines.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from cloudtui_engine.data import build_dataset
from cloudtui_host.journal import decode_line
from cloudtui_trainer.__main__ import main as run_trainer
from cloudtui_trainer.tasks.image import ImageParams, ImageTask

SEEDS = range(5)
PAIRS = 9
BATCH = 16
FIRST, LAST = 10, 70
"""Steps of one epoch between which both loops are timed."""


def attempt(root: Path, name: str, dataset: str, **params: Any) -> tuple[int, Path]:
    """One run of the trainer in this process: exit status and the attempt's folder."""
    folder = root / "jobs" / name / "a0001"
    folder.mkdir(parents=True)
    config = {
        "run": name,
        "attempt": 1,
        "dataset": f"{{root}}/data/{dataset}",
        "task": "image",
        "model": "cnn",
    }
    (folder / "config.json").write_text(json.dumps(config | {"params": params}))
    with contextlib.redirect_stdout(io.StringIO()):
        return run_trainer([str(folder / "config.json")], env={}), folder


def with_journal(root: Path, name: str, dataset: str) -> float:
    """Seconds of our loop between two steps, from the journal's own clock."""
    _, folder = attempt(root, name, dataset, epochs=1, batch_size=BATCH, threads=1, checkpoint_every_s=0)
    lines = (folder / "journal" / "trainer.jsonl").read_bytes().splitlines()
    at = {record["step"]: record["m"] for record in map(decode_line, lines) if record["kind"] == "metric"}
    return float(at[LAST] - at[FIRST])


def raw(root: Path, dataset: str) -> float:
    """Seconds of a bare loop over the same data and model between the same steps, and nothing else."""
    torch.set_num_threads(1)
    task = ImageTask(root / "data" / dataset, ImageParams(), torch.device("cpu"))
    model = task.build("cnn").train()
    optimizer = torch.optim.AdamW(model.parameters(), 0.003, fused=True)
    order = torch.randperm(task.rows("train")).split(BATCH)
    begun = 0.0
    for step, rows in enumerate(order[:LAST], 1):
        inputs, targets = task.batch("train", rows, augment=True)
        loss = task.loss(model(inputs), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step == FIRST:
            begun = time.monotonic()
    return time.monotonic() - begun


def main() -> None:
    """Print one JSON line a figure."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        dataset = build_dataset("digits", root / "data", name="digits").sha256
        with_journal(root, "warm", dataset)
        ratios = [with_journal(root, f"loop-{pair}", dataset) / raw(root, dataset) for pair in range(PAIRS)]
        control = [raw(root, dataset) / raw(root, dataset) for _ in range(PAIRS)]
        tell(
            bench="trainer.loop", what="seconds a step, ours / raw", batch=BATCH, pairs=PAIRS,
            median_ratio=round(statistics.median(ratios), 3),
            raw_over_raw=round(statistics.median(control), 3),
        )  # fmt: skip
        found = []
        for seed in SEEDS:
            begun = time.monotonic()
            _, folder = attempt(root, f"digits-{seed}", dataset, seed=seed)
            report = json.loads((folder / "artifacts" / "report.json").read_text())
            found.append(report["evaluation"]["test"]["metrics"]["accuracy"])
            tell(
                bench="trainer.digits",
                seed=seed,
                accuracy=round(found[-1], 4),
                seconds=time.monotonic() - begun,
            )
        tell(
            bench="trainer.digits", mean=round(statistics.mean(found), 4), least=min(found), seeds=len(found)
        )


def tell(**figures: Any) -> None:
    """One JSON line."""
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
