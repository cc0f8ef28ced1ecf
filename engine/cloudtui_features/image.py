"""Pictures: each channel minus its mean, divided by its deviation, in units of raw pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def check(features: Mapping[str, Any]) -> None:
    """`shape` (channels, height, width), and `mean` and `std` of each channel.

    Raises:
        ValueError: one of them is missing or makes no sense.
    """
    shape = features.get("shape")
    if not isinstance(shape, list) or len(shape) != 3 or not all(_is_size(size) for size in shape):
        raise ValueError(f"image features need a shape of three sizes, not {shape!r}")
    for key in ("mean", "std"):
        values = features.get(key)
        if (
            not isinstance(values, list)
            or len(values) != shape[0]
            or not all(_is_number(value) for value in values)
        ):
            raise ValueError(f"image features need a {key} of {shape[0]} number(s), not {values!r}")
    if min(features["std"]) <= 0:
        raise ValueError("image features need a std above 0")


def apply(features: Mapping[str, Any], rows: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Rows of (channels, height, width) raw pixels, normalised.

    Raises:
        ValueError: the rows have another shape.
    """
    shape = tuple(features["shape"])
    if rows.shape[1:] != shape:
        raise ValueError(f"rows of shape {rows.shape[1:]} where {shape} was fitted")
    mean = np.asarray(features["mean"], dtype=np.float32)[:, None, None]
    std = np.asarray(features["std"], dtype=np.float32)[:, None, None]
    normalised: npt.NDArray[np.float32] = (rows.astype(np.float32) - mean) / std
    return normalised


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
