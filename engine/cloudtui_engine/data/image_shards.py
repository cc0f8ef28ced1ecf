"""Pictures to arrays: one pass over the source, the mean and deviation of train on the way."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cloudtui_engine.data import image_findings
from cloudtui_engine.data.manifest import SPLITS
from cloudtui_engine.data.opened import Opened, Progress
from cloudtui_engine.data.shards import ShardWriter
from cloudtui_engine.data.splits import TRAIN


def write_images(opened: Opened, codes: npt.NDArray[Any], folder: Path, progress: Progress) -> dict[str, Any]:
    """Write the arrays; returns the manifest's `splits`, `files`, `features` and `findings`."""
    moments = Moments(opened.shape[0])
    splits: dict[str, Any] = {}
    with ExitStack() as stack:
        writers: list[tuple[ShardWriter, ShardWriter]] = []
        for code, split in enumerate(SPLITS):
            rows = int((codes == code).sum())
            x = ShardWriter(folder / f"{split}-x.npy", (rows, *opened.shape), np.uint8)
            y = ShardWriter(folder / f"{split}-y.npy", (rows,), np.int64)
            writers.append((stack.enter_context(x), stack.enter_context(y)))
            splits[split] = {"rows": rows, "x": x.path.name, "y": y.path.name}
        done = 0
        seen: list[npt.NDArray[Any]] = []
        for batch in opened.batches(progress):
            seen.append(image_findings.hashes(batch))
            part = slice(done, done + len(batch))
            for code, (x, y) in enumerate(writers):
                chosen = codes[part] == code
                x.append(batch[chosen])
                y.append(opened.labels[part][chosen])
            moments.add(batch[codes[part] == TRAIN])
            done += len(batch)
        files = {writer.path.name: dict(writer.finish()) for pair in writers for writer in pair}
    features = {**opened.features, "kind": "image", "shape": list(opened.shape), **moments.fitted()}
    findings = image_findings.of_images(np.concatenate(seen), opened.labels, codes, opened.classes)
    return {
        "splits": splits,
        "files": files,
        "features": features,
        "findings": [finding.as_dict() for finding in [*opened.findings, *findings]],
    }


class Moments:
    """Mean and deviation of each channel over batches of bytes, in whole numbers until the end."""

    def __init__(self, channels: int) -> None:
        self._levels = np.zeros((channels, 256), dtype=np.int64)

    def add(self, rows: npt.NDArray[Any]) -> None:
        """Count the rows in."""
        for channel, counts in enumerate(self._levels):
            counts += np.bincount(rows[:, channel].ravel(), minlength=256)

    def fitted(self) -> Mapping[str, list[float]]:
        """`mean` and `std`; a channel that never changes has std 1, so that dividing by it is harmless."""
        level = np.arange(256)
        pixels = self._levels.sum(axis=1)
        mean = (self._levels * level).sum(axis=1) / pixels
        variance = (self._levels * (level - mean[:, None]) ** 2).sum(axis=1) / pixels
        std = np.sqrt(variance)
        return {"mean": mean.tolist(), "std": np.where(std > 0, std, 1.0).tolist()}
