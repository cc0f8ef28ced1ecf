"""A line of a form: what it asks for, and what may stand in it. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose: its value and what is said of it."""

    value: str
    text: str
    tasks: tuple[str, ...] = ()
    """The tasks that it is for; all, if empty."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A line of a form."""

    name: str
    """The name of the argument, or `params.epochs`."""
    label: str
    kind: Literal["text", "choice", "flag"]
    value: str = ""
    help: str = ""
    options: tuple[Option, ...] = ()
    required: bool = False
    more: bool = False
    """Shown only when more is asked for."""
    tasks: tuple[str, ...] = ()
    """The tasks that it is for; all, if empty."""
    low: float | None = None
    high: float | None = None
    """Where one is set, it is a number between both."""
    whole: bool = False

    @property
    def key(self) -> str:
        """Its name as part of a widget's id."""
        return self.name.replace(".", "-")


def problem(field: FormField, text: str) -> str:
    """What is wrong with the text of a line, in a few words; empty where nothing is."""
    text = text.strip()
    if not text:
        return "is missing" if field.required else ""
    if field.low is None or field.high is None:
        return ""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (field.whole and not value.is_integer()):
        return "a whole number" if field.whole else "a number"
    if not field.low <= value <= field.high:
        return f"{field.low:g} to {field.high:,g}" if field.high < 1e6 else f"{field.low:g} or more"
    return ""
