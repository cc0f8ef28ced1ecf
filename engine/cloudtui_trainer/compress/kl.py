"""How far one model's word is from another's."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def divergence(expected: npt.NDArray[Any], found: npt.NDArray[Any]) -> float:
    """The mean Kullback-Leibler divergence of the classes' shares, in nats; both are logits.

    Accuracy would need thousands of rows to see what this sees on a few hundred.
    """
    left, right = _log_shares(expected), _log_shares(found)
    value = float((np.exp(left) * (left - right)).sum(1).mean())
    return value if np.isfinite(value) else float("inf")


def _log_shares(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    wide = logits.astype(np.float64)
    wide = wide - wide.max(1, keepdims=True)
    shares: npt.NDArray[np.float64] = wide - np.log(np.exp(wide).sum(1, keepdims=True))
    return shares
