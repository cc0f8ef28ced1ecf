"""The fitted preparation of a table inside a network, so that it takes raw rows wherever it goes.

A raw row holds a float32 a column: a number as it is, NaN where it is missing; a category as its code, 0
where it is missing or unseen. A code that is none counts as unseen.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

import cloudtui_features

_NEVER = 3.0e38
"""The lower edge of a bin that no number reaches: it fills the columns that have fewer bins than others."""


class Columns(nn.Module):
    """Splits raw rows into numbers, filled and standardised, and codes.

    Args:
        features: the fitted numbers of the manifest.
    """

    number_places: torch.Tensor
    category_places: torch.Tensor
    fill: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor
    most: torch.Tensor

    def __init__(self, features: dict[str, Any]) -> None:
        super().__init__()
        cloudtui_features.check(features)
        columns = features["columns"]
        self.numbers = [column for column in columns if column["kind"] == "number"]
        self.categories = [column for column in columns if column["kind"] == "category"]
        for name, kind in (("number_places", "number"), ("category_places", "category")):
            places = [place for place, column in enumerate(columns) if column["kind"] == kind]
            self._constant(name, torch.tensor(places, dtype=torch.int64))
        for key in ("fill", "mean", "std"):
            values = [column[key] for column in self.numbers]
            self._constant(key, torch.tensor(values, dtype=torch.float32))
        most = [len(column["vocabulary"]) for column in self.categories]
        self._constant("most", torch.tensor(most, dtype=torch.float32))

    def _constant(self, name: str, value: torch.Tensor) -> None:
        self.register_buffer(name, value, persistent=False)  # it stands in the spec already

    def filled(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The numbers, the missing filled, and which were missing: (rows, numbers) each."""
        numbers = rows.float()[:, self.number_places]
        missing = torch.isnan(numbers)
        return torch.where(missing, self.fill, numbers), missing

    def standardised(self, filled: torch.Tensor) -> torch.Tensor:
        """As `cloudtui_features.apply` has it."""
        return (filled - self.mean) / self.std

    def codes(self, rows: torch.Tensor) -> torch.Tensor:
        """The codes as whole numbers: (rows, categories)."""
        codes = rows.float()[:, self.category_places]
        known = (codes >= 0) & (codes <= self.most)
        return torch.where(known, codes, torch.zeros_like(codes)).to(torch.int64)


class PiecewiseLinear(nn.Module):
    """Each number as the share of each of its quantile bins that lies below it.

    Gorishniy, Rubachev, Babenko, "On Embeddings for Numerical Features in Tabular Deep Learning" (2022): PLE
    with bins from quantiles. Here the outer bins end, so that what lies far outside changes no more.
    """

    low: torch.Tensor
    width: torch.Tensor

    def __init__(self, edges: list[list[float]]) -> None:
        super().__init__()
        self.bins = max([1, *(len(column) - 1 for column in edges)])
        low = torch.full((len(edges), self.bins), _NEVER)
        width = torch.ones(len(edges), self.bins)
        for row, column in enumerate(edges):
            ends = torch.tensor(column, dtype=torch.float32)
            between = ends[1:] - ends[:-1]
            wide = between > 0  # two edges may be one as float32
            count = len(between)
            low[row, :count] = torch.where(wide, ends[:-1], _NEVER)
            width[row, :count] = torch.where(wide, between, 1.0)
        self.register_buffer("low", low, persistent=False)
        self.register_buffer("width", width, persistent=False)

    def forward(self, numbers: torch.Tensor) -> torch.Tensor:
        """From (rows, numbers) to (rows, numbers, bins), each from 0 to 1."""
        return ((numbers[:, :, None] - self.low) / self.width).clamp(0.0, 1.0)
