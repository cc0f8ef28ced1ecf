"""The built-in digits of scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data.opened import Opened, Progress
from cloudtui_engine.data.splits import UNSPLIT
from cloudtui_engine.errors import BadInputError


def open_digits() -> Opened:
    """1,797 pictures of 8 x 8 pixels with values 0 to 16, as scikit-learn ships them.

    Raises:
        BadInputError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise BadInputError(
            "The digits come with scikit-learn, which is not installed.", "pip install 'cloudtui[data]'"
        ) from None
    found = load_digits()
    pictures = found.images.astype(np.uint8)[:, None]

    def batches(progress: Progress) -> Iterator[npt.NDArray[Any]]:
        progress("Writing pictures", len(pictures), len(pictures))
        yield pictures

    return Opened(
        task="image",
        classes=tuple(str(name) for name in found.target_names),
        labels=found.target.astype(np.int64),
        given=np.full(len(pictures), UNSPLIT),
        shape=(1, 8, 8),
        batches=batches,
        features={"mode": "L", "range": [0, 16]},
        source={"kind": "built-in", "name": "digits"},
    )
