"""What a machine is and has. What cannot be known is None, and nothing is waited for long."""

from __future__ import annotations

import contextlib
import ctypes
import glob
import json
import os
import platform
import pwd
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, List, Optional

from cloudtui_host import detach, files, gpus, installer, locks, proc, tool
from cloudtui_host.sample import parse_meminfo

PYTHON_S = 15.0
"""How long one interpreter may take to tell what it has."""
MOST_PYTHONS = 32
_TOO_OLD = ("2.", "3.0.", "3.1.", "3.2.", "3.3.", "3.4.", "3.5.", "3.6.", "3.7.")
_PLACES = (
    "~/venv/bin",
    "~/.venv/bin",
    "~/*/bin",
    "~/*/.venv/bin",
    "/opt/conda/bin",
    "/opt/conda/envs/*/bin",
    "~/miniconda3/bin",
    "~/miniconda3/envs/*/bin",
    "~/anaconda3/bin",
    "~/anaconda3/envs/*/bin",
    "~/mambaforge/bin",
    "~/mambaforge/envs/*/bin",
    "~/miniforge3/bin",
    "~/miniforge3/envs/*/bin",
    "~/.pyenv/versions/*/bin",
    "/opt/*/bin",
    "/opt/*/venv/bin",
    "/venv/bin",
    "/workspace/*/bin",
)
# Runs in every interpreter there is, so it stands on what all of them have. torch is not imported: that takes
# seconds and memory, and its version and CUDA are written down in files.
_ASK = r"""
import json, os, re, sys
try:
    from importlib import metadata
except ImportError:
    metadata = None
def version(name):
    try:
        return metadata.version(name) if metadata else None
    except Exception:  # a broken installation raises what it likes, and is told like one that is missing
        return None
found = {"version": "%d.%d.%d" % sys.version_info[:3], "prefix": sys.prefix, "cuda": None}
for name in ("torch", "numpy", "safetensors", "onnx", "onnxruntime", "onnxscript", "pillow", "polars"):
    found[name] = version(name)
found["sklearn"] = version("scikit-learn")
for folder in sys.path:
    path = os.path.join(folder, "torch", "version.py")
    if os.path.isfile(path):
        text = open(path).read()
        for key in ("cuda", "hip", "__version__"):
            match = re.search(r"^%s\b[^=\n]*=\s*['\"]([^'\"]+)['\"]" % key, text, re.M)
            if match and key == "__version__":
                found["torch"] = match.group(1)
            elif match and not found["cuda"]:
                found["cuda"] = match.group(1) if key == "cuda" else "hip " + match.group(1)
        break
print("cloudtui-python " + json.dumps(found))
"""


def candidates() -> List[str]:
    """Interpreters worth asking, each once, the one that serves first."""
    found = [sys.executable]
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        if os.path.isabs(folder):
            found += sorted(glob.glob(os.path.join(folder, "python3")))
            found += sorted(glob.glob(os.path.join(folder, "python3.[0-9]*[0-9]")))
    for pattern in _PLACES:
        for folder in sorted(glob.glob(os.path.expanduser(pattern)))[:16]:
            path = os.path.join(folder, "python3")
            found.append(path if os.path.exists(path) else os.path.join(folder, "python"))
    unique: Dict[str, str] = {}
    for path in found:
        # /bin may be /usr/bin; but a virtual environment's python is a link that must not be followed.
        place = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if os.access(path, os.X_OK) and os.path.isfile(path):
            unique.setdefault(place, path)
    return list(unique.values())[:MOST_PYTHONS]


def parse_python(path: str, text: str) -> Optional[Dict[str, Any]]:
    """What an interpreter said of itself, among whatever else it printed; None where it said nothing."""
    for line in text.splitlines():
        if line.startswith("cloudtui-python "):
            with contextlib.suppress(ValueError):
                said = json.loads(line[len("cloudtui-python ") :])
                if isinstance(said, dict) and isinstance(said.get("version"), str):
                    return dict(said, path=path)
    return None


def ask_python(path: str, timeout_s: float = PYTHON_S) -> Optional[Dict[str, Any]]:
    """What an interpreter has; None where it does not answer in time."""
    said = tool.printed(path, "-W", "ignore", "-c", _ASK, timeout_s=timeout_s)
    return None if said is None else parse_python(path, said)


def distinct(answers: List[Optional[Dict[str, Any]]]) -> List[Dict[str, Any]]:
    """One answer an environment that can run our code (Python 3.8), those with torch first."""
    by_prefix: Dict[Any, Dict[str, Any]] = {}
    for answer in answers:
        if answer is not None and not answer["version"].startswith(_TOO_OLD):
            by_prefix.setdefault((answer.get("prefix"), answer["version"]), answer)
    ordered = sorted(by_prefix.values(), key=lambda one: (not one.get("cuda"), not one.get("torch")))
    return [{key: value for key, value in one.items() if key != "prefix"} for one in ordered]


def parse_driver_cuda(number: int) -> Optional[str]:
    """The newest CUDA that a driver knows, `12.4` of its 12040."""
    return "%d.%d" % (number // 1000, number % 1000 // 10) if number > 0 else None


def _driver_cuda() -> Optional[str]:
    number = ctypes.c_int(0)
    try:
        failed = ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(number))
    except (OSError, AttributeError):
        return None
    return None if failed else parse_driver_cuda(number.value)


def sees_cuda(cuda: Optional[str], driver_cuda: Optional[str], has_gpu: bool) -> bool:
    """Whether a torch built for `cuda` can use a GPU here, as far as versions tell: a major one is enough."""
    if not cuda or not has_gpu:
        return False
    built, known = cuda.split(".")[0], (driver_cuda or "").split(".")[0]
    return not (built.isdigit() and known.isdigit()) or int(built) <= int(known)


def parse_os_release(text: str) -> str:
    """The name of the system in the text of /etc/os-release."""
    for line in text.splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip().strip("\"'")
    return ""


def parse_cpu_model(text: str) -> str:
    """The name of the processor in the text of /proc/cpuinfo."""
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() in ("model name", "Model", "cpu model"):
            return value.strip()
    return platform.machine()


def parse_limit(text: str) -> Optional[int]:
    """A memory limit of a control group; None for "max" and for the huge number that means the same."""
    text = text.strip()
    return int(text) if text.isdigit() and int(text) < 1 << 60 else None


def parse_quota(text: str) -> Optional[float]:
    """Processors that a control group may use, from cpu.max; None where it is not limited."""
    parts = text.split()
    if len(parts) == 2 and parts[0].isdigit() and parts[1].isdigit() and int(parts[1]):
        return int(parts[0]) / int(parts[1])
    return None


def _cores() -> int:
    cores = len(os.sched_getaffinity(0))
    limit = parse_quota(files.text("/sys/fs/cgroup/cpu.max"))
    return max(1, min(cores, round(limit))) if limit else cores


def _memory() -> Dict[str, Any]:
    memory = parse_meminfo(files.text("/proc/meminfo"))
    total = memory.get("MemTotal")
    free = memory.get("MemAvailable", memory.get("MemFree"))
    for limit_path, used_path in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        limit, used = parse_limit(files.text(limit_path)), parse_limit(files.text(used_path))
        if limit is not None and total is not None and limit < total:
            total, free = limit, max(0, limit - (used or 0))
    return {"memory_bytes": total, "memory_free_bytes": free}


def _disk(root: str) -> Dict[str, Any]:
    while not os.path.isdir(root) and root != "/":
        root = os.path.dirname(root)
    try:
        found = shutil.disk_usage(root)
    except OSError:
        return {"disk_bytes": None, "disk_free_bytes": None}
    return {"disk_bytes": found.total, "disk_free_bytes": found.free}


def _quota() -> Optional[str]:
    # It ends with an error where a quota is used up: just then it matters.
    return (tool.printed("quota", "-s", "-w") or "")[:2000] or None


def in_container() -> bool:
    """Whether this is a container rather than a machine."""
    if os.path.exists("/.dockerenv") or os.path.exists("/run/.containerenv"):
        return True
    first = files.text("/proc/1/cgroup")
    return any(word in first for word in ("docker", "kubepods", "lxc", "containerd", "podman"))


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def facts(root: str) -> Dict[str, Any]:
    """The facts of the wire; all that takes time runs side by side."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        asked_gpus = pool.submit(gpus.read)
        asked_quota = pool.submit(_quota)
        asked_kill = pool.submit(detach.kill_user_processes)
        asked_systemd = pool.submit(detach.systemd_user)
        answers = list(pool.map(ask_python, candidates()))
        found = asked_gpus.result()
        driver_cuda = _driver_cuda() if found else None
        slow = {
            "gpus": found,
            "driver": next((gpu["driver"] for gpu in found if gpu["driver"]), None),
            "driver_cuda": driver_cuda,
            "quota": asked_quota.result(),
            "kill_user_processes": asked_kill.result(),
            "systemd_user": asked_systemd.result(),
        }
    return {
        "os": parse_os_release(files.text("/etc/os-release")) or platform.system(),
        "kernel": platform.release(),
        "arch": platform.machine(),
        "hostname": proc.hostname(),
        "user": _user(),
        "python": sys.executable,
        "pythons": [
            dict(one, sees_cuda=sees_cuda(one.get("cuda"), driver_cuda, bool(found)))
            for one in distinct(answers)
        ],
        "uv": installer.find_uv(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "cpu": {"model": parse_cpu_model(files.text("/proc/cpuinfo")), "cores": _cores()},
        **_memory(),
        **_disk(root),
        "slurm": shutil.which("sbatch") is not None,
        "linger": detach.linger(),
        "flock": locks.works_in(root),
        "container": in_container(),
        **slow,
    }
