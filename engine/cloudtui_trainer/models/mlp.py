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


class MLP(nn.Module):
    """Piecewise-linear embeddings of numbers, embeddings of categories, dense layers.

    Gives logits, or (rows, 1) numbers in the target's own unit.
    """

    def __init__(self, net: dict[str, Any]) -> None:
        super().__init__()
        self.spec: dict[str, Any] = net
        features, wide = net["features"], size(net["embedding"])
        self.columns = Columns(features)
        numbers, categories = self.columns.numbers, self.columns.categories
        self.pieces = PiecewiseLinear([column["edges"] for column in numbers])
        self.number_weight = nn.Parameter(torch.empty(len(numbers), self.pieces.bins + 2, wide))
        self.number_bias = nn.Parameter(torch.zeros(len(numbers), wide))
        nn.init.normal_(self.number_weight, std=(1 / 3) ** 0.5)
        words = [len(column["vocabulary"]) + 1 for column in categories]
        self.words = nn.Embedding(max(1, sum(words)), wide)
        nn.init.normal_(self.words.weight, std=0.5)
        first = torch.tensor([sum(words[:place]) for place in range(len(words))], dtype=torch.int64)
        self.first: torch.Tensor
        self.register_buffer("first", first, persistent=False)
        with torch.no_grad():
            self.words.weight[first] = 0.0  # unseen and missing begin as nothing in particular
        layers: list[nn.Module] = []
        inputs = wide * (len(numbers) + len(categories))
        for width in sizes(net["widths"]):
            layers += [nn.Linear(inputs, width), nn.ReLU(), nn.Dropout(share(net["dropout"]))]
            inputs = width
        classes = net["classes"]
        outputs = size(classes) if classes else 1
        last = nn.Linear(inputs, outputs)
        self.dense = nn.Sequential(*layers, last)
        # A linear model beside the layers: few rows can tell no more, and it begins alone.
        self.linear = nn.Linear(len(numbers), outputs)
        nn.init.zeros_(self.linear.weight)
        with torch.no_grad():
            last.weight.mul_(0.1)
        target = features["target"]
        self.unit = None if classes else (float(target["mean"]), float(target["std"]))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """Logits, or predictions, of raw rows (rows, columns)."""
        filled, missing = self.columns.filled(rows)
        plain = self.columns.standardised(filled).clamp(-FAR, FAR)
        pieces = torch.cat([self.pieces(filled), missing.float()[:, :, None], plain[:, :, None]], 2)
        numbers = torch.einsum("rnb,nbe->rne", pieces, self.number_weight) + self.number_bias
        words = self.words(self.columns.codes(rows) + self.first)
        deep = self.dense(torch.cat([torch.relu(numbers), words], 1).flatten(1))
        out: torch.Tensor = deep + self.linear(plain)
        if self.unit is None:
            return out
        mean, std = self.unit
        return out.float() * std + mean
