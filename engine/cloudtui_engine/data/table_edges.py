"""Where a column of numbers is cut into bins: at quantiles, but not all of them at one value."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_features.tabular import MOST_EDGES

Values = npt.NDArray[np.float32]
"""Edges are of the precision that the shards have."""


def edges(values: npt.NDArray[Any], most: int = MOST_EDGES) -> Values:
    """At most `most` ascending edges.

    A value that alone holds more rows than a bin gets one edge; the others are quantiles of the rest. Plain
    quantiles of a column that is nine tenths 0, as a capital gain is, would nearly all be 0.

    Args:
        values: the known ones of the train rows.
        most: how many edges, at least 2.
    """
    rest = values.astype(np.float32)
    heavy: Values = np.zeros(0, dtype=np.float32)
    while len(rest) and len(heavy) < most:
        found, counts = np.unique(rest, return_counts=True)
        share = len(rest) / (most - len(heavy))
        new = found[counts > max(share, 1)]
        if not len(new):
            break
        heavy = np.concatenate([heavy, new[: most - len(heavy)]])
        rest = rest[~np.isin(rest, heavy)]
    room = most - len(heavy)
    if not len(rest) or room < 1:
        return np.unique(heavy)
    wide = rest.astype(np.float64)  # between the largest floats lies more than a float
    quantiles = np.quantile(wide, np.linspace(0, 1, room)) if room > 1 else wide.max(keepdims=True)
    return np.unique(np.concatenate([heavy, quantiles.astype(np.float32)]))
