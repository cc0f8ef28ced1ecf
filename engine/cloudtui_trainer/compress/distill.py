"""Teaching a cut network what the whole one says: its shares of the classes, softened, and the labels.

A loop of its own beside `train`'s: there is nothing to resume within (a candidate is made whole or again), to
select by validation (the last averaged weights are taken, so validation stays unseen until the judgement) or
to draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import nn

from cloudtui_trainer.averaging import averaged
from cloudtui_trainer.compress.rows import TrainRows
from cloudtui_trainer.compress.settings import Settings
from cloudtui_trainer.devices import autocast, move
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.randomness import ORDER, STEP, VIEW, mixed, seed_devices
from cloudtui_trainer.rates import schedule
from cloudtui_trainer.stop import Stop

_STEPS = 2000
"""Where the epochs are not given: about as many updates, within what follows."""
_EPOCHS = (6, 20)
_WEIGHT_DECAY = 0.01
_LONGEST_AVERAGE = 0.998
VIEWS = 8
"""Epochs that differ in augmentation; the next ones are these again."""
_PLENTY = 20_000
"""Rows from which on they are shown as they are."""
_MOST_KEPT = 256 * 2**20
"""Bytes that the teacher's word may take; of more it is asked each time."""


@dataclass(frozen=True)
class Lesson:
    """How it is done: what of the settings, and on what."""

    settings: Settings
    device: torch.device
    half: bool

    def epochs(self, rows: int) -> int:
        """As many as were asked for, or as the data needs: many of few rows, few of many."""
        each = math.ceil(rows / self.settings.batch_size)
        least, most = _EPOCHS
        return self.settings.epochs or min(max(round(_STEPS / each), least), most)

    def augments(self, rows: int) -> bool:
        """Whether the rows are shown changed a little.

        A cut network is too small to learn many rows by heart; what it spends on shapes of them that no data
        has is missing elsewhere (`bench/RESULTS.md`). Of few rows the shapes are needed.
        """
        wish = self.settings.augment
        return rows < _PLENTY if wish == "auto" else wish == "yes"


class Lectures:
    """Batches of rows with what the teacher says of them.

    The whole network is several times as dear as the cut one that learns from it. So what it said of each row
    is kept; where rows are augmented, of each in `VIEWS` shapes, which are shown again and again.
    """

    def __init__(self, teacher: nn.Module, rows: TrainRows, lesson: Lesson) -> None:
        self._teacher, self._rows, self._lesson = teacher, rows, lesson
        self.each = math.ceil(rows.count / lesson.settings.batch_size)
        self._augment = lesson.augments(rows.count)
        self._views = VIEWS if self._augment else 1
        self._said: torch.Tensor | None = None
        self._order: tuple[torch.Tensor, ...] = ()

    def batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Inputs, targets and the teacher's outputs for a step; steps are asked for in their order."""
        seed, device = self._lesson.settings.seed, self._lesson.device
        epoch, place = divmod(step, self.each)
        view = epoch % self._views
        if not place:
            # A shape is drawn for a batch as a whole: the same shape needs the same order.
            chance = torch.Generator().manual_seed(mixed(seed, ORDER, view if self._augment else epoch))
            self._order = torch.randperm(self._rows.count, generator=chance).tensor_split(self.each)
        seed_devices(mixed(seed, VIEW, view * self.each + place), device)
        rows = self._order[place]
        inputs, targets = self._rows.batch(rows, augment=self._augment)
        inputs, targets = inputs.to(device), targets.to(device)
        return inputs, targets, self._word(inputs, rows.to(device), view, fresh=epoch < self._views)

    def _word(self, inputs: torch.Tensor, rows: torch.Tensor, view: int, *, fresh: bool) -> torch.Tensor:
        if not fresh and self._said is not None:
            return self._said[view, rows]
        with torch.no_grad(), autocast(self._lesson.device, self._lesson.half):
            said: torch.Tensor = self._teacher(inputs)
        if self._said is None and self._views * self._rows.count * said[0].nbytes <= _MOST_KEPT:
            # One block: thousands of small ones between a step's large ones would hold gigabytes of gaps.
            self._said = said.new_empty((self._views, self._rows.count, *said.shape[1:]))
        if self._said is not None:
            self._said[view, rows] = said
        return said


def distill(
    student: nn.Module,
    teacher: nn.Module,
    rows: TrainRows,
    lesson: Lesson,
    *,
    stop: Stop,
    tell: Callable[[float, int], None],
    masks: dict[str, torch.Tensor] | None = None,
) -> nn.Module:
    """Train the student; returns it with its averaged weights, on the CPU, in evaluation mode.

    Args:
        student: with the weights to begin from.
        teacher: what it learns from; left as it is.
        rows: of train.
        lesson: how.
        stop: read at every step.
        tell: called with the epochs done and their number.
        masks: weights that are held at zero, by name: 0 where they are.

    Raises:
        Stopped: the wish to stop was seen.
        TrainerError: the loss is not finite.
    """
    settings, device = lesson.settings, lesson.device
    student = move(student, device).train()
    teacher = move(teacher, device).eval()
    weights = dict(student.named_parameters())
    held = [(weights[name], mask.to(device)) for name, mask in (masks or {}).items()]
    optimizer = _optimizer(weights.values(), settings.lr)
    average = [tensor.clone() for tensor in averaged(student)]
    lectures = Lectures(teacher, rows, lesson)
    epochs = lesson.epochs(rows.count)
    steps = epochs * lectures.each
    lost = torch.zeros((), device=device)
    for step in range(steps):
        stop.heed()
        for group in optimizer.param_groups:
            group["lr"] = settings.lr * schedule("one_cycle", step / steps)
        inputs, targets, wanted = lectures.batch(step)
        seed_devices(mixed(settings.seed, STEP, step), device)
        with autocast(device, lesson.half):
            outputs = student(inputs).float()
        loss = mixed_loss(outputs, wanted.float(), rows.loss(outputs, targets), settings)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        with torch.no_grad():
            for weight, mask in held:
                weight.mul_(mask)
            decay = min(_LONGEST_AVERAGE, (2 + step) / (11 + step))
            torch._foreach_lerp_(average, averaged(student), 1 - decay)
            lost += loss.detach()
        tell((step + 1) / lectures.each, epochs)
        if (step + 1) % lectures.each == 0 and not math.isfinite(lost.item()):
            raise TrainerError("The loss of distillation is not finite.", "Set lr lower.")
    with torch.no_grad():
        for tensor, value in zip(averaged(student), average, strict=True):
            tensor.copy_(value)
        for weight, mask in held:
            weight.mul_(mask)
    teacher.to("cpu")
    return move(student, torch.device("cpu"), torch.contiguous_format).eval()


def mixed_loss(
    outputs: torch.Tensor, wanted: torch.Tensor, labels: torch.Tensor, settings: Settings
) -> torch.Tensor:
    """The divergence from the teacher's softened shares, as large as the plain one, and the labels' loss."""
    heat = settings.temperature
    soft = nn.functional.kl_div(
        (outputs / heat).log_softmax(1),
        (wanted / heat).log_softmax(1),
        reduction="batchmean",
        log_target=True,
    )
    return settings.soft * heat**2 * soft + (1 - settings.soft) * labels


def _optimizer(weights: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    """AdamW; what is one number a channel (norms, biases) is not decayed: small ones would go to nothing."""
    wide: list[nn.Parameter] = []
    narrow: list[nn.Parameter] = []
    for weight in weights:
        (wide if weight.dim() > 1 else narrow).append(weight)
    groups = [{"params": wide, "weight_decay": _WEIGHT_DECAY}, {"params": narrow, "weight_decay": 0.0}]
    return torch.optim.AdamW([group for group in groups if group["params"]], rate, fused=True)
