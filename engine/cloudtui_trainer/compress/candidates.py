"""The candidates: which there are, and how each is made into a file."""

from __future__ import annotations

import copy
import dataclasses
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx
import torch
from torch import nn

from cloudtui_trainer import export, onnx_file, weights
from cloudtui_trainer.compress import coupling, files, measure, others, pruning
from cloudtui_trainer.compress.board import Made
from cloudtui_trainer.compress.distill import Lesson, distill
from cloudtui_trainer.compress.given import Given
from cloudtui_trainer.compress.int8 import Quantizer
from cloudtui_trainer.compress.rows import TrainRows
from cloudtui_trainer.compress.settings import Settings
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.models import spec_of
from cloudtui_trainer.stop import Stop

SPARSE = 0.8


class CandidateError(TrainerError):
    """A candidate cannot be made; others may be."""


def failures() -> tuple[type[Exception], ...]:
    """What is raised of a candidate that cannot be made or opened: by us, by onnx and by ONNX Runtime."""
    return (
        TrainerError, *onnx_file.errors(), onnx.checker.ValidationError, onnx.shape_inference.InferenceError,
    )  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """A candidate that is to be made."""

    id: str
    kind: str
    """int8, prune, prune-int8, fp16, dynamic or sparse."""
    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    of: str = ""
    """The candidate whose file it is made from; none is the given model's."""

    def to_json(self) -> dict[str, Any]:
        """What a kept candidate is held against."""
        return {"id": self.id, "kind": self.kind, "settings": dict(self.settings), "of": self.of}


def plans(settings: Settings, has_network: bool) -> list[Plan]:
    """What is tried, in this order."""
    methods = settings.chosen_methods
    int8 = {
        "format": "QDQ",
        "per_channel": True,
        "activations": "uint8",
        "weights": "int8",
        "ranges": "MinMax",
    }
    found = []
    if "int8" in methods:
        found.append(Plan("int8", "int8", "static int8", int8))
    if "prune" in methods and has_network:
        for ratio in settings.chosen_ratios:
            name, taught = f"prune{round(100 * ratio)}", {"cost_removed": ratio}
            found.append(Plan(name, "prune", f"{ratio:.0%} of the cost pruned, distilled", taught))
            if "int8" in methods:
                both = f"{ratio:.0%} of the cost pruned, distilled, static int8"
                found.append(Plan(f"{name}-int8", "prune-int8", both, {**taught, **int8}, name))
    if "fp16" in methods:
        found.append(Plan("fp16", "fp16", "weights in half precision", {}))
    if "dynamic" in methods:
        found.append(Plan("dynamic-int8", "dynamic", "dynamic int8", {"weights": "uint8"}))
    if "sparse" in methods and has_network:
        name = f"sparse{round(100 * SPARSE)}"
        found.append(Plan(name, "sparse", f"{SPARSE:.0%} of the weights zero, distilled", {"zero": SPARSE}))
    if not found:
        raise TrainerError("Nothing can be tried.", "Choose int8, or give the model's weights for prune.")
    return found


class Maker:
    """Makes candidates, and remembers what several of them need."""

    def __init__(
        self,
        given: Given,
        rows: TrainRows,
        settings: Settings,
        lesson: Lesson,
        *,
        stop: Stop,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._given, self._rows, self._settings = given, rows, settings
        self._lesson, self._stop, self._tell = lesson, stop, tell
        self._contents: dict[str, bytes] = {"": given.content}
        self._curves: list[pruning.Curve] = []

    def finished(self, plan: Plan, made: Made) -> None:
        """Remember the file of a candidate: others are made from it."""
        self._contents[plan.id] = made.content

    def content(self, candidate: str) -> bytes:
        """The file of a finished candidate."""
        return self._contents[candidate]

    def make(self, plan: Plan) -> Made:
        """The files of a candidate.

        Raises:
            Stopped: the wish to stop was seen.
            CandidateError: it cannot be made.
        """
        if plan.of not in self._contents:
            raise CandidateError(f"It is made of {plan.of}, which is not there.")
        try:
            return self._make(plan)
        except failures() as error:
            raise CandidateError(str(error)[:300]) from error

    def _make(self, plan: Plan) -> Made:
        states = {**self._given.states, "method": plan.id}
        if plan.kind in {"int8", "prune-int8"}:
            return self._int8(self._contents[plan.of], states, layers=plan.kind == "int8")
        if plan.kind == "fp16":
            return Made(others.half_weights(self._given.content, states))
        if plan.kind == "dynamic":
            return Made(others.dynamic_int8(self._given.content, states))
        whole = self._given.network
        if whole is None:
            raise CandidateError("It needs the model's weights.")
        if plan.kind == "sparse":
            held = others.masks(whole, plan.settings["zero"])
            bare = others.zeroed(copy.deepcopy(whole), held)
            return self._written(self._taught(bare, whole, held), states)
        return self._pruned(plan, whole, states)

    def _int8(self, content: bytes, states: Mapping[str, Any], *, layers: bool) -> Made:
        self._tell("finding the ranges")
        settings = self._settings
        inputs = self._rows.sample(settings.probe, settings.seed).numpy()
        with Quantizer(content, self._rows, settings.calibration, settings.seed) as quantizer:
            made = self._faster(quantizer, quantizer.quantize(states), states)
            if not layers:
                return made
            self._tell("measuring what each layer loses in int8")
            measured = quantizer.sensitivity(inputs, self._stop.heed)
            loss = {quantizer.label(name): kl for name, kl in measured.items()}
        told = [{"layer": layer, "kl": kl, "of": "int8"} for layer, kl in loss.items()]
        return dataclasses.replace(made, sensitivity=told)

    def _faster(self, quantizer: Quantizer, whole: bytes, states: Mapping[str, Any]) -> Made:
        """The file in int8, or with its first layer in floating point where that is faster here."""
        thin = quantizer.thin_layer()
        if not thin:
            return Made(whole)
        other = quantizer.quantize(states, but=[thin])
        batch = self._rows.sample(self._settings.batch, self._settings.seed).numpy()
        timing = measure.timed(
            whole, other, {len(batch): batch}, self._settings.rounds, look=self._stop.heed
        )[len(batch)]
        if timing.ratio <= measure.band([timing.control])[1]:
            return Made(whole)
        why = f"{quantizer.label(thin)} stays in floating point, which is {timing.ratio:.2f}x as fast here"
        return Made(other, left_out=1, notes=[why])

    def _pruned(self, plan: Plan, whole: nn.Module, states: Mapping[str, Any]) -> Made:
        net, told = spec_of(whole), []
        inputs = self._rows.sample(min(self._rows.count, 8), self._settings.seed)
        if not self._curves:
            self._curves = self._measured(whole, inputs)
            told = [
                {
                    "layer": curve.unit.name,
                    "kl": curve.at_half,
                    "of": "half of its channels",
                }
                for curve in self._curves
            ]
        share = pruning.cost_of(whole, inputs)
        chosen = pruning.widths(self._curves, 1 - float(plan.settings["cost_removed"]), share)
        keep = pruning.kept_channels(self._curves, chosen)
        student = coupling.cut(net, whole.state_dict(), keep)
        coupling.prove(whole, student, keep, inputs)
        notes = [", ".join(f"{unit.name} {unit.width} to {width}" for unit, width in chosen.items())]
        made = self._written(self._taught(student, whole), states)
        return dataclasses.replace(made, notes=notes, sensitivity=told)

    def _measured(self, whole: nn.Module, inputs: torch.Tensor) -> list[pruning.Curve]:
        found = coupling.provable(whole, coupling.units(spec_of(whole)), inputs)
        if not found:
            raise TrainerError(
                "No layer of this network can be made narrower.", "Leave out prune: methods=int8"
            )
        return pruning.curves(
            whole, found, self._rows, count=self._settings.probe, seed=self._settings.seed,
            tell=lambda name: self._tell(f"measuring what {name} loses with fewer channels"),
            look=self._stop.heed,
        )  # fmt: skip

    def _taught(
        self, student: nn.Module, whole: nn.Module, held: dict[str, torch.Tensor] | None = None
    ) -> nn.Module:
        def tell(done: float, epochs: int) -> None:
            self._tell(f"distilling, epoch {done:.1f} of {epochs}")

        lesson = self._lesson
        if held:  # it has all of its channels, so it needs less: and it is here to be seen through
            fewer = max(1, lesson.epochs(self._rows.count) // 2)
            settings = dataclasses.replace(lesson.settings, epochs=fewer)
            lesson = dataclasses.replace(lesson, settings=settings)
        return distill(student, whole, self._rows, lesson, stop=self._stop, tell=tell, masks=held)

    def _written(self, model: nn.Module, states: Mapping[str, Any]) -> Made:
        """The model's file, proved equal to it, and its weights."""
        self._tell("exporting")
        task = self._given.task
        stated = {**task.exported(), "dataset": task.dataset, "net": spec_of(model), **states}
        example = self._rows.sample(max(export.PARITY_BATCHES), self._settings.seed)
        try:
            content = files.written(files.read(export.to_onnx(model, example, stated)), stated)
            export.check_parity(content, model, example, stated)
        except export.ExportError as error:
            raise CandidateError(f"It cannot be exported: {error}.") from None
        with tempfile.TemporaryDirectory(prefix="cloudtui-weights-") as folder:
            path = Path(folder) / "model.safetensors"
            weights.write_safetensors(path, model, stated)
            return Made(content, path.read_bytes())
