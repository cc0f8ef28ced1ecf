"""The loop. Read it from top to bottom.

Everything random comes from (seed, epoch) or (seed, step), and everything else that a step depends on is in
the checkpoint: so a run that was cut off anywhere and resumed ends with the same weights, bit for bit, on the
same kind of device with the same torch and number of threads.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from cloudtui_trainer import VERSION, artifacts, checkpoints
from cloudtui_trainer.checkpoints import Checkpoint
from cloudtui_trainer.devices import autocast, choose_device, choose_precision, describe, prepare
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.job import Job
from cloudtui_trainer.params import Params, read_params
from cloudtui_trainer.randomness import INITIAL, ORDER, STEP, mixed, seed_devices
from cloudtui_trainer.rates import schedule
from cloudtui_trainer.recorder import Recorder
from cloudtui_trainer.stop import Stop
from cloudtui_trainer.tasks import find_task
from cloudtui_trainer.tasks.base import Outputs, Task

BAD_STEPS = 10
"""Steps in a row without a finite loss and gradient after which the weights are taken back."""
EVALUATED_AT_ONCE = 256


def train(job: Job, recorder: Recorder, stop: Stop, found: Checkpoint | None) -> str:  # noqa: C901, PLR0912, PLR0915
    """Train, evaluate and leave the artifacts. Returns how it ended: completed or stopped.

    Args:
        job: what is to be done.
        recorder: where it is told.
        stop: read at every step.
        found: the checkpoint to go on from.

    Raises:
        TrainerError: it cannot be done; the message says why and what to do.
    """
    # --- what is given ---
    kind = find_task(job.task)
    params = read_params(kind.Params, job.params)
    device = choose_device(params)
    half = choose_precision(params, device) == "bf16"
    prepare(device, params.threads)
    task = kind(job.dataset, params, device)
    rows = task.rows("train")
    steps_per_epoch = math.ceil(rows / params.batch_size)
    steps = params.epochs * steps_per_epoch

    # --- model, optimizer, and all that changes from step to step ---
    model, optimizer, average = fresh(task, job.model, params)
    statistics = [buffer for buffer in model.buffers() if buffer.is_floating_point()]
    step = epoch = position = waited = 0
    rate_scale, taken_back = 1.0, False
    best: dict[str, Any] = {}
    # Left on the device: sums since the last point (loss, score, rows), and bad steps (all, in a row).
    window = torch.zeros(3, dtype=torch.float64, device=device)
    bad = torch.zeros(2, dtype=torch.float64, device=device)

    if found:
        state = found.load(device)
        restore(model, optimizer, average, state)
        step, epoch, position, waited = (
            int(state["progress"][key]) for key in ("step", "epoch", "position", "waited")
        )
        rate_scale, taken_back = float(state["progress"]["rate_scale"]), bool(state["progress"]["taken_back"])
        best, window, bad = dict(state["best"]), state["window"], state["bad"]

    def snapshot() -> dict[str, Any]:
        progress = {"step": step, "epoch": epoch, "position": position, "waited": waited}
        return {
            "model": model.state_dict(), "optimizer": optimizer.state_dict(), "average": average,
            "progress": {**progress, "rate_scale": rate_scale, "taken_back": taken_back},
            "best": best, "window": window, "bad": bad,
        }  # fmt: skip

    def keep() -> bool:
        """Write a checkpoint; a full disk is told and survived."""
        recorder.flush()  # a checkpoint says that the points up to its step are in the journal
        try:
            checkpoints.save(job.checkpoints, step, job.fingerprint, snapshot())
        except OSError as error:
            recorder.event(
                "checkpoint_failed", level="warning", step=step,
                text=f"Cannot write a checkpoint at step {step}: {error.strerror}.",
                hint="Free some space on the disk.",
            )  # fmt: skip
            return False
        return True

    parameters = sum(weight.numel() for weight in model.parameters())
    recorder.event(
        "started", device=describe(device), torch=torch.__version__, precision="bf16" if half else "fp32",
        threads=torch.get_num_threads(), parameters=parameters, steps=steps, trainer=VERSION,
        rows={split: task.rows(split) for split in ("train", "validation", "test")},
        params={key: getattr(params, key) for key in params.__dataclass_fields__} | {"lr": params.rate},
    )  # fmt: skip
    splits = ("train", "validation", "test")
    recorder.event(
        "goals", **{f"{split}/{key}": goal for split in splits for key, goal in task.goals.items()}
    )
    recorder.say(
        f"{parameters:,} parameters, {rows:,} rows, {params.epochs} epochs of {steps_per_epoch} steps on "
        f"{describe(device)}, torch {torch.__version__}" + (f"; goes on from step {step}" if found else "")
    )
    begun, begun_at, kept_at = time.monotonic(), step, time.monotonic()

    # --- train ---
    while epoch < params.epochs and not (params.early_stopping and waited >= params.early_stopping):
        epoch_begun = time.monotonic()
        chance = torch.Generator().manual_seed(mixed(params.seed, ORDER, epoch))
        # Batches of nearly equal size: no tiny one at the end for batch-norm to stumble over.
        batches = torch.randperm(rows, generator=chance).tensor_split(steps_per_epoch)
        model.train()
        while position < steps_per_epoch:
            counted = params.checkpoint_every_steps and step and step % params.checkpoint_every_steps == 0
            timed = params.checkpoint_every_s and time.monotonic() - kept_at > params.checkpoint_every_s
            if stop.requested:
                return stopped(keep(), step)
            if (counted or timed) and step > begun_at:
                keep()
                kept_at = time.monotonic()

            rate = rate_scale * params.rate * schedule(params.schedule, step / steps)
            for group in optimizer.param_groups:
                group["lr"] = rate
            seed_devices(mixed(params.seed, STEP, step), device)
            inputs, targets = task.batch("train", batches[position], augment=True)
            before = [buffer.clone() for buffer in statistics]
            with autocast(device, half):
                outputs = model(inputs)
            loss = task.loss(outputs, targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]

            # A loss or gradient that is not finite is seen and skipped on the device: no wait for it here.
            norm = nn.utils.get_total_norm(
                [weight.grad for weight in model.parameters() if weight.grad is not None]
            )
            fine = torch.isfinite(loss.detach()) & torch.isfinite(norm)
            optimizer.found_inf = (~fine).float()  # type: ignore[attr-defined]
            optimizer.step()
            for buffer, old in zip(statistics, before, strict=True):
                torch.where(fine, buffer, old, out=buffer)
            if average:
                torch._foreach_lerp_(average, averaged(model), 1 - params.ema)
            with torch.no_grad():
                sums = torch.stack([loss.detach() * len(targets), task.scored(outputs, targets)])
                window[:2] += torch.where(fine, sums, 0.0)
                window[2] += fine * len(targets)
                bad[0] += ~fine
                bad[1] = torch.where(fine, 0.0, bad[1] + 1)
            step += 1
            position += 1

            last = position == steps_per_epoch
            if step % params.log_every == 0 or last:
                loss_sum, score_sum, seen = window.tolist()
                window.zero_()
                point = {
                    "train/loss": loss_sum / seen if seen else math.nan,
                    f"train/{task.score}": score_sum / seen if seen else math.nan,
                    "train/learning_rate": rate,
                }
                if not last:
                    recorder.metric(step, point)
                per_step = (time.monotonic() - begun) / (step - begun_at)
                recorder.progress(
                    now=last, step=step, steps=steps,
                    epoch=epoch + position / steps_per_epoch, epochs=params.epochs,
                    eta_s=round(per_step * (steps - step), 1),
                    rate=round(rows / steps_per_epoch / per_step, 1),
                )  # fmt: skip

            if (step % BAD_STEPS == 0 or last) and bad[1].item() >= BAD_STEPS:
                why = f"The loss was not finite for {int(bad[1].item())} steps in a row at step {step}."
                if taken_back:
                    raise TrainerError(why, "Lower lr, or look for broken values in the data.")
                rate_scale, taken_back = rate_scale / 2, True
                model, optimizer, average, source = taken_from(job, task, params, device)
                statistics = [buffer for buffer in model.buffers() if buffer.is_floating_point()]
                model.train()
                bad.zero_()
                recorder.event(
                    "taken_back", level="warning", step=step, to_step=source, rate_scale=rate_scale,
                    text=f"{why} The weights of step {source} are taken again, with half the learning rate.",
                )  # fmt: skip

        # --- the epoch is over: how good is it? ---
        with swapped(model, average):
            measured = task.metrics("validation", predict(model, task, "validation", device, half))
            if not best or better(task, measured, best["metrics"]):
                weights = {key: value.detach().clone() for key, value in model.state_dict().items()}
                best = {"metrics": measured, "epoch": epoch + 1, "step": step, "weights": weights}
                waited = 0
            else:
                waited += 1
        recorder.metric(step, point | {f"validation/{key}": value for key, value in measured.items()})
        recorder.say(
            f"epoch {epoch + 1:>{len(str(params.epochs))}}/{params.epochs}  "
            + "  ".join(f"{key} {value:.4f}" for key, value in point.items() if key != "train/learning_rate")
            + "".join(f"  validation/{key} {value:.4f}" for key, value in measured.items())
            + f"  {time.monotonic() - epoch_begun:.1f} s"
        )
        epoch, position = epoch + 1, 0

    # --- the end: judge the best epoch once on the test rows, and leave the files ---
    if bad[0].item():
        recorder.event("skipped_steps", level="warning", steps=int(bad[0].item()))
    safe = keep()
    if stop.requested:
        return stopped(safe, step)
    if not best:
        raise TrainerError("No epoch was finished, so there is nothing to evaluate.")
    model.load_state_dict(best["weights"])
    recorder.progress(
        now=True, text="Evaluating", step=step, steps=steps, epoch=epoch, epochs=params.epochs, eta_s=0
    )
    outputs_of = {split: predict(model, task, split, device, half=False) for split in ("validation", "test")}
    evaluations = {
        split: {"model": job.name or job.run, "dataset": task.dataset, "split": split, "task": job.task}
        | task.evaluation(split, outputs)
        for split, outputs in outputs_of.items()
    }
    summary = {
        "run": job.run, "name": job.name, "dataset": task.dataset, "task": job.task,
        "model": job.model or kind.models[0], "trainer": VERSION, "torch": torch.__version__,
        "params": {key: getattr(params, key) for key in params.__dataclass_fields__} | {"lr": params.rate},
        "parameters": parameters, "best": {key: best[key] for key in ("epoch", "step", "metrics")},
        "evaluation": evaluations,
        "predictions": {split: task.predictions(outputs) for split, outputs in outputs_of.items()},
    }  # fmt: skip
    artifacts.leave(job.artifacts, model, task, summary, recorder)

    tested = task.metrics("test", outputs_of["test"])
    recorder.metric(step, {f"test/{key}": value for key, value in tested.items()})
    for split, evaluation in evaluations.items():
        recorder.report(f"evaluation/{split}", evaluation)
    recorder.say(
        "test  "
        + "  ".join(f"{key} {value:.4f}" for key, value in tested.items())
        + f"  (best epoch {best['epoch']})"
    )
    return "completed"


def fresh(
    task: Task, name: str, params: Params
) -> tuple[nn.Module, torch.optim.Optimizer, list[torch.Tensor]]:
    """A new model, its optimizer and, where wanted, the averaged weights (else an empty list)."""
    torch.manual_seed(mixed(params.seed, INITIAL, 0))
    model = task.build(name or task.models[0])
    optimizer: torch.optim.Optimizer
    if params.optimizer == "adamw":
        optimizer = torch.optim.AdamW(
            model.parameters(), params.rate, weight_decay=params.weight_decay, fused=True
        )
    else:
        optimizer = torch.optim.SGD(
            model.parameters(),
            params.rate,
            momentum=0.9,
            weight_decay=params.weight_decay,
            nesterov=True,
            fused=True,
        )
    return model, optimizer, [tensor.clone() for tensor in averaged(model)] if params.ema else []


def restore(
    model: nn.Module, optimizer: torch.optim.Optimizer, average: list[torch.Tensor], state: dict[str, Any]
) -> None:
    """Put the tensors of a checkpoint in place."""
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    for tensor, kept in zip(average, state["average"], strict=True):
        tensor.copy_(kept)


def taken_from(
    job: Job, task: Task, params: Params, device: torch.device
) -> tuple[nn.Module, torch.optim.Optimizer, list[torch.Tensor], int]:
    """The weights of the newest checkpoint, or new ones, and their step.

    The count of steps goes on from where it is, so no point of a curve is written twice.
    """
    model, optimizer, average = fresh(task, job.model, params)
    found, _ = checkpoints.newest(job.earlier_checkpoints, job.fingerprint)
    if not found:
        return model, optimizer, average, 0
    state = found.load(device)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in state["model"].values()):
        return model, optimizer, average, 0
    restore(model, optimizer, average, state)
    return model, optimizer, average, found.step


@torch.no_grad()
def predict(model: nn.Module, task: Task, split: str, device: torch.device, half: bool) -> Outputs:
    """The model's outputs for every row of a split, in row order."""
    model.eval()
    parts = []
    for rows in torch.split(torch.arange(task.rows(split)), EVALUATED_AT_ONCE):
        with autocast(device, half):
            parts.append(model(task.batch(split, rows)[0]).float())
    outputs: Outputs = torch.cat(parts).cpu().numpy().astype(np.float32)
    return outputs


def averaged(model: nn.Module) -> list[torch.Tensor]:
    """The tensors that are averaged: weights and the statistics of batch-norm."""
    return [tensor.detach() for tensor in model.state_dict().values() if tensor.is_floating_point()]


@contextlib.contextmanager
def swapped(model: nn.Module, average: list[torch.Tensor]) -> Iterator[None]:
    """The model with its averaged weights, where there are any, until the end of the block."""
    if not average:
        yield
        return
    own = [tensor.clone() for tensor in averaged(model)]
    for tensor, value in zip(averaged(model), average, strict=True):
        tensor.copy_(value)
    try:
        yield
    finally:
        for tensor, value in zip(averaged(model), own, strict=True):
            tensor.copy_(value)


def better(task: Task, new: dict[str, float], old: dict[str, float]) -> bool:
    """By the task's selection: the first metric that differs decides; NaN is worse than any number."""
    for key in task.selection:
        sign = 1 if task.goals[key] == "max" else -1
        left, right = (-math.inf if math.isnan(value) else sign * value for value in (new[key], old[key]))
        if left != right:
            return left > right
    return False


def stopped(kept: bool, step: int) -> str:
    """How a run ends that was asked to: well, if its checkpoint was written."""
    if not kept:
        raise TrainerError(
            f"Stopped at step {step}, but its checkpoint could not be written.", "Free some space."
        )
    return "stopped"
