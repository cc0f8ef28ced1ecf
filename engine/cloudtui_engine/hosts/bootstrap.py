"""From a bare channel to frames: find a python, hand it the loader and the package, wait for its hello."""

from __future__ import annotations

import json
import re
import shlex
import time
from importlib import resources
from typing import Any, Literal

from cloudtui_engine.errors import CloudtuiError, FailedError, LinkTimeoutError, UnreachableError
from cloudtui_engine.hosts import replies, shipping
from cloudtui_engine.hosts.transport import Channel, Transport
from cloudtui_engine.sanitize import clean_line
from cloudtui_host import frames

PROTOCOL = 1
_NOISE_KEPT = 64 * 1024
_CANDIDATES = (
    "python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9 python3.8 "
    "/usr/bin/python3 /usr/local/bin/python3 /opt/conda/bin/python3 /opt/miniconda3/bin/python3 "
    '"$HOME"/miniconda3/bin/python3 "$HOME"/anaconda3/bin/python3 "$HOME"/.local/bin/python3'
)
_TOO_OLD = 91
_START = (
    "import sys;"
    f"sys.version_info<(3,8) and (print(sys.version.split()[0],file=sys.stderr),sys.exit({_TOO_OLD}));"
    "import json;stdin=sys.stdin.buffer;header=json.loads(stdin.readline());"
    'exec(compile(stdin.read(header["loader"]),"loader.py","exec"),'
    '{"__name__":"__main__","header":header,"stdin":stdin})'
)
_ERROR_LINE = re.compile(rb"cloudtui-error (\{[^\n]*\})\r?\n")
_NO_PYTHON_LINE = re.compile(rb"cloudtui-no-python([^\n]*)\r?\n")
Lane = Literal["control", "bulk"]


def command(python: str = "") -> str:
    """The one command that a channel runs: the same for every host and lane, with nothing in it from a user.

    It is one line in single quotes, because the login shell that reads it may be sh, fish or csh.
    """
    if python:
        return f"exec {shlex.quote(python)} -ISu -c {shlex.quote(_START)}"
    quoted = _START.replace('"', '\\"')
    # One start of a python is the check and the run: it ends by these statuses before it has read a byte.
    script = (
        f'for p in {_CANDIDATES}; do command -v "$p" >/dev/null 2>&1 || continue; '
        f'"$p" -ISu -c "{quoted}"; s=$?; case $s in 2|126|127) ;; {_TOO_OLD}) o=1 ;; *) exit $s ;; esac; '
        "done; echo cloudtui-no-python $o"
    )
    return f"exec /bin/sh -c '{script}'"


def header(root: str, lane: Lane) -> tuple[bytes, bytes]:
    """The line with the loader, and the package, which is one object for all hosts: nobody copies it."""
    packed = shipping.pack("cloudtui_host")
    loader = (resources.files("cloudtui_host") / "loader.py").read_bytes()
    line = {"loader": len(loader), "zip": len(packed.data), "sha": packed.sha, "root": root, "lane": lane}
    return json.dumps(line).encode() + b"\n" + loader, packed.data


def start(transport: Transport, root: str, lane: Lane, timeout: float) -> Started:
    """Open a lane on a connected transport and wait for the host's hello.

    Raises:
        FailedError: no python3 >= 3.8, or the host part could not start; the message says why.
        UnreachableError: the connection broke; LinkTimeoutError: no hello in time.
    """
    deadline = time.monotonic() + timeout
    channel = transport.open(command(transport.python), timeout)
    try:
        try:
            for part in header(root, lane):
                channel.send(part, max(0.1, deadline - time.monotonic()))
        except LinkTimeoutError:
            raise
        except UnreachableError:
            if not transport.is_alive:
                raise
            # The command ended without reading: what it printed says why.
        return _await_hello(transport, channel, deadline, timeout)
    except CloudtuiError:
        channel.close()
        raise


class Started:
    """A lane that speaks frames."""

    def __init__(
        self, channel: Channel, decoder: frames.Decoder, hello: dict[str, Any], rest: list[tuple[int, bytes]]
    ) -> None:
        self.channel = channel
        self.decoder = decoder
        self.hello = hello
        self.rest = rest
        """Frames that came together with the hello."""


def _await_hello(transport: Transport, channel: Channel, deadline: float, timeout: float) -> Started:
    decoder = frames.Decoder()
    seen = bytearray()
    while True:
        left = deadline - time.monotonic()
        try:
            chunk = channel.recv(64 * 1024, max(0.05, left))
        except LinkTimeoutError:
            chunk = None
        if chunk is None or left <= 0:
            raise LinkTimeoutError(
                f"{transport.name} is connected, but its host part did not start within {timeout:.0f} s"
                f"{_said(channel, bytes(seen))}.",
                "A slow login shell (.bashrc, conda) or a slow home folder may be the cause.",
            )
        if not chunk:
            raise _ended(transport, channel, bytes(seen))
        found = decoder.feed(chunk)
        for index, (kind, payload) in enumerate(found):
            message = replies.parse(payload) if kind == frames.MESSAGE else None
            if message is not None and message.get("event") == "hello":
                return Started(channel, decoder, _checked(message, transport.name), found[index + 1 :])
        seen += chunk
        del seen[:-_NOISE_KEPT]
        _raise_named(transport.name, bytes(seen))


def _raise_named(name: str, seen: bytes) -> None:
    """Raise what the loader or the shell reported by a line of its own."""
    reported = _ERROR_LINE.search(seen)
    if reported:
        raise replies.error(replies.parse(reported[1]))
    none = _NO_PYTHON_LINE.search(seen)
    if none:
        raise FailedError(
            f"{name} has no python3 that is new enough."
            if none[1].strip()
            else f"{name} has no python3 that its login shell finds.",
            "Install Python 3.8 or newer there (for example: apt-get install python3).",
            code="no_python",
        )


def _ended(transport: Transport, channel: Channel, seen: bytes) -> CloudtuiError:
    if not transport.is_alive:
        return UnreachableError(f"The connection to {transport.name} broke before its host part started.")
    status = channel.exit_status(1.0)
    ended = f" (exit status {status})" if status is not None else ""
    return FailedError(
        f"{transport.name} ended the session before its host part started{ended}{_said(channel, seen)}.",
        "Can this user run commands there? Try: ssh with the same address and the command: python3 -V",
        code="no_session",
    )


def _said(channel: Channel, seen: bytes) -> str:
    """The last thing that was printed, as part of a sentence."""
    for raw in (channel.stderr_text(), seen.decode(errors="replace")):
        lines = [line for line in (clean_line(one, 200) for one in raw.splitlines()) if line]
        if lines:
            return f"; it said: {lines[-1]}"
    return ""


def _checked(message: dict[str, Any], name: str) -> dict[str, Any]:
    """A hello of the right protocol, with every field of its type, and cleaned."""
    if message.get("protocol") != PROTOCOL:
        raise FailedError(
            f"The host part on {name} speaks another protocol.", "Update cloudtui.", code="protocol"
        )
    words = ("machine_id", "boot_id", "hostname", "user", "home", "root", "python")
    checked: dict[str, Any] = {key: replies.text(message, key, 4096) for key in words}
    return checked | {
        "event": "hello",
        "protocol": PROTOCOL,
        "pid": replies.whole(message, "pid"),
        "now": replies.moment(message, "now"),
    }
