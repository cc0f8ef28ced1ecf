"""What learns: the model, its optimizer, its averaged weights, the scale of its loss; and one update."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import reduce
from typing import Any

import torch
from torch import nn

from cloudtui_trainer import memory
from cloudtui_trainer.averaging import averaged, follow
from cloudtui_trainer.devices import autocast_in
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.params import Params
from cloudtui_trainer.tasks.base import Task

FIRST_SCALE, GROWS_AFTER = 2.0**16, 2000
"""Of fp16's loss: halved after a step that overflowed, doubled after so many that did not."""


@dataclass
class Learner:
    """All tensors that change from step to step. `state` and `load` are its part of a checkpoint."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    average: list[torch.Tensor]
    """The averaged weights, or none."""
    scale: torch.Tensor
    """What the loss is multiplied by before its gradient is taken, and the good steps since it changed."""
    precision: str
    params: Params
    count: int = 0
    """Updates that the average holds."""

    def __post_init__(self) -> None:
        self.weights = list(self.model.parameters())
        self.statistics = list(self.model.buffers())
        self._before = [buffer.clone() for buffer in self.statistics]

    def gradients(self, task: Task, rows: torch.Tensor, parts: int, device: torch.device) -> torch.Tensor:
        """Add up the gradient of a batch, a part after the other. Returns the sums of loss and score."""
        sums: list[torch.Tensor] = []
        for part in rows.tensor_split(parts):
            inputs, targets = task.batch("train", part, augment=True)
            with autocast_in(device, self.precision):
                outputs = self.model(inputs)
            loss = task.loss(outputs, targets)
            if not sums:  # not before the forward pass: the memory would be given back and fetched anew
                self.optimizer.zero_grad(set_to_none=True)
            share = loss * (len(part) / len(rows)) if parts > 1 else loss
            torch.autograd.backward(share * self.scale[0] if self.precision == "fp16" else share)
            sums.append(torch.stack([loss.detach() * len(part), task.scored(outputs, targets)]).double())
        return reduce(torch.add, sums)

    def update(self, loss: torch.Tensor, rate: float) -> torch.Tensor:
        """One step against the gradient, unless that or the loss is not finite. Returns whether it was.

        It is seen and skipped on the device, and the optimizer looks by itself: no wait for it here.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        gradients = [gradient for weight in self.weights if (gradient := weight.grad) is not None]
        if self.precision == "fp16":
            torch._foreach_mul_(gradients, 1 / self.scale[0])
        # Torch's own norm takes twice as long on a CPU, so it is asked for only where its value is used.
        clip = self.params.clip
        norm = nn.utils.get_total_norm(gradients) if clip else _length(gradients)
        fine = torch.isfinite(loss + norm)
        if self.params.l1:
            learning = [
                weight.detach() for weight in self.weights if weight.grad is not None and weight.ndim > 1
            ]
            pulled = [gradient for gradient in gradients if gradient.ndim > 1]
            torch._foreach_add_(pulled, torch._foreach_sign(learning), alpha=self.params.l1)
        if clip:
            torch._foreach_mul_(gradients, (clip / (norm + 1e-6)).clamp(max=1.0))
        # What torch's fused optimizers look for, as its GradScaler sets it: a step to be left out.
        self.optimizer.found_inf = (~fine).float()  # type: ignore[attr-defined]
        try:
            self.optimizer.step()
        except memory.ERRORS as error:
            if not memory.ran_out(error):
                raise
            raise TrainerError(
                "The memory was too small amid an update, which cannot be done again from there.",
                "Resume the run with a lower batch_size: it goes on from its last checkpoint.",
            ) from None
        if self.precision == "fp16":
            self._rescale(fine)
        return fine

    def remember(self) -> None:
        """Keep the statistics as they are, to be put back where a step comes to nothing."""
        if self.statistics:
            torch._foreach_copy_(self._before, self.statistics)

    def put_back(self, fine: torch.Tensor | None = None) -> None:
        """The statistics as they were, unless the step was `fine`; a GPU is not waited for to know that."""
        if fine is not None and fine.device.type == "cpu" and bool(fine):
            return
        for buffer, old in zip(self.statistics, self._before, strict=True):
            buffer.copy_(old if fine is None else torch.where(fine, buffer, old))

    def averages(self) -> None:
        """Take the weights of this update into the average."""
        self.count += 1
        follow(self.average, self.model, self.params.ema, self.count)

    def state(self) -> dict[str, Any]:
        """Its part of a checkpoint."""
        return {
            "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
            "average": self.average, "scale": self.scale, "count": self.count,
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Put the tensors of a checkpoint in place."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        for tensor, kept in zip(self.average, state["average"], strict=True):
            tensor.copy_(kept)
        self.scale.copy_(state["scale"])
        self.count = int(state["count"])

    def set_training(self, frozen: Collection[str]) -> None:
        """Train all but the `frozen` tensors. Batch-norm of frozen weights keeps its statistics, too."""
        self.model.train()
        for name, weight in self.model.named_parameters():
            weight.requires_grad_(name not in frozen)
        for name, layer in self.model.named_modules():
            if isinstance(layer, nn.modules.batchnorm._BatchNorm) and f"{name}.weight" in frozen:
                layer.eval()

    def _rescale(self, fine: torch.Tensor) -> None:
        scale, good = self.scale[0], self.scale[1] + 1
        grown = good >= GROWS_AFTER
        self.scale[0] = torch.where(fine, torch.where(grown, scale * 2, scale), scale / 2)
        self.scale[1] = torch.where(fine & ~grown, good, 0.0)


def _length(tensors: list[torch.Tensor]) -> torch.Tensor:
    """How long they are, one after the other: finite where all of their numbers are."""
    return torch.stack(torch._foreach_norm(tensors)).sum()


def new_learner(model: nn.Module, params: Params, precision: str, device: torch.device) -> Learner:
    """The optimizer and the average of a model. Biases and norms are not pulled towards 0."""
    optimizer: torch.optim.Optimizer
    groups = [
        {"params": [w for w in model.parameters() if w.ndim > 1], "weight_decay": params.weight_decay},
        {"params": [w for w in model.parameters() if w.ndim <= 1], "weight_decay": 0.0},
    ]
    if params.optimizer == "adamw":
        optimizer = torch.optim.AdamW(groups, params.rate, fused=True)
    else:
        optimizer = torch.optim.SGD(
            groups, params.rate, momentum=params.momentum, nesterov=params.momentum > 0, fused=True
        )
    _make_room(optimizer)
    average = [tensor.clone() for tensor in averaged(model)] if params.ema else []
    scale = torch.tensor([FIRST_SCALE, 0.0], device=device)
    return Learner(model, optimizer, average, scale, precision, params)


def _make_room(optimizer: torch.optim.Optimizer) -> None:
    """All that the optimizer will hold, as zeros, before the first step.

    Left to itself it takes that memory amid a step, weight by weight, and SGD takes it without filling it:
    a first step that is skipped would leave its momentum to chance, and weights that are frozen until later
    would have none beside others that have.
    """
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    for weight in weights:
        weight.grad = torch.zeros_like(weight)
    # As in a step of the learner: this one is left out.
    optimizer.found_inf = torch.ones((), device=weights[0].device)  # type: ignore[attr-defined]
    optimizer.step()
    for weight in weights:
        weight.grad = None
        for held in optimizer.state[weight].values():
            held.zero_()
