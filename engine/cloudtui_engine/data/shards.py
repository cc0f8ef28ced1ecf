"""Writing `.npy` files row by row, hashed on the way.

Plain writes and no memory map: on a full disk a write says so, where a store into a map kills the process.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from typing import Self  # Python 3.11: a host may have an older one


class ShardWriter:
    """One array file whose rows come in batches.

    Args:
        path: the new file.
        shape: of the whole array; the first number is the rows that will come.
        dtype: of the whole array.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> None:
        self.path = path
        self._dtype = np.dtype(dtype)
        self._row_shape = shape[1:]
        self._left = shape[0]
        self._digest = hashlib.sha256()
        self._size = 0
        header = io.BytesIO()
        description = np.lib.format.dtype_to_descr(self._dtype)
        np.lib.format.write_array_header_1_0(
            header, {"descr": description, "fortran_order": False, "shape": shape}
        )
        self._file = path.open("xb")
        self._put(header.getvalue())

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Write the next rows."""
        if not len(rows):
            return
        if rows.shape[1:] != self._row_shape or len(rows) > self._left:
            raise ValueError(f"rows {rows.shape} do not fit: {self._left} of {self._row_shape} are left")
        self._left -= len(rows)
        self._put(np.ascontiguousarray(rows, dtype=self._dtype).tobytes())

    def finish(self) -> Mapping[str, Any]:
        """Make the file durable. Returns its entry in the manifest."""
        if self._left:
            raise ValueError(f"{self._left} rows are missing in {self.path}")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return {"size": self._size, "sha256": self._digest.hexdigest()}

    def _put(self, data: bytes) -> None:
        self._file.write(data)
        self._digest.update(data)
        self._size += len(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
