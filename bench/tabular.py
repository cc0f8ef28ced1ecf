"""Tables: how good both models are with their defaults, beside scikit-learn's on the same rows.

Three seeds, each of the split and of the training: means over the test rows. `python -m bench tabular` needs
Adult as a CSV without a header in `CLOUDTUI_ADULT`; without it that part is skipped.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from bench._report import skipped
from cloudtui_engine.data.build import Wishes, build_dataset
from cloudtui_trainer.__main__ import main as run_trainer

SEEDS = range(3)
MODELS = ("mlp", "boosting")
FIGURES = {"adult": "auc", "breast-cancer": "auc", "diabetes": "rmse"}


def sources() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, source and what is to be known of it."""
    adult = os.environ.get("CLOUDTUI_ADULT", "")
    if Path(adult).is_file():
        yield "adult", adult, {"header": False, "target": "15"}
    else:
        skipped("tabular.adult", "CLOUDTUI_ADULT names no file")
    yield "breast-cancer", "breast-cancer", {}
    yield "diabetes", "diabetes", {}


def attempt(root: Path, name: str, dataset: str, model: str, seed: int) -> tuple[dict[str, Any], float]:
    """One run with the defaults: its report.json and its seconds."""
    folder = root / "jobs" / f"{name}-{model}-{seed}" / "a0001"
    folder.mkdir(parents=True)
    config = {
        "run": folder.parent.name,
        "dataset": f"{{root}}/data/{dataset}",
        "task": "tabular",
        "model": model,
    }
    params = {"seed": seed, "threads": 1}
    (folder / "config.json").write_text(json.dumps({**config, "params": params}))
    begun = time.monotonic()
    with contextlib.redirect_stdout(io.StringIO()):
        if run_trainer([str(folder / "config.json")], env={}):
            raise SystemExit(f"{name} with {model} failed")
    report: dict[str, Any] = json.loads((folder / "artifacts" / "report.json").read_text())
    return report, time.monotonic() - begun


def main() -> bool:
    """Print a JSON line a run and one a mean; whether all goals were met."""
    met = True
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for data, source, wishes in sources():
            found = {model: measure(root, data, source, wishes, model) for model in MODELS}
            met &= judged(data, found)
    return met


def measure(
    root: Path, data: str, source: str, wishes: dict[str, Any], model: str
) -> dict[str, dict[str, float]]:
    """The means over the seeds: of the model and of its baselines, by name."""
    figures: dict[str, list[dict[str, float]]] = {}
    for seed in SEEDS:
        made = build_dataset(source, root / "data", name=data, wishes=Wishes(seed=seed, **wishes))
        report, seconds = attempt(root, data, made.sha256, model, seed)
        tested = report["evaluation"]["test"]
        figures.setdefault(model, []).append(tested["metrics"])
        for baseline in tested["baselines"]:
            figures.setdefault(baseline["name"], []).append(baseline["metrics"])
        shown = {key: round(value, 4) for key, value in tested["metrics"].items()}
        tell(bench=f"tabular.{data}", model=model, seed=seed, seconds=round(seconds, 1), **shown)
    return {
        name: {key: statistics.mean(one[key] for one in many) for key in many[0] if key in many[-1]}
        for name, many in figures.items()
    }


def judged(data: str, found: dict[str, dict[str, dict[str, float]]]) -> bool:
    """Print the means and say whether the goals were met."""
    key = FIGURES[data]
    means = {name: round(figures[key], 4) for model in MODELS for name, figures in found[model].items()}
    linear = next(name for name in means if name.endswith("regression"))
    if data == "adult":
        goals = {"mlp >= .915": means["mlp"] >= 0.915, "best >= .925": max(means[m] for m in MODELS) >= 0.925}
    else:
        better = min if key == "rmse" else max
        best = better(means[model] for model in MODELS)
        goals = {f"best not behind {linear}": better(best, means[linear]) == best}
    accuracy = {
        name: round(figures["accuracy"], 4)
        for model in MODELS
        for name, figures in found[model].items()
        if "accuracy" in figures
    }
    tell(bench=f"tabular.{data}", seeds=len(SEEDS), figure=key, **means, accuracy=accuracy, goals=goals)
    return all(goals.values())


def tell(**figures: Any) -> None:
    """One JSON line."""
    print(json.dumps(figures), flush=True)
