"""What a compression can be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from cloudtui_trainer.errors import ParamError
from cloudtui_trainer.params import choice, ranged, read_params

METHODS = ("int8", "prune", "fp16", "dynamic", "sparse")
"""In the order in which they are tried."""
LEAST_CALIBRATION = 256


@dataclass(frozen=True)
class Settings:
    """How a model is compressed and judged."""

    max_drop: float = ranged(0.5, 0.01, 50.0)
    """The largest loss of accuracy allowed, in points (hundredths)."""
    goal: str = choice("smallest", "fastest")
    """Which of the candidates that keep within it is chosen."""
    methods: str = "int8,prune,fp16,dynamic,sparse"
    """Some of `METHODS`, with commas between."""
    ratios: str = "0.4,0.55,0.7"
    """Shares of the cost that pruning takes away, with commas between; see `pruning.cost_of`."""
    epochs: int = ranged(0, 0, 10_000)
    """Of distillation; 0 takes as many as fit the data."""
    batch_size: int = ranged(128, 2, 65_536)
    """Of distillation."""
    lr: float = ranged(0.004, 1e-6, 10.0)
    """The highest learning rate of distillation."""
    temperature: float = ranged(2.0, 0.1, 100.0)
    """That soften the teacher's word."""
    soft: float = ranged(0.9, 0.0, 1.0)
    """The teacher's part of the loss; the labels have the rest."""
    augment: str = choice("auto", "yes", "no")
    """Whether distillation shows rows changed a little, as training did; auto: where there are few."""
    calibration: int = ranged(512, LEAST_CALIBRATION, 100_000)
    """Rows of train that set the ranges of int8."""
    probe: int = ranged(256, 16, 100_000)
    """Rows of train on which sensitivity is measured."""
    batch: int = ranged(64, 2, 4096)
    """Rows of the larger batch that is timed."""
    rounds: int = ranged(36, 5, 10_000)
    """Of timing, each the baseline and the candidate, and the baseline once more beside itself."""
    threads: int = ranged(1, 1, 256)
    """Of ONNX Runtime while it is timed."""
    seed: int = ranged(0, 0, 2**31 - 1)
    precision: str = choice("auto", "fp32", "bf16")
    """Of distillation."""
    device: str = choice("auto", "cpu", "cuda")
    """Of distillation; files are measured on the CPU."""

    @property
    def chosen_methods(self) -> list[str]:
        """The methods, in the order in which they are tried."""
        return _methods_in(self.methods)

    @property
    def chosen_ratios(self) -> list[float]:
        """The shares to prune, least first."""
        return _ratios_in(self.ratios)


def read_settings(given: Mapping[str, Any]) -> Settings:
    """The given values over the defaults; lists may be lists or words with commas between.

    Raises:
        ParamError: a name that is not there, or a value that cannot be used.
    """
    flat = {
        name: ",".join(str(part) for part in value) if isinstance(value, list | tuple) else value
        for name, value in given.items()
    }
    settings: Settings = read_params(cast(Any, Settings), flat)
    _methods_in(settings.methods)  # what is wrong with them is said now, not after the baseline is measured
    _ratios_in(settings.ratios)
    return settings


def _methods_in(text: str) -> list[str]:
    asked = _words(text)
    unknown = [word for word in asked if word not in METHODS]
    if unknown or not asked:
        raise ParamError(
            f"There is no method {unknown[0]!r}." if unknown else "No method is chosen.",
            f"Methods: {', '.join(METHODS)}.",
        )
    return [method for method in METHODS if method in asked]


def _ratios_in(text: str) -> list[float]:
    try:
        found = sorted({round(float(word), 2) for word in _words(text)})  # their names have two digits
    except ValueError:
        found = []
    if not found or not all(0.01 <= ratio <= 0.99 for ratio in found):
        raise ParamError(f"The ratios {text!r} cannot be used.", "They go from 0.01 to 0.99: 0.4,0.55,0.7")
    return found


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
