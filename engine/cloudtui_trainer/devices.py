"""What is computed on, and how exactly."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cloudtui_trainer.errors import ParamError
from cloudtui_trainer.params import Params

CPUINFO = Path("/proc/cpuinfo")
_HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


def move(
    model: nn.Module, device: torch.device, memory_format: torch.memory_format = torch.channels_last
) -> nn.Module:
    """The model itself, moved to the device, the weights of its convolutions in this layout."""
    # What torch declares of a module's `to` leaves the layout out.
    moved: nn.Module = model.to(device, memory_format=memory_format)  # type: ignore[call-overload]
    return moved


def choose_device(params: Params) -> torch.device:
    """The GPU where there is one, or what was asked for."""
    there = torch.cuda.is_available()
    if params.device == "cuda" and not there:
        raise ParamError(
            "device is cuda, but torch sees no GPU here.", "Choose device=cpu, or look at nvidia-smi."
        )
    return torch.device("cuda", 0) if there and params.device != "cpu" else torch.device("cpu")


def choose_precision(params: Params, device: torch.device, model: nn.Module) -> str:
    """Auto is bf16 where the device multiplies it, on a CPU for convolutions alone; else fp32.

    Raises:
        ParamError: fp16 on a CPU.
    """
    if params.precision == "fp16" and device.type != "cuda":
        raise ParamError("precision is fp16, but only a GPU computes in it.", "Choose bf16, fp32 or auto.")
    if params.precision != "auto":
        return params.precision
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    convolves = any(isinstance(layer, nn.Conv2d) for layer in model.modules())
    return "bf16" if convolves and cpu_multiplies_bf16() else "fp32"


def cpu_multiplies_bf16() -> bool:
    """The CPU has instructions for it; without them torch does it by fp32, more slowly than fp32 itself.

    The kernel is asked, for torch's own questions are private and differ between its versions.
    """
    try:
        lines = CPUINFO.read_text().splitlines()
    except OSError:
        return False
    flags = next((line.split() for line in lines if line.startswith("flags")), [])
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags)


def prepare(device: torch.device, threads: int) -> None:
    """Use so many threads (0 is all cores), and give the same numbers for the same input on a GPU, too."""
    torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        torch.use_deterministic_algorithms(True, warn_only=True)


def autocast(device: torch.device, half: bool, precision: str = "bf16") -> Any:
    """Multiply in bf16 or fp16 inside the block, where `half` is wanted."""
    # Not even asked for where it is not: to enter and to leave it takes time in every step.
    return torch.autocast(device.type, _HALVES[precision]) if half else contextlib.nullcontext()


def autocast_in(device: torch.device, precision: str) -> Any:
    """Multiply in this precision inside the block; in fp32 as it comes."""
    return autocast(device, precision in _HALVES, precision if precision in _HALVES else "bf16")


def describe(device: torch.device) -> str:
    """The device in words."""
    return (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"{torch.get_num_threads()} CPU thread(s)"
    )
