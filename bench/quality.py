"""How good the trainer is at what it is told nothing of, and what that costs beside the documents' recipe.

`python -m bench quality --what digits|default|fashion|documents` prints JSON lines. `digits`: the defaults, 5
seeds. `default`: the defaults on Fashion-MNIST. `fashion`: the residual network there. `documents`: their
recipe on the same rows, as a plain loop. Fashion-MNIST is Debian's package dataset-fashion-mnist.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from torch import nn

from bench import _documents
from bench._attempt import attempt, tell
from cloudtui_engine.data import build_dataset
from cloudtui_trainer.weights import rebuild

FASHION = "/usr/share/datasets/fashion-mnist"
RECIPES: dict[str, dict[str, Any]] = {
    "digits": {"source": "digits", "model": "cnn", "seeds": 5, "params": {}, "goal": 0.985},
    "default": {"source": FASHION, "model": "cnn", "seeds": 3, "params": {"epochs": 2}, "goal": None},
    "fashion": {
        "source": FASHION, "model": "resnet", "seeds": 3, "goal": 0.93,
        "params": {"epochs": 18, "batch_size": 128, "augment": "shift_flip"},
    },
}  # fmt: skip


def operations(model: nn.Module, shape: tuple[int, ...]) -> int:
    """Multiplications of one row through the convolutions and dense layers."""
    counted: list[int] = []

    def count(layer: Any, _given: Any, out: torch.Tensor) -> None:
        counted.append(out[0].numel() * layer.weight[0].numel())

    hooks = [
        layer.register_forward_hook(count)
        for layer in model.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]
    with torch.no_grad():
        model.eval()(torch.zeros(1, *shape))
    for hook in hooks:
        hook.remove()
    return sum(counted)


def documents(root: Path, epochs: int, threads: int) -> None:
    """The documents' recipe, a line an epoch."""
    dataset = build_dataset(FASHION, root / "data", name="fashion-mnist").sha256
    torch.set_num_threads(threads)
    macs = operations(_documents.network(10), (1, 28, 28))
    for line in _documents.run(root / "data" / dataset, epochs=epochs):
        tell(bench="quality.documents", macs=macs, compute=line["samples"] * macs, **line)


def ours(root: Path, what: str, seeds: list[int], changes: dict[str, Any]) -> bool:
    """One of `RECIPES`, a line a seed and one of all; whether it reached its goal."""
    recipe = RECIPES[what]
    dataset = build_dataset(recipe["source"], root / "data", name=what).sha256
    found = []
    for seed in seeds:
        wall, cpu = time.monotonic(), time.process_time()
        params = {**recipe["params"], **changes, "seed": seed}
        status, folder = attempt(root, f"{what}-{seed}", dataset, model=recipe["model"], **params)
        if status:
            raise SystemExit((folder / "journal" / "trainer.jsonl").read_text()[-1000:])
        spent = {
            "cpu_seconds": round(time.process_time() - cpu, 1),
            "seconds": round(time.monotonic() - wall, 1),
        }
        report = json.loads((folder / "artifacts" / "report.json").read_text())
        shape = json.loads((root / "data" / dataset / "manifest.json").read_text())["input"]["shape"]
        rows = json.loads((root / "data" / dataset / "manifest.json").read_text())["splits"]["train"]["rows"]
        macs = operations(rebuild(folder / "artifacts" / "model.safetensors"), tuple(shape))
        found.append(report["evaluation"]["test"]["metrics"]["accuracy"])
        tell(
            bench=f"quality.{what}", seed=seed, accuracy=round(found[-1], 4),
            validation=round(report["best"]["metrics"]["accuracy"], 4), best_epoch=report["best"]["epoch"],
            parameters=report["parameters"], macs=macs, compute=rows * report["params"]["epochs"] * macs,
            params=params, **spent,
        )  # fmt: skip
    mean = statistics.mean(found)
    tell(
        bench=f"quality.{what}", seeds=len(found), mean=round(mean, 4), least=min(found), goal=recipe["goal"]
    )
    return recipe["goal"] is None or mean >= recipe["goal"]


def main() -> bool:
    """Print one JSON line a figure; False where a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench quality")
    parser.add_argument("--what", choices=[*RECIPES, "documents"], default="digits")
    parser.add_argument("--seeds", type=int, nargs="*")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="another parameter")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        if given.what == "documents":
            documents(Path(name), given.epochs or 10, given.threads)
            return True
        changes: dict[str, Any] = {"threads": given.threads, **dict(pair.split("=", 1) for pair in given.set)}
        if given.epochs:
            changes["epochs"] = given.epochs
        return ours(Path(name), given.what, given.seeds or list(range(RECIPES[given.what]["seeds"])), changes)
