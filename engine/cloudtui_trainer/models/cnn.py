"""The small convolutional network: 64 and 128 channels of 3 x 3, then 512 wide, made to fit its input."""

from __future__ import annotations

import torch
from torch import nn

WIDEST = 8
"""Blocks are added until the picture is at most this wide before the dense part."""


class CNN(nn.Module):
    """Convolutions with batch-norm, halving each side after each while it is more than half of `WIDEST`.

    Args:
        shape: channels, height and width of the input.
        classes: width of the output (logits).
        dropout: before each dense layer.
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, dropout: float) -> None:
        super().__init__()
        channels, height, width = shape
        layers: list[nn.Module] = []
        blocks = 0
        while blocks < 2 or max(height, width) > WIDEST:
            wide = 64 if blocks == 0 else 128
            layers += [nn.Conv2d(channels, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide), nn.ReLU()]
            halved = tuple(2 if side > WIDEST // 2 else 1 for side in (height, width))
            if max(halved) > 1:
                layers.append(nn.MaxPool2d(halved))
                height, width = height // halved[0], width // halved[1]
            channels = wide
            blocks += 1
        self.convolutions = nn.Sequential(*layers)
        self.dense = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(channels * height * width, 512),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(512, classes),
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Logits of normalised pictures."""
        out: torch.Tensor = self.dense(self.convolutions(pictures))
        return out
