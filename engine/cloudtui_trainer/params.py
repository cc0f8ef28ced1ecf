"""Parameters of a run: typed, with defaults, checked before anything is computed.

A task adds its own by a subclass of `Params`, and may change defaults there.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cloudtui_trainer.errors import ParamError


def ranged(default: Any, low: float, high: float) -> Any:
    """A number from `low` to `high`."""
    return dataclasses.field(default=default, metadata={"low": low, "high": high})


def choice(default: str, *others: str) -> Any:
    """One of a few words."""
    return dataclasses.field(default=default, metadata={"choices": (default, *others)})


@dataclass(frozen=True)
class Params:
    """What every task can be told."""

    epochs: int = ranged(20, 1, 100_000)
    batch_size: int = ranged(64, 2, 65_536)
    """Rows of an update."""
    accumulate: int = ranged(1, 1, 65_536)
    """Parts in which the batch of an update is computed, one by one: less memory, the same update."""
    lr: float = ranged(0.0, 0.0, 100.0)
    """The highest learning rate; 0 takes the optimizer's own (adamw 0.003, sgd 0.05)."""
    weight_decay: float = ranged(0.01, 0.0, 10.0)
    """L2 of all but biases and norms: beside the gradient with adamw, in it with sgd."""
    l1: float = ranged(0.0, 0.0, 10.0)
    """Pull of the same weights towards 0, whatever their size."""
    clip: float = ranged(0.0, 0.0, 1e6)
    """The longest gradient, as a norm of all; 0 is without."""
    optimizer: str = choice("adamw", "sgd")
    momentum: float = ranged(0.9, 0.0, 0.9999)
    """Of sgd, Nesterov's."""
    schedule: str = choice("one_cycle", "cosine", "step", "constant")
    """`step` divides by 10 after a half and after three quarters."""
    seed: int = ranged(0, 0, 2**31 - 1)
    ema: float = ranged(0.0, 0.0, 0.99999)
    """Decay of the averaged weights, which are then judged and kept; 0 is without."""
    early_stopping: int = ranged(0, 0, 100_000)
    """Epochs without a better validation after which it ends; 0 is never."""
    freeze_epochs: int = ranged(0, 0, 100_000)
    """Epochs at the beginning in which what was taken from given weights stays as it is, but for the head."""
    precision: str = choice("auto", "fp32", "bf16", "fp16")
    """fp16 on a GPU alone."""
    device: str = choice("auto", "cpu", "cuda")
    data: str = choice("auto", "memory", "stream")
    """Hold the dataset in memory, or read it from its files as it is needed; auto looks at what is free."""
    threads: int = ranged(0, 0, 1024)
    """Of the CPU; 0 is all cores."""
    log_every: int = ranged(10, 1, 1_000_000)
    """Steps between two points of a curve."""
    checkpoint_every_s: float = ranged(60.0, 0.0, 1e9)
    """Seconds between two checkpoints; 0 is without the clock."""
    checkpoint_every_steps: int = ranged(0, 0, 1_000_000_000)
    """Steps between two checkpoints; 0 is without counting."""

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return self.lr or {"adamw": 0.003, "sgd": 0.05}[self.optimizer]

    def update_rows(self, rows: int) -> int:  # noqa: ARG002 - a task may look at it
        """Rows of an update where there are so many to learn from."""
        return self.batch_size


P = TypeVar("P", bound=Params)


def read_params(kind: type[P], given: Mapping[str, Any]) -> P:
    """The given values over the defaults of `kind`.

    Raises:
        ParamError: a name that is not there, or a value of the wrong type or out of range.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}
    types = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in fields:
            close = difflib.get_close_matches(name, fields, n=1, cutoff=0.4)
            nearest = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(sorted(fields))}."
            raise ParamError(f"There is no parameter {name!r}.", nearest)
        values[name] = _converted(name, types[name], value)
        _check(name, values[name], fields[name].metadata)
    return kind(**values)


def _converted(name: str, kind: type, value: Any) -> Any:
    """The value as `kind`. Text is read, as from a command line; a float is never cut to an int."""
    try:
        if kind is str and isinstance(value, str):
            return value
        if kind is bool and str(value).lower() in {"true", "false"}:
            return str(value).lower() == "true"
        if kind in {int, float} and isinstance(value, str | int | float) and not isinstance(value, bool):
            number = float(value)
            if kind is float and math.isfinite(number):
                return number
            if kind is int and number.is_integer():
                return int(number)
    except ValueError:
        pass
    expected = {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}[kind]
    raise ParamError(f"The parameter {name} needs {expected}, not {value!r}.")


def _check(name: str, value: Any, rule: Mapping[str, Any]) -> None:
    if "choices" in rule and value not in rule["choices"]:
        raise ParamError(
            f"The parameter {name} cannot be {value!r}.", f"Choose from: {', '.join(rule['choices'])}."
        )
    if "low" in rule and not rule["low"] <= value <= rule["high"]:
        raise ParamError(
            f"The parameter {name} is {value:g}.", f"It goes from {rule['low']:g} to {rule['high']:g}."
        )
