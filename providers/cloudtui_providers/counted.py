"""Types of machines that are a number of GPUs: `2x NVIDIA GeForce RTX 4090`."""

from __future__ import annotations

import re

from cloudtui_providers.errors import InvalidOrderError

TYPE = re.compile(r"([1-9][0-9]{0,2})x (\S.*)")


def named(count: int, gpu: str) -> str:
    """The type of so many GPUs."""
    return f"{count}x {gpu}"


def read(machine_type: str) -> tuple[int, str]:
    """How many of which GPU a type is.

    Raises:
        InvalidOrderError: it is no such type.
    """
    found = TYPE.fullmatch(machine_type)
    if not found:
        raise InvalidOrderError(
            f"There is no machine type {machine_type}.",
            "It is a number of GPUs, as in '1x NAME'; 'cloudtui instance offers' lists them.",
        )
    return int(found[1]), found[2]
