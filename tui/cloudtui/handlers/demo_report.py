"""What the demo says of its model: how good it is, what it confuses, how many numbers it has learned."""

from __future__ import annotations

import json
import math
import os
import struct
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudtui.reported import confidence, items, label, mappings
from cloudtui_engine.records.run import Run

_LONGEST_HEADER = 16 * 1024 * 1024
_HIGHLIGHTS = 3


def wilson(right: float, n: float) -> tuple[float, float]:
    """The 95% score interval of a share."""
    z = 1.959963984540054
    share = right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def interval_of(
    test: Mapping[str, Any], accuracy: float | None, n: float | None
) -> tuple[float, float] | None:
    """The interval that a report gives, else Wilson's."""
    given = confidence("accuracy", test)
    if given is not None:
        return given
    return wilson(accuracy * n, n) if accuracy is not None and n else None


def confusions_of(test: Mapping[str, Any]) -> tuple[tuple[str, str, int], ...]:
    """The most frequent mistakes: truth, predicted, how often."""
    labels = [label(one.get("label")) for one in mappings(test.get("classes"))]
    found: Counter[tuple[str, str]] = Counter()
    for i, row in enumerate(items(test.get("confusion"))[: len(labels)]):
        for j, count in enumerate(items(row)[: len(labels)]):
            if i != j and isinstance(count, int) and count > 0:
                found[labels[i], labels[j]] = count
    return tuple((truth, predicted, count) for (truth, predicted), count in found.most_common(_HIGHLIGHTS))


def parameters(run: Run) -> int | None:
    """How many numbers the model has, by the header of its file; None where the file is not here."""
    path = next((a.local for a in run.artifacts if a.name.endswith(".safetensors") and a.local), None)
    if path is None:
        return None
    try:
        with Path(path).open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > min(_LONGEST_HEADER, os.fstat(file.fileno()).st_size):
                return None
            header = json.loads(file.read(length))
            # Counters and running averages are kept in the file and are not learned.
            shapes = [
                entry["shape"]
                for name, entry in header.items()
                if name != "__metadata__"
                and not name.endswith(("running_mean", "running_var", "num_batches_tracked"))
            ]
            return sum(int(math.prod(shape)) for shape in shapes)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error):
        return None
