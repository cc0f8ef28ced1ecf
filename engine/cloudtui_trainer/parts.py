"""A batch in parts: as many as are wanted, or as memory asks for."""

from __future__ import annotations

import torch

from cloudtui_trainer.errors import TrainerError
from cloudtui_trainer.recorder import Recorder


def most_parts(rows: int, steps_per_epoch: int) -> int:
    """Into how many parts a batch can be divided, with at least two rows in each: batch-norm needs them."""
    return max(1, rows // steps_per_epoch // 2)


def divided(batches: tuple[torch.Tensor, ...], parts: int) -> list[torch.Tensor]:
    """The batches in parts, in the order in which they are computed."""
    return [part for batch in batches for part in batch.tensor_split(parts)]


def smaller(parts: int, most: int, recorder: Recorder, step: int, device: torch.device) -> int:
    """Twice as many parts, where that is possible; told."""
    if parts >= most:
        raise TrainerError(
            "The memory is too small for this model, even two rows at a time.",
            "Choose a smaller model, or a machine with more memory.",
        )
    parts = min(2 * parts, most)
    if device.type == "cuda":
        torch.cuda.empty_cache()
    recorder.event(
        "out_of_memory", level="warning", step=step, parts=parts,
        text=f"The memory is too small for a whole batch: step {step} and all that follow are computed in "
        f"{parts} parts. The update is of as many rows as before, but batch-norm sees the parts alone.",
    )  # fmt: skip
    return parts
