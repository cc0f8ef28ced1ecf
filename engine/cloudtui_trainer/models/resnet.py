"""A small residual network: a stem, stages of blocks that halve the picture, the mean of what is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from cloudtui_trainer.models.normalised import Normalised
from cloudtui_trainer.models.sizes import share, size, sizes

WIDEST = 32
"""The stem halves pictures that are wider than this."""
WIDTHS = (32, 64, 128)


def spec(
    shape: Sequence[int], classes: int, features: dict[str, Any], *, dropout: float = 0.0
) -> dict[str, Any]:
    """The network for pictures of this shape: about 300,000 weights."""
    return {
        "model": "resnet", "shape": list(shape), "classes": classes,
        "stem": WIDTHS[0], "stem_stride": 2 if max(shape[1:]) > WIDEST else 1,
        "stages": [
            {"width": width, "stride": 2 if number else 1, "inner": [width]}
            for number, width in enumerate(WIDTHS)
        ],
        "dropout": dropout, "features": features,
    }  # fmt: skip


def build(net: dict[str, Any]) -> nn.Module:
    """The network of a spec.

    A stage has one `width` (of what its blocks add up) and a block for each entry of `inner` (the width
    between its two convolutions, free of all others). `stem` is the width of the first convolution: where it
    is that of the first stage, nothing lies on the shortcut there.
    """
    return Normalised(ResNet(net), net["features"], net)


class Block(nn.Module):
    """Two convolutions beside a shortcut, which is a 1 x 1 convolution only where the shapes differ."""

    def __init__(self, channels: int, inner: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, inner, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels != width:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What it adds to its input."""
        inner = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(inner)) + self.shortcut(x))


class ResNet(nn.Module):
    """See `build`."""

    def __init__(self, net: dict[str, Any]) -> None:
        super().__init__()
        channels, _, _ = sizes(net["shape"], 3)
        stem, stride = size(net["stem"]), size(net["stem_stride"], most=2)
        self.stem = nn.Sequential(
            nn.Conv2d(channels, stem, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(stem),
            nn.ReLU(),
        )
        channels = stem
        stages = []
        for stage in net["stages"]:
            width, stride = size(stage["width"]), size(stage["stride"], most=2)
            blocks = []
            for inner in sizes(stage["inner"]):
                blocks.append(Block(channels, inner, width, stride))
                channels, stride = width, 1
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.dropout = nn.Dropout(share(net["dropout"]))
        self.head = nn.Linear(channels, size(net["classes"]))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits of normalised pictures."""
        # The mean over both sides, not a pooling layer: the exported graph is simpler for it.
        pooled = self.stages(self.stem(pictures)).mean((2, 3))
        out: torch.Tensor = self.head(self.dropout(pooled))
        return out
