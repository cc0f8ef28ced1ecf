"""One training step with a python of the host, before anything large is brought for it.

That a torch is installed does not say that it works: a processor may lack its instructions, a driver may be
too old for its CUDA, a library that it loads may be missing. All of that shows in one step.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any, Dict, Optional

from cloudtui_host import install_lines
from cloudtui_host.errors import HostError

PATIENCE_S = 240.0
"""A first import of torch from a slow network disk takes minutes."""
_MARK = "cloudtui-smoke "
# A small network of the trainer's kind. Only what torch and numpy have had for years.
_STEP = r"""
import json, sys, time
began = time.time()
wanted = sys.argv[1]
import numpy
import torch
from torch import nn
torch.set_num_threads(1)
seen = torch.cuda.is_available()
if wanted == "cuda" and not seen:
    torch.zeros(1).cuda()
device = "cuda" if seen and wanted != "cpu" else "cpu"
torch.manual_seed(0)
net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
net.to(device)
optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
raw = (numpy.arange(8 * 64) % 251).astype(numpy.uint8).reshape(8, 1, 8, 8)
x = torch.from_numpy(raw).to(device).float() / 255
y = torch.arange(8, device=device) % 3
before = net[0].weight.detach().cpu().numpy().copy()
loss = nn.functional.cross_entropy(net(x), y)
loss.backward()
optimizer.step()
after = net[0].weight.detach().cpu().numpy()
if not numpy.isfinite(after).all() or not (after != before).any():
    raise RuntimeError("The step changed nothing, or gave no finite numbers.")
name = torch.cuda.get_device_name(0) if device == "cuda" else ""
print("cloudtui-smoke " + json.dumps({
    "torch": torch.__version__, "device": device, "gpu": name, "seconds": round(time.time() - began, 2),
}))
"""


def step(python: str, wanted: str, folder: Optional[str] = None) -> Dict[str, Any]:
    """Do the step; what it told: torch, device, gpu, seconds.

    Args:
        python: the interpreter.
        wanted: `cuda` (fails without), `cpu`, or empty for what there is.
        folder: where it runs; the root folder of the file system by default.

    Raises:
        HostError: code smoke_failed, no_openmp, cuda_mismatch, gpu_busy, illegal_instruction, smoke_timeout.
    """
    env = {key: text for key, text in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    try:
        done = subprocess.run(
            [python, "-W", "ignore", "-c", _STEP, wanted],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder or "/",
            env=env,
            timeout=PATIENCE_S,
            check=False,
        )
    except OSError as error:
        raise HostError("smoke_failed", "%s cannot be run: %s." % (python, error.strerror)) from None
    except subprocess.TimeoutExpired:
        raise HostError(
            "smoke_timeout",
            "One training step with %s took longer than %d s." % (python, PATIENCE_S),
            "Is its disk or its GPU driver stuck?",
        ) from None
    told = parse(done.stdout.decode("utf-8", "replace"))
    if done.returncode == 0 and told is not None:
        return told
    raise failure(python, done.returncode, done.stderr.decode("utf-8", "replace"))


def parse(text: str) -> Optional[Dict[str, Any]]:
    """What the step told, among whatever else was printed; None where it told nothing."""
    for line in text.splitlines():
        if line.startswith(_MARK):
            try:
                told = json.loads(line[len(_MARK) :])
            except ValueError:
                return None
            return told if isinstance(told, dict) else None
    return None


def failure(python: str, code: int, stderr: str) -> HostError:
    """Why a step failed, by its exit status and what it wrote; with its last lines."""
    shown = install_lines.last_lines(stderr.splitlines(), 4)
    if code in (-signal.SIGILL, 128 + signal.SIGILL):
        return HostError(
            "illegal_instruction",
            "The torch of %s needs instructions that this host's processor does not have." % python,
            "Use a host with a newer processor, or install an older torch there yourself.",
        )
    if "libgomp" in stderr or "libomp" in stderr:
        return HostError(
            "no_openmp",
            "The torch of %s lacks a library of the system:\n%s" % (python, shown),
            "Install it on the host: apt-get install libgomp1",
        )
    if any(sign in shown for sign in _BUSY):
        return HostError(
            "gpu_busy",
            "The step could not be done on the host's GPU, which others use:\n%s" % shown,
            "Wait for them, or look who it is: cloudtui instance show NAME",
        )
    if any(sign in shown for sign in _CUDA):
        return HostError(
            "cuda_mismatch",
            "The torch of %s cannot use this host's GPU:\n%s" % (python, shown),
            "It needs a torch for this driver. uv picks one where it is installed on the host; else name an "
            "index that has it: cloudtui instance prepare NAME --index URL",
        )
    how = "was killed by %s" % _signal_name(-code) if code < 0 else "ended with status %d" % code
    return HostError(
        "smoke_failed",
        "One training step with %s %s:\n%s" % (python, how, shown or "it wrote nothing"),
        "Try it on the host: %s -c 'import torch; print(torch.ones(2) + 1)'" % python,
    )


_BUSY = ("out of memory", "busy or unavailable")
_CUDA = ("CUDA", "cuda", "NVIDIA driver", "libcud", "libnv", "nvrtc", "cuDNN")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "signal %d" % number
