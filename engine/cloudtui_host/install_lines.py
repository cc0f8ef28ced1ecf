"""What pip and uv print while they install, read as progress and as reasons. Pure."""

from __future__ import annotations

import re
from typing import Dict, List, NamedTuple, Sequence

from cloudtui_host.errors import HostError

LAST_LINES = 6
"""How many of an installer's last lines an error shows."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PIP_FETCH = re.compile(
    r"(?:Downloading|Using cached) (?:\S*/)?([^/\s]+\.whl)(?!\S)(?: \(([\d.]+) ?(\w+)\))?"
)
_PIP_LOCAL = re.compile(r"Processing (?:\S*/)?([^/\s]+\.whl)(?!\S)")
_UV_BEGIN = re.compile(r"Downloading ((?!\S*\.whl)[A-Za-z0-9._-]+) (?:\(download\) )?\(([\d.]+) ?(\w+)\)")
_UV_END = re.compile(r"Downloaded ([A-Za-z0-9._-]+)")
_COUNT = re.compile(r"(Resolved|Prepared|Installed) (\d+) packages?")
_UNITS = {"B": 1, "bytes": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_UNITS.update({"KiB": 2**10, "MiB": 2**20, "GiB": 2**30})

_DISK = ("No space left on device", "Disk quota exceeded", "[Errno 28]", "[Errno 122]", "os error 28")
_NETWORK = (
    "connection broken by",
    "NewConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "ProxyError",
    "Max retries exceeded",
    "Could not fetch URL",
    "Tunnel connection failed",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "Connection refused",
    "Connection reset by peer",
    "IncompleteRead",
    "error sending request",
    "dns error",
    "tcp connect error",
    "client error (Connect)",
    "operation timed out",
    "Network connectivity is disabled",
)
_NO_WHEEL = re.compile(
    r"No matching distribution found for (\S+)|Because (?:only )?(\S+).{0,80}(?:was not found|no wheels)"
)


class Wheel(NamedTuple):
    """What a wheel's file name says."""

    name: str
    version: str


def wheel_of(file_name: str) -> Wheel:
    """Name and version of a wheel, by its file name."""
    parts = file_name.split("-")
    return Wheel(parts[0].replace("_", "-"), parts[1] if len(parts) > 2 else "")


def name_of(requirement: str) -> str:
    """The package that a requirement is about."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return found.group(0) if found else requirement


def bytes_of(number: str, unit: str) -> int:
    """`("2.5", "MB")` in bytes; 0 where the unit is unknown."""
    try:
        return int(float(number) * _UNITS.get(unit, 0))
    except ValueError:
        return 0


class Progress:
    """How far an installer is, by the lines that it has printed."""

    def __init__(self) -> None:
        self.text = "Looking up packages"
        self.file = ""
        """The wheel that is being downloaded, for who wants to see how much of it is there."""
        self.size = 0
        """Bytes of what is being downloaded, 0 where that is unknown or nothing is."""
        self.done = 0
        self._sizes: Dict[str, int] = {}
        self._finished = 0

    def feed(self, line: str) -> None:
        """Take the next line."""
        line = _ESCAPES.sub("", line).strip()
        fetched = _PIP_FETCH.match(line)
        match = fetched or _PIP_LOCAL.match(line)
        if match:
            self.file = match.group(1)
            self.text = "Installing %s" % " ".join(wheel_of(self.file)).strip()
            self.size = bytes_of(fetched.group(2), fetched.group(3)) if fetched and fetched.group(2) else 0
            self.done = 0
            return
        if not self._feed_uv(line):
            self._feed_phase(line)

    def _feed_uv(self, line: str) -> bool:
        """Its downloads run side by side: what is told is their sum, and the largest that is under way."""
        begun, ended = _UV_BEGIN.match(line), _UV_END.match(line)
        if begun:
            self._sizes[begun.group(1)] = bytes_of(begun.group(2), begun.group(3))
        elif ended:
            self._finished += self._sizes.pop(ended.group(1), 0)
        else:
            return False
        self.done, self.size = self._finished, self._finished + sum(self._sizes.values())
        if self._sizes:
            self.text = "Installing %s" % max(self._sizes, key=lambda name: self._sizes[name])
        return True

    def _feed_phase(self, line: str) -> None:
        counted = _COUNT.match(line)
        if line.startswith("Installing collected packages:"):
            self.text = "Unpacking " + _packages(line.count(",") + 1)
        elif counted and counted.group(1) == "Prepared":
            self.text = "Unpacking " + _packages(int(counted.group(2)))
        elif counted and counted.group(1) == "Resolved":
            self.text = "Installing " + _packages(int(counted.group(2)))
        elif not line.startswith("Successfully installed"):
            return
        self.file, self.size, self.done = "", 0, 0


def _packages(count: int) -> str:
    return "%d package%s" % (count, "" if count == 1 else "s")


def last_lines(lines: Sequence[str], count: int = LAST_LINES) -> str:
    """The last lines that say something."""
    said: List[str] = [_ESCAPES.sub("", line).rstrip() for line in lines]
    said = [line for line in said if line.strip() and "[notice]" not in line]
    return "\n".join(line[:300] for line in said[-count:])


def is_network(lines: Sequence[str]) -> bool:
    """Whether what was printed speaks of an index that cannot be reached."""
    return any(sign in line for line in lines for sign in _NETWORK)


def failure(lines: Sequence[str]) -> HostError:
    """Why an installer failed, by its last lines."""
    text = "\n".join(lines)
    shown = last_lines(lines)
    if any(sign in text for sign in _DISK):
        return HostError(
            "disk_full",
            "The disk became full while packages were installed.",
            "Free some space on the host, or choose a root on another disk.",
        )
    if is_network(lines):
        return HostError("no_index", "No package index can be reached from the host:\n%s" % shown)
    missing = _NO_WHEEL.search(text)
    if missing:
        name = missing.group(1) or missing.group(2)
        return HostError(
            "no_wheel",
            "The package index has no %s for this host's Python and platform." % name,
            "Is another Python (3.10 to 3.13) on the host? Installing uv there brings one along.",
        )
    return HostError(
        "install_failed", "The packages could not be installed:\n%s" % (shown or "no reason told")
    )
