"""The job: make each candidate, measure its file, say what it is worth; choose on validation, test once."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn

from cloudtui_features import paired
from cloudtui_trainer import VERSION
from cloudtui_trainer.compress import files, measure
from cloudtui_trainer.compress.board import Board, Kept, Made, leave
from cloudtui_trainer.compress.candidates import CandidateError, Maker, Plan, failures, plans
from cloudtui_trainer.compress.distill import Lesson
from cloudtui_trainer.compress.given import Given, load
from cloudtui_trainer.compress.int8 import coverage, has_vnni
from cloudtui_trainer.compress.measure import Answers
from cloudtui_trainer.compress.rows import Judge, TrainRows
from cloudtui_trainer.compress.settings import Settings, read_settings
from cloudtui_trainer.compress.verdicts import Measured
from cloudtui_trainer.devices import cpu_multiplies_bf16, describe
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.identity import trainer_sha256
from cloudtui_trainer.job import Job
from cloudtui_trainer.recorder import Recorder, without_nan
from cloudtui_trainer.stop import Stop, Stopped


def run(job: Job, recorder: Recorder, stop: Stop) -> str:
    """Compress the given model. Returns how it ended: completed or stopped.

    Raises:
        TrainerError: it cannot be done; the message says why and what to do.
    """
    settings = read_settings(job.params)
    device = _device(settings)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    given = load(job, device)
    lesson = Lesson(settings, device, _half(settings, device, given.network))
    rows, judge = TrainRows(given.task), Judge(given.task)
    whole = measure.answers(given.content, judge, "validation")
    _see_it_can_lose(whole, judge)
    planned = plans(settings, given.network is not None)
    board = _board(given, settings, rows, judge, whole=whole, planned=planned)
    kept = Kept(job.earlier_checkpoints, _basis(given, settings))
    recorder.event(
        "started", device=describe(device), torch=torch.__version__, trainer=VERSION,
        precision="bf16" if lesson.half else "fp32", candidates=[plan.id for plan in planned],
        rows=board.head["rows"], params=dataclasses.asdict(settings),
    )  # fmt: skip
    recorder.say(
        f"{given.name}: {len(given.content):,} bytes, validation accuracy {whole.accuracy:.4f}; "
        f"{len(planned)} candidates, at most {settings.max_drop:g} points lost, the {settings.goal} is chosen"
    )
    progress = _Progress(recorder, planned)
    maker = Maker(given, rows, settings, lesson, stop=stop, tell=progress.tell)
    bench = _Bench(given.content, judge, whole, settings, stop)
    for plan in planned:
        if stop.requested:
            return "stopped"
        progress.begin(plan)
        before = kept.find(plan.to_json())
        try:
            made, found = before or _made(maker, plan, bench)
        except Stopped:
            return "stopped"
        except CandidateError as error:
            _pass_over(board, plan, error, recorder)
            continue
        _keep(job, kept, plan, made, found, write=before is None, recorder=recorder)
        maker.finished(plan, made)
        board.found.append(found)
        _tell(board, found, recorder, again=before is not None)
    if not board.found:
        raise TrainerError(f"No candidate could be made. {board.notes[-1]}")
    _decide(board, bench, maker, recorder)
    leave(job.artifacts, "report.json", _summary(job, board))
    for line in board.table():
        recorder.say(line)
    return "completed"


class _Progress:
    """How far it is, told with the candidate that is being made."""

    def __init__(self, recorder: Recorder, planned: Sequence[Plan]) -> None:
        self._recorder, self._planned = recorder, planned
        self._plan = planned[0]
        self._begun = time.monotonic()

    def begin(self, plan: Plan) -> None:
        self._plan = plan
        self.tell(plan.method, now=True)

    def tell(self, what: str, *, now: bool = False) -> None:
        done, count = self._planned.index(self._plan), len(self._planned)
        spent = time.monotonic() - self._begun
        eta = {"eta_s": round(spent / done * (count - done), 1)} if done else {}
        self._recorder.progress(now=now, text=f"{self._plan.id}: {what}", step=done, steps=count, **eta)


@dataclass(frozen=True)
class _Bench:
    """What every candidate is held against."""

    baseline: bytes
    judge: Judge
    whole: Answers
    settings: Settings
    stop: Stop

    @cached_property
    def inputs(self) -> dict[int, Any]:
        """A row and a batch, of validation rows taken again where they are few."""
        first, _ = next(self.judge.batches("validation"))
        places = np.arange(self.settings.batch) % len(first)
        return {1: first[:1].copy(), self.settings.batch: first[places].copy()}


def _device(settings: Settings) -> torch.device:
    there = torch.cuda.is_available()
    if settings.device == "cuda" and not there:
        raise TrainerError("device is cuda, but torch sees no GPU here.", "Choose device=cpu.")
    return torch.device("cuda", 0) if there and settings.device != "cpu" else torch.device("cpu")


def _half(settings: Settings, device: torch.device, network: nn.Module | None) -> bool:
    """Whether distillation multiplies in bf16: as in training, on a CPU for convolutions alone."""
    if settings.precision != "auto" or network is None:
        return settings.precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return cpu_multiplies_bf16() and any(isinstance(layer, nn.Conv2d) for layer in network.modules())


def _see_it_can_lose(whole: Answers, judge: Judge) -> None:
    """A model that says one thing of all rows cannot be made worse: every verdict on it would be a pass."""
    truth = {int(label) for _, labels in judge.batches("validation") for label in labels}
    if not whole.finite or (whole.constant and len(truth) > 1):
        what = (
            "gives the same class for every validation row" if whole.finite else "gives numbers that are none"
        )
        raise TrainerError(f"This model {what}: there is nothing to keep.", "Train it further first.")


def _board(
    given: Given, settings: Settings, rows: TrainRows, judge: Judge, *, whole: Answers, planned: list[Plan]
) -> Board:
    notes = []
    if rows.count < settings.calibration:
        notes.append(
            f"Only {rows.count} train rows set the ranges of int8; {settings.calibration} were wanted."
        )
    if not has_vnni():
        notes.append(
            "This CPU has no VNNI: int8 gains little here, and weights have 7 bits lest sums overflow."
        )
    if given.network is None:
        notes.append("There is no model.safetensors, so channels could not be pruned.")
    counts = {"calibration": min(rows.count, settings.calibration)}
    counts |= {split: judge.rows(split) for split in ("validation", "test")}
    return Board(
        settings,
        {"model": given.name, "dataset": given.task.dataset, "task": given.task_name, "rows": counts},
        {
            "accuracy": None, "validation_accuracy": whole.accuracy, "size_bytes": len(given.content),
            "latency_ms": None, "throughput": None,
        },
        len(planned),
        "CPU time of the one thread" if settings.threads == 1 else "wall clock",
        notes=notes,
    )  # fmt: skip


def _basis(given: Given, settings: Settings) -> list[Any]:
    """What a kept candidate must agree with: model, data, how it is made and timed, and by which code."""
    how = dataclasses.asdict(settings)
    for free in ("max_drop", "goal", "methods", "ratios", "device", "precision"):
        del how[free]
    return [files.sha256(given.content), given.task.dataset, how, trainer_sha256()]


def _made(maker: Maker, plan: Plan, bench: _Bench) -> tuple[Made, Measured]:
    """Make a candidate, then look at its file and at nothing else."""
    made = maker.make(plan)
    try:
        return made, _measured(made, plan, bench)
    except failures() as error:
        raise CandidateError(f"Its file cannot be computed: {str(error)[:300]}") from error


def _measured(made: Made, plan: Plan, bench: _Bench) -> Measured:
    settings, size = bench.settings, bench.settings.batch
    said = measure.answers(made.content, bench.judge, "validation", bench.stop.heed)
    timings = measure.timed(
        bench.baseline, made.content, bench.inputs, settings.rounds, settings.threads, look=bench.stop.heed
    )
    one, many = timings[1], timings[size]
    broken = "" if said.finite else "It gives numbers that are none."
    if said.constant and not bench.whole.constant:
        broken = "It gives the same class for every validation row."
    return Measured(
        id=plan.id, kind=plan.kind, method=plan.method, settings=plan.settings,
        sha256=files.sha256(made.content), size_bytes=len(made.content),
        size_ratio=len(bench.baseline) / len(made.content),
        coverage=coverage(made.content, made.left_out) if "int8" in plan.id else None,
        validation=paired.compare(bench.whole.right, said.right), accuracy=said.accuracy,
        predictions=said.predicted.tolist(), broken=broken,
        latency_ms=1000 * median(one.candidate), throughput=size / median(many.candidate),
        latency_ratio=one.ratio, throughput_ratio=many.ratio,
        control={"batch1": one.control, "batch64": many.control},
        baseline_seconds={"batch1": median(one.baseline), "batch64": median(many.baseline)},
        notes=made.notes, sensitivity=made.sensitivity,
    )  # fmt: skip


def _keep(
    job: Job, kept: Kept, plan: Plan, made: Made, found: Measured, *, write: bool, recorder: Recorder
) -> None:
    """Leave a candidate's files, and keep it for a later attempt."""
    leave(job.artifacts, f"{plan.id}/model.onnx", made.content)
    if made.weights:
        leave(job.artifacts, f"{plan.id}/model.safetensors", made.weights)
    if not write:
        return
    try:
        kept.keep(plan.to_json(), made, found)
    except OSError as error:
        recorder.event(
            "checkpoint_failed", level="warning", hint="Free some space on the disk.",
            text=f"{plan.id} cannot be kept for a resumed job: {error.strerror}.",
        )  # fmt: skip


def _pass_over(board: Board, plan: Plan, why: CandidateError, recorder: Recorder) -> None:
    """Go on without a candidate that cannot be made: the others are worth no less."""
    board.planned -= 1
    board.notes.append(f"{plan.id} could not be made: {why}")
    recorder.event("candidate_passed_over", level="warning", candidate=plan.id, text=board.notes[-1])


def _tell(board: Board, found: Measured, recorder: Recorder, *, again: bool) -> None:
    verdict = board.verdicts()[found.id]
    points = 100 * found.validation.delta
    recorder.event(
        "candidate", candidate=found.id, verdict=verdict.word, again=again,
        text=f"{found.id}: {found.size_ratio:.1f}x smaller, {found.latency_ratio:.1f}x for one row, "
        f"{found.throughput_ratio:.1f}x for {board.settings.batch}, {points:+.2f} points: "
        f"{verdict.word}. {verdict.why}" + (" Taken up from an earlier attempt." if again else ""),
    )  # fmt: skip
    recorder.report("compression", board.report())


def _decide(board: Board, bench: _Bench, maker: Maker, recorder: Recorder) -> None:
    """Choose on validation, then touch the test rows: for that one, and the baseline on the same rows."""
    chosen, judge = board.choice(), bench.judge
    judge.open_test(chosen.id if chosen else "the baseline")
    if judge.rows("test"):
        whole = measure.answers(bench.baseline, judge, "test")
        board.baseline["accuracy"] = whole.accuracy
        if chosen:
            said = measure.answers(maker.content(chosen.id), judge, "test")
            board.tested = (paired.compare(whole.right, said.right), said.accuracy)
            board.test_predictions = said.predicted.tolist()
    elif chosen:
        board.notes.append("There are no test rows: the verdict is that of validation, which chose it.")
    board.chosen = chosen
    recorder.report("compression", board.report())
    if chosen:
        verdict = board.verdicts()[chosen.id]
        text = f"Chosen: {chosen.id}, {verdict.word}. {verdict.why}"
    else:
        text = (
            f"None is chosen: none both stays within {board.settings.max_drop:g} points on validation and "
            "gives what it is for."
        )
    recorder.event("chosen", candidate=chosen.id if chosen else None, text=text)


def _summary(job: Job, board: Board) -> bytes:
    """The report as a file, with what each file says of each row."""
    predictions = {one.id: {"validation": list(one.predictions)} for one in board.found}
    if board.chosen and board.tested:
        predictions[board.chosen.id]["test"] = board.test_predictions
    summary = {
        "run": job.run, "name": job.name, "job": "compress", "of": job.of, "trainer": VERSION,
        "torch": torch.__version__, "params": dataclasses.asdict(board.settings),
        "compression": board.report(), "predictions": predictions,
    }  # fmt: skip
    return json.dumps(without_nan(summary), indent=1).encode()
