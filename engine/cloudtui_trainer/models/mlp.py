"""A network for tables: every column embedded, then dense layers. It takes raw rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from cloudtui_trainer.models.columns import Columns, PiecewiseLinear
from cloudtui_trainer.models.sizes import share, size, sizes

FAR = 8.0
"""Deviations from the mean after which a number is taken as no farther."""
LINEAR_GAIN = 5.0
"""The linear model's weights are so many times what is learned: so it gets there before the layers do."""


def spec(
    features: dict[str, Any],
    classes: int,
    *,
    widths: Sequence[int] = (256, 256),
    embedding: int = 16,
    dropout: float = 0.1,
) -> dict[str, Any]:
    """The network for rows of these features; `classes` is 0 where the target is a number."""
    return {
        "model": "mlp", "features": features, "classes": classes, "widths": list(widths),
        "embedding": embedding, "dropout": dropout,
    }  # fmt: skip


def build(net: dict[str, Any]) -> nn.Module:
    """The network of a spec. Its `widths` are those of the hidden layers."""
    return MLP(net)


class Numbers(nn.Module):
    """Each number as a vector: of its bins, of whether it is missing, of how far it is from the mean."""

    def __init__(self, edges: list[list[float]], wide: int) -> None:
        super().__init__()
        self.pieces = PiecewiseLinear(edges)
        self.weight = nn.Parameter(torch.empty(len(edges), self.pieces.bins + 2, wide))
        self.bias = nn.Parameter(torch.zeros(len(edges), wide))
        nn.init.normal_(self.weight, std=0.6)
        with torch.no_grad():
            self.weight[:, : self.pieces.bins].mul_(0.1)  # few rows must not be learned bin by bin

    def forward(self, filled: torch.Tensor, missing: torch.Tensor, plain: torch.Tensor) -> torch.Tensor:
        """From (rows, numbers) each to (rows, numbers, wide)."""
        pieces = torch.cat([self.pieces(filled), missing.float()[:, :, None], plain[:, :, None]], 2)
        return torch.relu(torch.einsum("rnb,nbe->rne", pieces, self.weight) + self.bias)


class Words(nn.Module):
    """Each category as a vector; the unseen and the missing begin as nothing in particular."""

    first: torch.Tensor

    def __init__(self, sizes_of: list[int], wide: int) -> None:
        super().__init__()
        self.table = nn.Embedding(sum(sizes_of), wide)
        nn.init.normal_(self.table.weight, std=0.5)
        first = torch.tensor([sum(sizes_of[:place]) for place in range(len(sizes_of))], dtype=torch.int64)
        self.register_buffer("first", first, persistent=False)
        with torch.no_grad():
            self.table.weight[first] = 0.0

    def forward(self, codes: torch.Tensor) -> torch.Tensor:
        """From (rows, categories) to (rows, categories, wide)."""
        found: torch.Tensor = self.table(codes + self.first)
        return found


class MLP(nn.Module):
    """Embedded columns through dense layers, and a linear model of the numbers beside them.

    The linear model begins nearly alone: of few rows no more can be learned. Gives logits, or (rows, 1)
    numbers in the target's own unit.
    """

    def __init__(self, net: dict[str, Any]) -> None:
        super().__init__()
        self.spec: dict[str, Any] = net
        features, wide = net["features"], size(net["embedding"])
        self.columns = Columns(features)
        numbers, categories = self.columns.numbers, self.columns.categories
        outputs = size(net["classes"]) if net["classes"] else 1
        if numbers:
            self.numbers = Numbers([column["edges"] for column in numbers], wide)
            self.linear = nn.Linear(len(numbers), outputs, bias=False)
            nn.init.zeros_(self.linear.weight)
        if categories:
            self.words = Words([len(column["vocabulary"]) + 1 for column in categories], wide)
        layers: list[nn.Module] = []
        inputs = wide * (len(numbers) + len(categories))
        for width in sizes(net["widths"]):
            layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(share(net["dropout"]))]
            inputs = width
        last = nn.Linear(inputs, outputs)
        with torch.no_grad():
            last.weight.mul_(0.01)
        self.dense = nn.Sequential(*layers, last)
        target = features["target"]
        self.unit = None if net["classes"] else (float(target["mean"]), float(target["std"]))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Logits, or predictions, of raw rows (rows, columns)."""
        parts = []
        beside: torch.Tensor | float = 0.0
        if self.columns.numbers:
            filled, missing = self.columns.filled(rows)
            plain = self.columns.standardised(filled).clamp(-FAR, FAR)
            parts.append(self.numbers(filled, missing, plain))
            beside = LINEAR_GAIN * self.linear(plain)
        if self.columns.categories:
            parts.append(self.words(self.columns.codes(rows)))
        out: torch.Tensor = self.dense(torch.cat(parts, 1).flatten(1)) + beside
        if self.unit is None:
            return out
        mean, std = self.unit
        return out.float() * std + mean
