"""The desktop in a browser on this machine."""

from __future__ import annotations

import errno
import shlex
import sys
from dataclasses import dataclass

from cloudtui.handlers.session import Session
from cloudtui_engine.errors import FailedError, RefusedError, UsageError


@dataclass(frozen=True, slots=True)
class Served:
    """A desktop that was served until somebody ended it."""

    address: str
    port: int


def serve(session: Session, port: int = 8000, read_only: bool = False) -> Served:
    """Serve the desktop at 127.0.0.1 until ctrl-c; its address is told as progress.

    Raises:
        UsageError: there is no such port.
        RefusedError: textual-serve is not installed, or the port is taken.
    """
    if not 0 <= port <= 65535:
        raise UsageError("--port wants a number from 0 to 65535.", "0 takes any that is free.")
    try:
        from cloudtui.served.server import DesktopServer, bound
    except ModuleNotFoundError as error:
        raise RefusedError(
            f"The desktop in a browser needs textual-serve, and {error.name} is not installed.",
            f"Install it: {shlex.quote(sys.executable)} -m pip install 'cloudtui[serve]'",
            code="not_installed",
        ) from None
    try:
        listening = bound(port)
    except OSError as error:
        raise _why_not(port, error) from None
    # With exec there is no shell between the two: a desktop sees when its server is gone.
    words = [sys.executable, "-m", "cloudtui", "--home", str(session.paths.home)]
    command = "exec " + shlex.join([*words, "--read-only"] if read_only else words)
    with listening:
        server = DesktopServer(command, listening)
        session.close()
        session.on_progress(f"Open {server.address} in a browser on this machine. Ctrl-C ends it.", None)
        server.run()
    return Served(server.address, server.port)


def _why_not(port: int, error: OSError) -> RefusedError | FailedError:
    if error.errno == errno.EADDRINUSE:
        return RefusedError(
            f"Port {port} is taken.", "Choose another: --port 0 takes any that is free.", code="taken"
        )
    return FailedError(f"Port {port} cannot be used: {error.strerror}.", "Choose another: --port 0.")
