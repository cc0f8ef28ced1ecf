"""The GPUs of this machine as nvidia-smi tells of them, believed only as far as it makes sense."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import threading
from typing import Any, Dict, List, Optional

from cloudtui_host import tool

MIB = 1 << 20
_PLACES = ("/usr/bin", "/usr/local/nvidia/bin", "/opt/bin", "/usr/lib/wsl/lib")
_GPU_FIELDS = (
    "index,uuid,name,memory.total,memory.used,utilization.gpu,temperature.gpu,power.draw,driver_version"
)
_APP_FIELDS = "gpu_uuid,pid,used_memory,process_name"


def find_smi() -> Optional[str]:
    """The path of nvidia-smi, None where there is none."""
    return shutil.which("nvidia-smi") or shutil.which("nvidia-smi", path=os.pathsep.join(_PLACES))


def number(text: str) -> Optional[float]:
    """The number in a field; None for [N/A], ERR! and whatever else stands where a number should."""
    parts = text.split()
    try:
        value = float(parts[0]) if parts else None
    except ValueError:
        return None
    return value if value is not None and abs(value) < 1e15 else None


def _bytes(text: str) -> Optional[int]:
    value = number(text)
    return None if value is None or value < 0 else int(value * MIB)


def parse_gpus(text: str) -> List[Dict[str, Any]]:
    """The GPUs in the output of --query-gpu; lines of any other shape are passed over."""
    found = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) < 9 or not parts[0].isdigit():
            continue
        # A name may hold commas: it has all that is between its neighbours.
        index, uuid, name = int(parts[0]), parts[1], ", ".join(parts[2:-6])
        total, used, busy, heat, power, driver = parts[-6:]
        found.append(
            {
                "index": index,
                "uuid": uuid,
                "name": name,
                "memory_bytes": _bytes(total),
                "memory_used_bytes": _bytes(used),
                "utilization": number(busy),
                "temperature_c": number(heat),
                "power_w": number(power),
                "driver": driver if number(driver.split(".")[0]) is not None else None,
                "processes": [],
            }
        )
    return found


def parse_apps(text: str) -> List[Dict[str, Any]]:
    """The processes in the output of --query-compute-apps, each with the `uuid` of its GPU."""
    found = []
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(",", 3)]
        if len(parts) == 4 and parts[0].startswith(("GPU-", "MIG-")) and parts[1].isdigit():
            found.append(
                {
                    "uuid": parts[0],
                    "pid": int(parts[1]),
                    "memory_bytes": _bytes(parts[2]),
                    "command": parts[3][:200],
                }
            )
    return found


def user_of(pid: int) -> str:
    """The name of a process's user; "?" where that cannot be seen."""
    try:
        uid = os.stat("/proc/%d" % pid).st_uid
    except OSError:
        return "?"
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def join(gpus: List[Dict[str, Any]], apps: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    """The GPUs with their processes."""
    by_uuid = {gpu["uuid"]: gpu for gpu in gpus}
    for app in apps:
        gpu = by_uuid.get(app["uuid"])
        if gpu is not None:
            rest = {key: value for key, value in app.items() if key != "uuid"}
            gpu["processes"].append(dict(rest, user=user_of(app["pid"])))
    return gpus


def _run(smi: str, query: str, timeout_s: float) -> str:
    """What nvidia-smi prints, "" where it fails."""
    return tool.output(smi, query, "--format=csv,noheader,nounits", timeout_s=timeout_s) or ""


def read(timeout_s: float = 15.0) -> List[Dict[str, Any]]:
    """All GPUs and who uses them; empty where there are none, or no driver that answers."""
    smi = find_smi()
    if smi is None:
        return []
    found = parse_gpus(_run(smi, "--query-gpu=" + _GPU_FIELDS, timeout_s))
    return (
        join(found, parse_apps(_run(smi, "--query-compute-apps=" + _APP_FIELDS, timeout_s))) if found else []
    )


class Asker:
    """Asks nvidia-smi again and again; the one that hangs in the driver is left alone, not waited for."""

    KEYS = ("index", "utilization", "memory_bytes", "memory_used_bytes", "temperature_c", "power_w")

    def __init__(self, timeout_s: float = 5.0) -> None:
        self._smi = find_smi()
        self._timeout_s = timeout_s
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._lock = threading.Lock()

    def ask(self) -> List[Dict[str, Any]]:
        """The numbers of each GPU now; empty where they cannot be had in time."""
        with self._lock:
            if self._smi is None or (self._process is not None and self._process.poll() is None):
                return []
            try:
                self._process = subprocess.Popen(
                    [self._smi, "--query-gpu=" + _GPU_FIELDS, "--format=csv,noheader,nounits"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            except OSError:
                return []
            process = self._process
        try:
            out, _ = process.communicate(timeout=self._timeout_s)
        except (subprocess.TimeoutExpired, ValueError, OSError):
            process.kill()
            return []
        found = parse_gpus(out.decode("utf-8", "replace")) if process.returncode == 0 else []
        return [{key: gpu[key] for key in self.KEYS} for gpu in found]

    def close(self) -> None:
        """End the one that still runs."""
        with self._lock, contextlib.suppress(OSError):
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
