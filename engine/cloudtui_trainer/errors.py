"""What a run fails with when it can say why."""

from __future__ import annotations


class TrainerError(Exception):
    """The run cannot go on. Says what and why, and in `hint` what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} {hint}".strip())


class ParamError(TrainerError):
    """A parameter that cannot be used."""


class DatasetError(TrainerError):
    """The dataset on this host cannot be used."""
