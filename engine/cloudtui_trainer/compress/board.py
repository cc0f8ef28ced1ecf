"""What was measured so far: kept between attempts, told as a report, shown as a table."""

from __future__ import annotations

import hashlib
import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudtui_features.paired import Paired
from cloudtui_trainer.checkpoints import write_durably
from cloudtui_trainer.compress import files, measure
from cloudtui_trainer.compress.settings import Settings
from cloudtui_trainer.compress.verdicts import Measured, Verdict, choose, judge
from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.recorder import without_nan


@dataclass(frozen=True)
class Made:
    """The files of a candidate."""

    content: bytes
    weights: bytes | None = None
    notes: Sequence[str] = ()
    """For the report."""
    sensitivity: Sequence[Mapping[str, Any]] = ()
    """What was found on the way: what each layer loses."""
    left_out: int = 0
    """Heavy layers that int8 was not asked of."""


class Kept:
    """Finished candidates in the attempt's folder: a resumed job takes them up by what they are."""

    def __init__(self, folders: Sequence[Path], basis: Sequence[Any]) -> None:
        self._folders = folders
        self._basis = basis

    def find(self, plan: Mapping[str, Any]) -> tuple[Made, Measured] | None:
        """A candidate of this plan that is whole, from this attempt or an earlier one."""
        for folder in self._folders:
            place = folder / str(plan["id"])
            try:
                data = json.loads((place / "candidate.json").read_text())
                content = (place / "model.onnx").read_bytes()
                weights = (place / "model.safetensors").read_bytes() if data["weights"] else None
                found = Measured.from_json(data["measured"])
                if data["fingerprint"] != self._fingerprint(plan) or files.sha256(content) != found.sha256:
                    continue
                if weights is not None and files.sha256(weights) != data["weights"]:
                    continue
            except (OSError, ValueError, KeyError, TypeError):
                continue
            return Made(content, weights), found
        return None

    def keep(self, plan: Mapping[str, Any], made: Made, found: Measured) -> None:
        """Write a candidate down; its description last, for that makes it whole."""
        place = self._folders[0] / str(plan["id"])
        data = {
            "fingerprint": self._fingerprint(plan), "measured": without_nan(found.to_json()),
            "weights": files.sha256(made.weights) if made.weights else "",
        }  # fmt: skip
        write_durably(place / "model.onnx", [made.content])
        if made.weights:
            write_durably(place / "model.safetensors", [made.weights])
        write_durably(place / "candidate.json", [json.dumps(data).encode()])

    def _fingerprint(self, plan: Mapping[str, Any]) -> str:
        return hashlib.sha256(json.dumps([*self._basis, plan], sort_keys=True).encode()).hexdigest()


@dataclass
class Board:
    """All candidates, and what is said of them now: it may change with each that is added."""

    settings: Settings
    head: Mapping[str, Any]
    """`model`, `dataset`, `task`, `rows`."""
    baseline: dict[str, Any]
    planned: int
    clock: str
    found: list[Measured] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    chosen: Measured | None = None
    tested: tuple[Paired, float] | None = None
    """The chosen one beside the baseline on the test rows, and its accuracy there."""
    test_predictions: list[int] = field(default_factory=list)

    def bands(self) -> dict[str, list[float]]:
        """What noise alone makes of the baseline beside itself, from all rounds so far."""
        return {
            batch: measure.band([one.control[batch] for one in self.found]) for batch in ("batch1", "batch64")
        }

    def verdicts(self) -> dict[str, Verdict]:
        """What is said of each candidate."""
        bands, most, goal = self.bands(), self.settings.max_drop, self.settings.goal
        return {
            one.id: judge(
                one, self.found, max_drop=most, goal=goal, bands=bands,
                on=self.tested[0] if self.tested and one is self.chosen else None,
            )
            for one in self.found
        }  # fmt: skip

    def choice(self) -> Measured | None:
        """The one to be tested: by validation alone."""
        return choose(self.found, self.verdicts(), self.settings.goal)

    def report(self) -> dict[str, Any]:
        """All of it, as the journal has it."""
        verdicts, bands = self.verdicts(), self.bands()
        if self.found:
            seconds = {
                batch: statistics.median(one.baseline_seconds[batch] for one in self.found)
                for batch in ("batch1", "batch64")
            }
            self.baseline["latency_ms"] = 1000 * seconds["batch1"]
            self.baseline["throughput"] = self.settings.batch / seconds["batch64"]
        return {
            **self.head,
            "max_drop": self.settings.max_drop,
            "goal": self.settings.goal,
            "baseline": dict(self.baseline),
            "variants": [self._row(one, verdicts[one.id]) for one in self.found],
            "chosen": self.chosen.id if self.chosen else None,
            "timing": {
                "threads": self.settings.threads, "rounds": self.settings.rounds,
                "batch": self.settings.batch,
                "aa_band_batch1": bands["batch1"], "aa_band_batch64": bands["batch64"], "clock": self.clock,
            },
            "sensitivity": self._sensitivity(),
            "notes": [*self.notes, *(f"{one.id}: {note}." for one in self.found for note in one.notes)],
            "measured": len(self.found),
            "planned": self.planned,
        }  # fmt: skip

    def table(self) -> list[str]:
        """The same for people, a line a candidate."""
        lines = ["  Variant           Acc  Delta [95%], points        Size    bs1   bs64  Verdict"]
        for one, verdict in ((one, self.verdicts()[one.id]) for one in self.found):
            pair, accuracy = self._judged(one)
            interval = f"{100 * pair.delta:+.2f} [{100 * pair.low:+.2f}, {100 * pair.high:+.2f}]"
            ratios = (one.size_ratio, one.latency_ratio, one.throughput_ratio)
            lines.append(
                f"{'*' if one is self.chosen else ' '} {one.id:<14} {100 * accuracy:6.2f}  {interval:<24} "
                + " ".join(f"{ratio:5.1f}x" for ratio in ratios)
                + f"  {verdict.word}"
            )
        return lines

    def _sensitivity(self) -> list[dict[str, Any]]:
        """Of each layer once: a resumed job measures some anew."""
        rows = {(row["of"], row["layer"]): dict(row) for one in self.found for row in one.sensitivity}
        return list(rows.values())

    def _judged(self, one: Measured) -> tuple[Paired, float]:
        return self.tested if self.tested and one is self.chosen else (one.validation, one.accuracy)

    def _row(self, one: Measured, verdict: Verdict) -> dict[str, Any]:
        pair, accuracy = self._judged(one)
        return {
            "id": one.id, "method": one.method, "settings": dict(one.settings),
            "split": "test" if self.tested and one is self.chosen else "validation",
            "n": pair.n, "accuracy": accuracy, "delta": pair.delta, "delta_ci": [pair.low, pair.high],
            "mcnemar_p": pair.p,
            "validation": {
                "accuracy": one.accuracy, "delta": one.validation.delta, "n": one.validation.n,
                "delta_ci": [one.validation.low, one.validation.high],
            },
            "size_bytes": one.size_bytes, "size_ratio": one.size_ratio, "latency_ms": one.latency_ms,
            "latency_ratio": one.latency_ratio, "throughput": one.throughput,
            "throughput_ratio": one.throughput_ratio, "qlinear_coverage": one.coverage,
            "verdict": verdict.word, "why": verdict.why, "file": f"{one.id}/model.onnx", "sha256": one.sha256,
            "eligible": verdict.eligible,
        }  # fmt: skip


def leave(folder: Path, name: str, content: bytes) -> None:
    """Write an artifact.

    Raises:
        TrainerError: it could not be written.
    """
    try:
        write_durably(folder / name, [content])
    except OSError as error:
        raise TrainerError(
            f"{name} cannot be written to {folder}: {error.strerror}.",
            "Free some space and resume the job: it goes on with what is not finished.",
        ) from None
