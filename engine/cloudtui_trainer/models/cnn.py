"""The small convolutional network: 64 and 128 channels of 3 x 3, then 512 wide, made to fit its input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from cloudtui_trainer.models.normalised import Normalised
from cloudtui_trainer.models.sizes import share, size, sizes

WIDEST = 8
"""Blocks are added until the picture is at most this wide before the dense part."""


def spec(
    shape: Sequence[int], classes: int, features: dict[str, Any], *, dropout: float = 0.25
) -> dict[str, Any]:
    """The network for pictures of this shape."""
    _, height, width = shape
    widths: list[int] = []
    while len(widths) < 2 or max(height, width) > WIDEST:
        widths.append(128 if widths else 64)
        height, width = _halved(height), _halved(width)
    return {
        "model": "cnn", "shape": list(shape), "classes": classes, "widths": widths, "dense": 512,
        "dropout": dropout, "features": features,
    }  # fmt: skip


def build(net: dict[str, Any]) -> nn.Module:
    """The network of a spec. Its `widths` are those of the convolutions, `dense` that of the hidden layer."""
    return Normalised(CNN(net), net["features"], net)


class CNN(nn.Module):
    """Convolutions with batch-norm, each halving the sides above half of `WIDEST`; then two dense layers."""

    def __init__(self, net: dict[str, Any]) -> None:
        super().__init__()
        channels, height, width = sizes(net["shape"], 3)
        layers: list[nn.Module] = []
        for wide in sizes(net["widths"]):
            layers += [nn.Conv2d(channels, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
            halved = (height // _halved(height), width // _halved(width))
            if max(halved) > 1:
                layers.append(nn.MaxPool2d(halved))
            channels, height, width = wide, _halved(height), _halved(width)
        hidden, dropout = size(net["dense"]), share(net["dropout"])
        self.convolutions = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(channels * height * width, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, size(net["classes"])),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits of normalised pictures."""
        out: torch.Tensor = self.dense(self.convolutions(pictures))
        return out


def _halved(side: int) -> int:
    """The side after a block."""
    return side // 2 if side > WIDEST // 2 else side
