"""What is computed on, and how exactly."""

from __future__ import annotations

import os
from typing import Any

import torch

from cloudtui_trainer.errors import ParamError
from cloudtui_trainer.params import Params


def choose_device(params: Params) -> torch.device:
    """The GPU where there is one, or what was asked for."""
    there = torch.cuda.is_available()
    if params.device == "cuda" and not there:
        raise ParamError(
            "device is cuda, but torch sees no GPU here.", "Choose device=cpu, or look at nvidia-smi."
        )
    return torch.device("cuda", 0) if there and params.device != "cpu" else torch.device("cpu")


def choose_precision(params: Params, device: torch.device) -> str:
    """Auto is bf16 on a GPU that multiplies it, else fp32."""
    if params.precision != "auto":
        return params.precision
    return "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"


def prepare(device: torch.device, threads: int) -> None:
    """Use so many threads (0 is all cores), and give the same numbers for the same input on a GPU, too."""
    torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.use_deterministic_algorithms(True, warn_only=True)


def autocast(device: torch.device, half: bool) -> Any:
    """Multiply in bf16 inside the block, where wanted."""
    return torch.autocast(device.type, torch.bfloat16, enabled=half)


def describe(device: torch.device) -> str:
    """The device in words."""
    return (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"{torch.get_num_threads()} CPU thread(s)"
    )
