"""A desktop whose terminal is gone ends, too."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading


def leave_with_terminal() -> None:
    """End this process, as a closed terminal does, once the one at standard input is gone.

    The kernel tells that to the leader of the session alone. Where that is another program which waits for us
    (make, a script), nobody would tell us, and Textual reads the end of its input again and again.
    """
    threading.Thread(target=_wait, args=(sys.stdin.fileno(),), name="hangup", daemon=True).start()


def _wait(fileno: int) -> None:
    terminal = select.poll()
    terminal.register(fileno, 0)  # nothing but its end is asked for
    if any(found & select.POLLHUP for _, found in terminal.poll()):
        os.kill(os.getpid(), signal.SIGTERM)  # a hang-up is ignored below nohup
