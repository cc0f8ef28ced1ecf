"""Points packed into columns, and back. Pure; little-endian, as every machine this runs on.

Steps at even distances cost nothing; others are int32 after the first one, or int64. Times are float32 after
the first
one (a chunk that spans more than eleven days has float64). Values are float64: NaN and infinities are what
they are.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from itertools import repeat
from operator import sub
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

SIZE = 1024
"""Points of a sealed chunk."""
_FLOAT32_SPAN_S = 1_000_000.0


@dataclass(slots=True)
class Points:
    """Some points of one series, in the order they came."""

    steps: array[int]
    times: array[float]
    values: array[float]

    def __len__(self) -> int:
        return len(self.values)

    def cut(self, start: int, stop: int) -> Points:
        """Those from `start` to before `stop`."""
        return Points(self.steps[start:stop], self.times[start:stop], self.values[start:stop])

    def extend(self, other: Points) -> None:
        """Put the points of `other` behind these."""
        self.steps.extend(other.steps)
        self.times.extend(other.times)
        self.values.extend(other.values)

    @classmethod
    def empty(cls) -> Points:
        """No points yet."""
        return cls(array("q"), array("d"), array("d"))


def pack_steps(steps: array[int]) -> tuple[int, int, bytes | None]:
    """First step, stride, and the bytes where the distances are not even."""
    n, first = len(steps), steps[0]
    if n == 1:
        return first, 0, None
    stride = steps[1] - first
    if steps[-1] == first + stride * (n - 1) and (
        steps == (array("q", range(first, first + stride * n, stride)) if stride else array("q", [first]) * n)
    ):
        return first, stride, None
    try:
        return first, 0, array("i", map(sub, steps, repeat(first))).tobytes()
    except OverflowError:
        return first, 0, steps.tobytes()


def unpack_steps(n: int, first: int, stride: int, packed: bytes | None) -> array[int]:
    """What `pack_steps` packed."""
    if packed is None:
        return array("q", range(first, first + stride * n, stride)) if stride else array("q", [first]) * n
    if len(packed) == 8 * n:
        return array("q", packed)
    return array("q", [first + step for step in array("i", packed)])


def pack_times(times: array[float]) -> tuple[float, bytes | None]:
    """The first time, and the bytes of all where there is more than one."""
    first = times[0]
    if len(times) == 1:
        return first, None
    if max(times) - first > _FLOAT32_SPAN_S or first - min(times) > _FLOAT32_SPAN_S:
        return first, times.tobytes()
    return first, array("f", map(sub, times, repeat(first))).tobytes()


def unpack_times(n: int, first: float, packed: bytes | None) -> array[float]:
    """What `pack_times` packed, to the precision it kept."""
    if packed is None:
        return array("d", [first]) * n
    if len(packed) == 8 * n:
        return array("d", packed)
    return array("d", [first + time for time in array("f", packed)])


def finite_range(values: array[float]) -> tuple[float | None, float | None, float, int]:
    """Least and greatest of the finite values, their sum, and how many they are."""
    total = sum(values)
    if math.isfinite(total):
        return min(values), max(values), total, len(values)
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return None, None, 0.0, 0
    return min(finite), max(finite), sum(finite), len(finite)


def steps_as_numpy(n: int, first: int, stride: int, packed: bytes | None) -> np.ndarray[Any, Any]:
    """`unpack_steps` for those who want arrays."""
    import numpy as np

    if packed is None:
        return np.arange(n, dtype=np.int64) * stride + first
    if len(packed) == 8 * n:
        return np.frombuffer(packed, "<i8")
    return np.frombuffer(packed, "<i4").astype(np.int64) + first


def times_as_numpy(n: int, first: float, packed: bytes | None) -> np.ndarray[Any, Any]:
    """`unpack_times` for those who want arrays."""
    import numpy as np

    if packed is None:
        return np.full(n, first)
    if len(packed) == 8 * n:
        return np.frombuffer(packed, "<f8")
    return np.frombuffer(packed, "<f4").astype(np.float64) + first


def values_as_numpy(packed: bytes) -> np.ndarray[Any, Any]:
    """Values for those who want arrays."""
    import numpy as np

    return np.frombuffer(packed, "<f8")
