"""Where chance comes from: a seed for each use and number, so that nothing of it must be kept."""

from __future__ import annotations

import torch

INITIAL, ORDER, STEP, VIEW = range(4)
"""What a seed is used for: the first weights, the order of an epoch, the draws of a step, and those of
a batch whose answers are kept."""


def mixed(seed: int, use: int, number: int) -> int:
    """A seed for one use and number that is far from its neighbours (splitmix64)."""
    value = (seed * 0x9E3779B97F4A7C15 + use * 0xD1B54A32D192ED03 + number * 0x8CB92BA72F3D8DD7) & (2**64 - 1)
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
    return (value ^ (value >> 31)) & (2**63 - 1)


def seed_devices(seed: int, device: torch.device) -> None:
    """Seed what dropout and augmentation draw from; `torch.manual_seed` would take 100 times as long."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)
