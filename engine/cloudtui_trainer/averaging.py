"""The exponential average of the weights, which is judged and kept in place of the last ones."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import nn


def averaged(model: nn.Module) -> list[torch.Tensor]:
    """What is averaged: weights, and the statistics of batch-norm, so that they belong together."""
    return [tensor.detach() for tensor in model.state_dict().values() if tensor.is_floating_point()]


def follow(average: list[torch.Tensor], model: nn.Module, decay: float, count: int) -> None:
    """Take the weights after update `count` (from 1) into the average.

    As Adam does it: an average of few updates is divided by the weight that they have together, so the first
    weights, which were drawn by chance, have no part in it. That is the same as a greater step at first.
    """
    if average:
        torch._foreach_lerp_(average, averaged(model), (1 - decay) / (1 - decay**count))


@contextlib.contextmanager
def swapped(model: nn.Module, average: list[torch.Tensor]) -> Iterator[None]:
    """The model with its averaged weights, where there are any, until the end of the block."""
    if not average:
        yield
        return
    own = [tensor.clone() for tensor in averaged(model)]
    for tensor, value in zip(averaged(model), average, strict=True):
        tensor.copy_(value)
    try:
        yield
    finally:
        for tensor, value in zip(averaged(model), own, strict=True):
            tensor.copy_(value)
