"""Weights of another run to begin with: all that fit by name and shape; the head anew for other classes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cloudtui_trainer.models import spec_of
from cloudtui_trainer.weights import WeightsError, read_safetensors, stated_net

LEAST = 0.5
"""The share of a network's weights, its head apart, below which it is another network."""


@dataclass(frozen=True)
class Taken:
    """What was taken from a file and what was not, by name."""

    taken: list[str]
    anew: list[str]
    body: list[str]
    """What was taken, the head apart: what may be frozen while the head learns."""

    def told(self, path: Path) -> dict[str, Any]:
        """The event's data."""
        return {
            "weights": path.name, "taken": len(self.taken), "anew": self.anew[:20],
            "text": f"{len(self.taken)} tensors are taken from {path.name}; "
            + (f"anew: {', '.join(self.anew[:6])}." if self.anew else "nothing is begun anew."),
        }  # fmt: skip


def take(path: Path, model: nn.Module, labels: list[str]) -> Taken:
    """Put the weights of a file into the model where they fit.

    Weights and batch-norm's statistics are taken; what was fitted to the data (mean, deviation) is not.

    Args:
        path: a safetensors file.
        model: a new one; changed in place.
        labels: its classes; where the file states others, the head stays new.

    Raises:
        WeightsError: the file is damaged, or of another architecture.
    """
    given, metadata = read_safetensors(path)
    net, own = stated_net(metadata), spec_of(model)
    if net is not None and net.get("model") != own.get("model"):
        raise WeightsError(
            f"{path.name} holds weights of a {net.get('model')!r}; this run trains a {own.get('model')!r}.",
            f"Choose the model {net.get('model')!r}, or give other weights.",
        )
    head = _head(model) if _labels(metadata) != labels else set()
    target = model.state_dict()
    wanted = _learned(model)
    fits = {
        name for name in wanted - head
        if name in given and given[name].shape == target[name].shape and given[name].is_floating_point()
        == target[name].is_floating_point()
    }  # fmt: skip
    body = {name for name in wanted - _head(model) if target[name].ndim > 1}
    covered = sum(target[name].numel() for name in body & fits)
    if covered < LEAST * sum(target[name].numel() for name in body):
        raise WeightsError(
            f"{path.name} holds weights of another architecture: only {len(fits)} of {len(wanted)} tensors "
            "of this network are in it by name and shape.",
            "Give weights of the same model, trained for pictures of the same size.",
        )
    if not all(bool(torch.isfinite(given[name]).all()) for name in fits if given[name].is_floating_point()):
        raise WeightsError(
            f"{path.name} holds numbers that are not finite.", "Give the weights of another run."
        )
    with torch.no_grad():
        for name in fits:
            target[name].copy_(given[name])
    return Taken(sorted(fits), sorted(wanted - fits), sorted(fits - _head(model)))


def _learned(model: nn.Module) -> set[str]:
    """Names of weights, and of what batch-norm has learned; not of numbers that were fitted to the data."""
    found = {name for name, _ in model.named_parameters()}
    for name, layer in model.named_modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            found |= {f"{name}.{buffer}" for buffer, _ in layer.named_buffers()}
    return found


def _head(model: nn.Module) -> set[str]:
    """Names of the last dense layer's weights."""
    name, layer = [pair for pair in model.named_modules() if isinstance(pair[1], nn.Linear)][-1]
    return {f"{name}.{weight}" for weight, _ in layer.named_parameters()}


def _labels(metadata: dict[str, str]) -> list[str] | None:
    try:
        labels = json.loads(metadata.get("labels", "null"))
    except ValueError:
        return None
    return labels if isinstance(labels, list) else None
