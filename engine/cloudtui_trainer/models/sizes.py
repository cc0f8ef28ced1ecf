"""Numbers of a spec, checked: a spec may come from a file that someone else wrote."""

from __future__ import annotations

from typing import Any

WIDEST, DEEPEST = 65_536, 64


def size(value: Any, *, most: int = WIDEST) -> int:
    """A whole number from 1 to `most`.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise ValueError(f"{value!r} is not a whole number from 1 to {most}")
    return value


def sizes(values: Any, count: int | None = None) -> list[int]:
    """A list of whole numbers above 0: `count` of them, or 1 to `DEEPEST`.

    Raises:
        ValueError: it is none.
    """
    low, high = (1, DEEPEST) if count is None else (count, count)
    if not isinstance(values, list | tuple) or not low <= len(values) <= high:
        raise ValueError(f"{values!r} is not a list of {count or f'1 to {DEEPEST}'} sizes")
    return [size(value) for value in values]


def share(value: Any) -> float:
    """A number from 0 to below 1.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
        raise ValueError(f"{value!r} is not a share from 0 to below 1")
    return float(value)
