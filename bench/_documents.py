"""The recipe of the source documents, as a plain loop: conv 64, conv 128, fc 512; SGD 0.01, batches of 64.

What the defaults of the trainer are held against. `python -m bench quality --what documents` runs it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

BATCH, RATE = 64, 0.01


def network(classes: int) -> nn.Module:
    """The documents' CNN for pictures of 28 x 28."""
    return nn.Sequential(
        nn.Conv2d(1, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(64, 128, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(128 * 7 * 7, 512), nn.ReLU(), nn.Linear(512, classes),
    )  # fmt: skip


def run(folder: Path, *, epochs: int, seed: int = 0, momentum: float = 0.0) -> Iterator[dict[str, Any]]:
    """Train on a dataset's train rows in fp32; after each epoch its accuracies and the CPU time so far."""
    manifest = json.loads((folder / "manifest.json").read_text())
    mean, std = manifest["features"]["mean"][0], manifest["features"]["std"][0]
    x, y = {}, {}
    for split in ("train", "validation", "test"):
        raw = torch.from_numpy(np.load(folder / f"{split}-x.npy"))
        x[split] = (raw.float() - mean) / std
        y[split] = torch.from_numpy(np.load(folder / f"{split}-y.npy"))
    torch.manual_seed(seed)
    model = network(len(manifest["classes"]))
    optimizer = torch.optim.SGD(model.parameters(), RATE, momentum=momentum)
    spent = 0.0
    for epoch in range(1, epochs + 1):
        begun = time.process_time()
        model.train()
        for rows in torch.randperm(len(x["train"])).split(BATCH):
            loss = nn.functional.cross_entropy(model(x["train"][rows]), y["train"][rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        spent += time.process_time() - begun
        yield {
            "epoch": epoch,
            "samples": epoch * len(x["train"]),
            "cpu_seconds": round(spent, 1),
            "validation": _accuracy(model, x["validation"], y["validation"]),
            "test": _accuracy(model, x["test"], y["test"]),
        }


@torch.no_grad()
def _accuracy(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    model.eval()
    right = sum(
        int((model(rows).argmax(1) == truth).sum())
        for rows, truth in zip(x.split(256), y.split(256), strict=True)
    )
    return round(right / len(y), 4)
