"""A model's outputs for a whole split."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from cloudtui_trainer.devices import autocast_in
from cloudtui_trainer.memory import ran_out
from cloudtui_trainer.onnx_file import OnnxFile
from cloudtui_trainer.tasks.base import Outputs, Task

AT_ONCE = 256


@torch.no_grad()
def predict(model: nn.Module, task: Task, split: str, device: torch.device, precision: str) -> Outputs:
    """The outputs for every row of a split, in row order, in smaller batches where memory is too small."""
    model.eval()
    at_once = AT_ONCE
    while True:
        try:
            return _predicted(model, task, split, device, precision, at_once=at_once)
        except RuntimeError as error:
            if not ran_out(error) or at_once == 1:
                raise
        at_once //= 2


def read_out(file: OnnxFile, task: Task, split: str) -> Outputs:
    """What an exported file gives for every row of a split, in row order.

    Raises:
        TrainerError: it cannot be computed.
    """
    batches = torch.split(torch.arange(task.rows(split)), AT_ONCE)
    task.store.expect(split, batches)
    try:
        parts = [file.outputs(task.batch(split, rows)[0].cpu().numpy()) for rows in batches]
    finally:
        task.store.expect(split, [])
    return np.concatenate(parts)


def _predicted(
    model: nn.Module, task: Task, split: str, device: torch.device, precision: str, *, at_once: int
) -> Outputs:
    batches = torch.split(torch.arange(task.rows(split)), at_once)
    task.store.expect(split, batches)
    parts = []
    for rows in batches:
        with autocast_in(device, precision):
            parts.append(model(task.batch(split, rows)[0]).float())
    task.store.expect(split, [])
    outputs: Outputs = torch.cat(parts).cpu().numpy().astype(np.float32)
    return outputs
