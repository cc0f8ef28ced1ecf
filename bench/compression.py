"""What compression gives on a model at hand, beside NNCF and Torch-Pruning on the same one.

`python -m bench compression --given FOLDER --dataset FOLDER [--methods ...] [--ratios ...] [--epochs N]`: the
folder of a model version (model.onnx, model.safetensors, report.json) and that of its dataset. Every file is
judged on the test rows here, for this is a measurement and no choice; times are medians of interleaved rounds
of CPU time. The rivals are measured where they are installed (`pip install nncf torch-pruning`).
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch

from bench._report import skipped
from cloudtui_features import paired
from cloudtui_trainer import export, weights
from cloudtui_trainer.__main__ import main as run_trainer
from cloudtui_trainer.compress import given as given_models
from cloudtui_trainer.compress import measure
from cloudtui_trainer.compress.distill import Lesson, distill
from cloudtui_trainer.compress.int8 import Quantizer, coverage
from cloudtui_trainer.compress.rows import Judge, TrainRows
from cloudtui_trainer.compress.settings import Settings
from cloudtui_trainer.job import Job
from cloudtui_trainer.stop import Stop

GOALS = {
    "int8": {"size": 3.7, "bs1": 2.0, "bs64": 2.4, "delta": -0.1},
    "prune-int8": {"size": 12.0, "bs1": 4.0, "bs64": 6.0, "low": -0.5},
}
"""At least so much: ratios to the given file, and points."""
ROUNDS = 61


def main() -> bool | None:
    """Print one JSON line a file; false when ours missed a goal."""
    options = _options()
    if options is None:
        skipped("compression", "it needs --given FOLDER and --dataset FOLDER")
        return None
    torch.set_num_threads(options.threads)
    folder = Path(options.work or tempfile.mkdtemp(prefix="bench-compression-"))
    job = _config(folder / "jobs" / "bench" / "a0001", options)
    given = given_models.load(Job.load(job, {}), torch.device("cpu"))
    against = Against(given)
    print(json.dumps({"bench": "compression.given", **against.baseline}), flush=True)
    met = True
    for name, content in _ours(job):
        met &= _told(
            f"ours.{name}", against.figures(content), GOALS.get(_kind(name)) if options.goals else None
        )
    torch.set_num_threads(options.threads)
    for name, make in _rivals(given, options):
        if importlib.util.find_spec(name.partition(".")[0]) is None:
            skipped(f"compression.{name}", "it is not installed")
        else:
            _told(name, against.figures(make()), None)
    return met


class Against:
    """The given file, and what another is worth beside it on the test rows."""

    def __init__(self, given: given_models.Given) -> None:
        self._given = given
        self._whole = measure.answers(given.content, self._judge(), "test")
        rows = self._judge()
        first, _ = next(rows.batches("validation"))
        self._inputs = {1: first[:1].copy(), 64: first[:64].copy()}
        self.baseline = {
            "accuracy": self._whole.accuracy,
            "bytes": len(given.content),
            "rows": len(self._whole.right),
        }

    def _judge(self) -> Judge:
        judge = Judge(self._given.task)
        judge.open_test("bench")
        return judge

    def figures(self, content: bytes) -> dict[str, Any]:
        """Of one file."""
        said = measure.answers(content, self._judge(), "test")
        pair = paired.compare(self._whole.right, said.right)
        times = measure.timed(self._given.content, content, self._inputs, ROUNDS)
        return {
            "delta": 100 * pair.delta, "low": 100 * pair.low, "high": 100 * pair.high, "p": pair.p,
            "bytes": len(content), "size": len(self._given.content) / len(content),
            "bs1": times[1].ratio, "bs64": times[64].ratio,
            "aa_bs1": measure.band([times[1].control]), "aa_bs64": measure.band([times[64].control]),
            "coverage": coverage(content),
        }  # fmt: skip


def _ours(job: Path) -> Iterator[tuple[str, bytes]]:
    """The files that the job leaves; what an earlier call with --work made is taken up."""
    with contextlib.redirect_stdout(sys.stderr):
        if run_trainer([str(job)], env={}):
            raise SystemExit("The compression failed; its journal says why.")
    report = json.loads((job.parent / "artifacts" / "report.json").read_text())["compression"]
    print(json.dumps({"bench": "compression.chosen", "chosen": report["chosen"]}), flush=True)
    for row in report["variants"]:
        yield row["id"], (job.parent / "artifacts" / row["file"]).read_bytes()


def _rivals(given: given_models.Given, options: argparse.Namespace) -> list[tuple[str, Callable[[], bytes]]]:
    if options.rivals == "none" or given.network is None:
        return []
    pruned: list[torch.nn.Module] = []

    def torch_pruning() -> bytes:
        pruned.append(_torch_pruning(given, options))
        return _exported(given, pruned[0])

    def with_int8() -> bytes:
        with Quantizer(_exported(given, pruned[0]), TrainRows(given.task), 512, 0) as quantizer:
            return quantizer.quantize({})

    return [
        ("nncf", lambda: _nncf(given)), ("torch_pruning", torch_pruning), ("torch_pruning.int8", with_int8),
    ]  # fmt: skip


def _nncf(given: given_models.Given) -> bytes:
    """NNCF's static quantization of the ONNX file, as its documents have it, on the same rows of train."""
    import nncf
    import onnx

    model = onnx.load_from_string(given.content)
    name = model.graph.input[0].name
    inputs = TrainRows(given.task).sample(512, 0).numpy()
    data = nncf.Dataset([inputs[place : place + 1] for place in range(len(inputs))], lambda row: {name: row})
    with contextlib.redirect_stdout(io.StringIO()):
        made = nncf.quantize(model, data, subset_size=len(inputs))
    content: bytes = made.SerializeToString()
    return content


def _torch_pruning(given: given_models.Given, options: argparse.Namespace) -> torch.nn.Module:
    """Half of the channels by Torch-Pruning, then as many epochs on the labels alone."""
    import torch_pruning as tp

    model = weights.rebuild(options.given / "model.safetensors")
    rows = TrainRows(given.task)
    head = [layer for layer in model.modules() if isinstance(layer, torch.nn.Linear)][-1]
    example = (rows.sample(2, 0).float() - model.mean) / model.std
    tp.pruner.BasePruner(
        model.net, example, importance=tp.importance.GroupMagnitudeImportance(), pruning_ratio=0.5,
        ignored_layers=[head],
    ).step()  # fmt: skip
    # Who learns from labels alone needs the shapes; ours is shown many rows as they are.
    settings = Settings(epochs=options.rival_epochs, soft=0.0, augment="yes")
    teacher = weights.rebuild(options.given / "model.safetensors")
    lesson = Lesson(settings, torch.device("cpu"), options.half)
    return distill(model, teacher, rows, lesson, stop=Stop(), tell=lambda _done, _epochs: None)


def _exported(given: given_models.Given, model: torch.nn.Module) -> bytes:
    return export.to_onnx(model, TrainRows(given.task).sample(8, 0), given.task.exported())


def _kind(name: str) -> str:
    return "prune-int8" if name.startswith("prune") and name.endswith("int8") else name


def _told(name: str, figures: dict[str, Any], goals: dict[str, float] | None) -> bool:
    missed = [key for key, least in (goals or {}).items() if figures[key] < least]
    rounded = {key: _short(value) for key, value in figures.items()}
    print(
        json.dumps({"bench": f"compression.{name}", **rounded, "goals": goals, "missed": missed}), flush=True
    )
    return not missed


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(part) for part in value]
    return round(value, 3) if isinstance(value, float) else value


def _config(folder: Path, options: argparse.Namespace) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {
        "methods": options.methods,
        "ratios": options.ratios,
        "epochs": options.epochs,
        "lr": options.lr,
    }
    config = {
        "job": "compress", "run": "bench", "attempt": 1, "name": "bench", "of": "given",
        "dataset": str(options.dataset.absolute()), "given": str(options.given.absolute()),
        "params": {key: value for key, value in chosen.items() if value is not None},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return folder / "config.json"


def _options() -> argparse.Namespace | None:
    words = argparse.ArgumentParser("bench compression")
    words.add_argument("--given", type=Path)
    words.add_argument("--dataset", type=Path)
    words.add_argument("--work", help="folder for the job, to go on from an earlier call")
    words.add_argument("--methods")
    words.add_argument("--ratios")
    words.add_argument("--epochs", type=int)
    words.add_argument("--lr", type=float)
    words.add_argument("--threads", type=int, default=1)
    words.add_argument("--rivals", choices=("all", "none"), default="all")
    words.add_argument("--rival-epochs", type=int, default=2)
    words.add_argument("--half", action="store_true", help="train the rival in bf16")
    words.add_argument("--goals", action="store_true", help="hold ours to the goals of Fashion-MNIST")
    found = words.parse_args()
    return found if found.given and found.dataset else None


if __name__ == "__main__":
    sys.exit(main() is False)
