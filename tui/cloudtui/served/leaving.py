"""A desktop that is served ends with its server, however that ended."""

from __future__ import annotations

import os
import signal
import threading

_EVERY_S = 1.0


def leave_with_server() -> None:
    """End this process when the one that started it is gone: a killed server tells nobody."""
    parent = os.getppid()
    threading.Thread(target=_watch, args=(parent,), name="cloudtui-served", daemon=True).start()


def _watch(parent: int) -> None:
    tick = threading.Event()
    while os.getppid() == parent:
        tick.wait(_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)
