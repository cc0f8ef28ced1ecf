"""The fitted normalisation in front of a network, so that it takes raw pictures wherever it goes."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

import cloudtui_features


class Normalised(nn.Module):
    """A network for pictures that takes their bytes. `spec` rebuilds it."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, net: nn.Module, features: dict[str, Any], spec: dict[str, Any] | None = None) -> None:
        super().__init__()
        cloudtui_features.check(features)
        self.net = net
        self.spec: dict[str, Any] = spec or {}
        self.register_buffer("mean", torch.tensor(features["mean"], dtype=torch.float32)[:, None, None])
        self.register_buffer("std", torch.tensor(features["std"], dtype=torch.float32)[:, None, None])

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits of raw pixels (rows, channels, height, width)."""
        out: torch.Tensor = self.net((pixels.float() - self.mean) / self.std)
        return out
