"""Fitted preprocessing, applied to rows: one implementation for trainer, server and engine. Numpy alone.

`paired` and `paired_errors` stand here, too: what two models answered on the same rows is judged on either
side.
The fitted numbers are JSON in the dataset's manifest (`features`); `kind` says whose they are. A new kind
is one module with `check` and `apply`, and one line in `KINDS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_features import image, tabular

KINDS = {"image": image, "tabular": tabular}


def check(features: Mapping[str, Any]) -> None:
    """See that the fitted numbers are whole.

    Raises:
        ValueError: the kind is unknown, or a number is missing or makes no sense.
    """
    _transform(features).check(features)


def apply(features: Mapping[str, Any], rows: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Raw rows as a model takes them.

    Raises:
        ValueError: the features or the shape of the rows are wrong.
    """
    transform = _transform(features)
    transform.check(features)
    normalised: npt.NDArray[np.float32] = transform.apply(features, rows)
    return normalised


def _transform(features: Mapping[str, Any]) -> Any:
    kind = features.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"unknown kind of features: {kind!r} (known: {', '.join(KINDS)})")
    return KINDS[kind]
