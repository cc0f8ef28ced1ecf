"""The loop. Read it from top to bottom.

Everything random comes from (seed, epoch) or (seed, step), and everything else that a step depends on is in
the checkpoint: so a run that was cut off anywhere and resumed ends with the same weights, bit for bit, on the
same kind of device with the same torch and number of threads.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from cloudtui_trainer import VERSION, checkpoints, memory, transfer
from cloudtui_trainer.artifacts import leave_best
from cloudtui_trainer.averaging import swapped
from cloudtui_trainer.checkpoints import Checkpoint
from cloudtui_trainer.devices import choose_device, choose_precision, describe, prepare
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.finishing import finish, told_params
from cloudtui_trainer.fitting import fit
from cloudtui_trainer.job import Job
from cloudtui_trainer.learner import Learner, new_learner
from cloudtui_trainer.params import Params, read_params
from cloudtui_trainer.parts import divided, most_parts, smaller
from cloudtui_trainer.predicting import predict
from cloudtui_trainer.randomness import INITIAL, ORDER, STEP, mixed, seed_devices
from cloudtui_trainer.rates import schedule
from cloudtui_trainer.recorder import Recorder
from cloudtui_trainer.stop import Stop
from cloudtui_trainer.tasks import find_task
from cloudtui_trainer.tasks.base import SPLITS, Task, improved

BAD_STEPS = 10
"""Steps in a row without a finite loss and gradient after which the weights are taken back."""


@dataclass
class At:
    """Where the run is: the numbers of a checkpoint."""

    step: int = 0
    epoch: int = 0
    position: int = 0
    """Batches of this epoch that are done."""
    waited: int = 0
    """Epochs since the best one."""
    parts: int = 1
    """In which a batch is computed."""
    rate_scale: float = 1.0
    taken_back: bool = False


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
    prepare(device, params.threads)
    task = kind(job.dataset, params, device)
    if fitted := task.fitted(job.model):
        return fit(job, task, params, fitted, recorder=recorder, stop=stop)
    rows = task.rows("train")
    params = replace(params, batch_size=params.update_rows(rows))  # as it is told, too
    steps_per_epoch = math.ceil(rows / params.batch_size)
    steps = params.epochs * steps_per_epoch

    # --- what learns, and where it is ---
    learner = fresh(job, task, params, device)
    model = learner.model
    at = At(parts=min(params.accumulate, most_parts(rows, steps_per_epoch)))
    best: dict[str, Any] = {}
    frozen: list[str] = []
    best_kept = -1
    # Left on the device: sums since the last point (loss, score, rows), and bad steps (all, in a row).
    window = torch.zeros(3, dtype=torch.float64, device=device)
    bad = torch.zeros(2, dtype=torch.float64, device=device)
    if found:
        state = found.load(device)
        learner.load(state)
        at, best, frozen = At(**state["at"]), dict(state["best"]), list(state["frozen"])
        window, bad = state["window"], state["bad"]
    elif job.weights:
        taken = transfer.take(job.weights, model, task.exported().get("labels", []))
        frozen = taken.body if params.freeze_epochs else []
        recorder.event("weights_taken", **taken.told(job.weights))

    def keep() -> bool:
        """Write a checkpoint, and the best weights where they are new; a full disk is told and survived."""
        nonlocal best_kept
        recorder.flush()  # a checkpoint says that the points up to its step are in the journal
        others = {"at": asdict(at), "best": best, "frozen": frozen, "window": window, "bad": bad}
        written = False
        try:
            checkpoints.save(job.checkpoints, at.step, job.fingerprint, {**learner.state(), **others})
            written = True
            if best and best["step"] != best_kept:
                leave_best(job.checkpoints, model, task, best)
                best_kept = best["step"]
        except OSError as error:
            recorder.event(
                "checkpoint_failed", level="warning", step=at.step,
                text=f"Cannot write {'the best weights' if written else 'a checkpoint'} at step {at.step}: "
                f"{error.strerror}.",
                hint="Free some space on the disk.",
            )  # fmt: skip
        return written

    parameters = sum(weight.numel() for weight in model.parameters())
    recorder.event(
        "started", device=describe(device), torch=torch.__version__, precision=learner.precision,
        threads=torch.get_num_threads(), parameters=parameters, steps=steps, trainer=VERSION,
        rows={split: task.rows(split) for split in SPLITS}, params=told_params(params), **task.store.told(),
    )  # fmt: skip
    recorder.event(
        "goals", **{f"{split}/{key}": goal for split in SPLITS for key, goal in task.goals.items()}
    )
    recorder.say(
        f"{parameters:,} parameters, {rows:,} rows, {params.epochs} epochs of {steps_per_epoch} steps on "
        f"{describe(device)}, torch {torch.__version__}" + (f"; goes on from step {at.step}" if found else "")
    )
    begun, begun_at, kept_at = time.monotonic(), at.step, time.monotonic()

    # --- train ---
    while at.epoch < params.epochs and not (params.early_stopping and at.waited >= params.early_stopping):
        epoch_begun = time.monotonic()
        chance = torch.Generator().manual_seed(mixed(params.seed, ORDER, at.epoch))
        # Batches of nearly equal size: no tiny one at the end for batch-norm to stumble over.
        batches = torch.randperm(rows, generator=chance).tensor_split(steps_per_epoch)
        task.store.expect("train", divided(batches[at.position :], at.parts))
        learner.set_training(frozen if at.epoch < params.freeze_epochs else [])
        while at.position < steps_per_epoch:
            counted = (
                params.checkpoint_every_steps and at.step and at.step % params.checkpoint_every_steps == 0
            )
            timed = params.checkpoint_every_s and time.monotonic() - kept_at > params.checkpoint_every_s
            if stop.requested:
                return stopped(keep(), at.step)
            if (counted or timed) and at.step > begun_at:
                keep()
                kept_at = time.monotonic()

            # One update. Where memory runs out, the same one again from the same state, in smaller parts.
            rate = at.rate_scale * params.rate * schedule(params.schedule, at.step / steps)
            batch = batches[at.position]
            learner.remember()
            seed_devices(mixed(params.seed, STEP, at.step), device)
            try:
                sums = learner.gradients(task, batch, at.parts, device)
                fine = learner.update(sums[0], rate)
            except memory.ERRORS as error:
                if not memory.ran_out(error):
                    raise
                failed_with = at.parts
            else:
                failed_with = 0
            if failed_with:  # outside the handler: the error holds on to what was computed
                learner.put_back()
                at.parts = smaller(failed_with, most_parts(rows, steps_per_epoch), recorder, at.step, device)
                task.store.expect("train", divided(batches[at.position :], at.parts))
                continue
            learner.put_back(fine)
            learner.averages()
            window[:2].add_(torch.where(fine, sums, 0.0))
            window[2].add_(fine, alpha=len(batch))
            bad.add_(~fine)
            bad[1].mul_(~fine)
            at.step += 1
            at.position += 1

            last = at.position == steps_per_epoch
            if at.step % params.log_every == 0 or last:
                loss_sum, score_sum, seen = window.tolist()
                window.zero_()
                point = {
                    "train/loss": loss_sum / seen if seen else math.nan,
                    f"train/{task.score}": score_sum / seen if seen else math.nan,
                    "train/learning_rate": rate,
                }
                if not last:
                    recorder.metric(at.step, point)
                per_step = (time.monotonic() - begun) / (at.step - begun_at)
                recorder.progress(
                    now=last, step=at.step, steps=steps,
                    epoch=at.epoch + at.position / steps_per_epoch, epochs=params.epochs,
                    eta_s=round(per_step * (steps - at.step), 1),
                    rate=round(rows / steps_per_epoch / per_step, 1),
                )  # fmt: skip

            if (at.step % BAD_STEPS == 0 or last) and bad[1].item() >= BAD_STEPS:
                why = f"The loss was not finite for {int(bad[1].item())} steps in a row at step {at.step}."
                if at.taken_back:
                    raise TrainerError(why, "Lower lr, or look for broken values in the data.")
                at.rate_scale, at.taken_back = at.rate_scale / 2, True
                learner, source = taken_from(job, task, params, device)
                model = learner.model
                learner.set_training(frozen if at.epoch < params.freeze_epochs else [])
                bad.zero_()
                recorder.event(
                    "taken_back", level="warning", step=at.step, to_step=source, rate_scale=at.rate_scale,
                    text=f"{why} The weights of step {source} are taken again, with half the learning rate.",
                )  # fmt: skip

        # --- the epoch is over: how good is it? ---
        with swapped(model, learner.average):
            measured = task.metrics(
                "validation", predict(model, task, "validation", device, learner.precision)
            )
            if improved(task, measured, best):
                weights = {key: value.detach().clone() for key, value in model.state_dict().items()}
                best = {"metrics": measured, "epoch": at.epoch + 1, "step": at.step, "weights": weights}
                at.waited = 0
            else:
                at.waited += 1
        recorder.metric(at.step, point | {f"validation/{key}": value for key, value in measured.items()})
        recorder.say(
            f"epoch {at.epoch + 1:>{len(str(params.epochs))}}/{params.epochs}  "
            + "  ".join(f"{key} {value:.4f}" for key, value in point.items() if key != "train/learning_rate")
            + "".join(f"  validation/{key} {value:.4f}" for key, value in measured.items())
            + f"  {time.monotonic() - epoch_begun:.1f} s"
        )
        at.epoch, at.position = at.epoch + 1, 0

    # --- the end: judge the best epoch once on the test rows, and leave the files ---
    if bad[0].item():
        recorder.event("skipped_steps", level="warning", steps=int(bad[0].item()))
    safe = keep()
    if stop.requested:
        return stopped(safe, at.step)
    if not best:
        raise TrainerError("No epoch was finished, so there is nothing to evaluate.")
    model.load_state_dict(best["weights"])
    recorder.progress(
        now=True, text="Evaluating", step=at.step, steps=steps, epoch=at.epoch, epochs=params.epochs, eta_s=0
    )
    finish(job, task, params, recorder, model=model, best=best, step=at.step)
    return "completed"


def fresh(job: Job, task: Task, params: Params, device: torch.device) -> Learner:
    """A new model, drawn from the seed, and what trains it."""
    torch.manual_seed(mixed(params.seed, INITIAL, 0))
    model = task.build(job.model or task.models[0])
    return new_learner(model, params, choose_precision(params, device, model), device)


def taken_from(job: Job, task: Task, params: Params, device: torch.device) -> tuple[Learner, int]:
    """The weights of the newest checkpoint, or new ones, and their step.

    The count of steps goes on from where it is, so no point of a curve is written twice.
    """
    learner = fresh(job, task, params, device)
    found, _ = checkpoints.newest(job.earlier_checkpoints, job.fingerprint)
    state = found.load(device) if found else None
    if found and state and all(bool(torch.isfinite(tensor).all()) for tensor in state["model"].values()):
        learner.load(state)
        return learner, found.step
    if job.weights:
        transfer.take(job.weights, learner.model, task.exported().get("labels", []))
    return learner, 0


def stopped(kept: bool, step: int) -> str:
    """How a run ends that was asked to: well, if its checkpoint was written."""
    if not kept:
        raise TrainerError(
            f"Stopped at step {step}, but its checkpoint could not be written.", "Free some space."
        )
    return "stopped"
