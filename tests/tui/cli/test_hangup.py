"""The terminal goes, and nobody tells: this program notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

WAITS = (
    "import signal, sys\n"
    "from cloudtui.cli.hangup import leave_with_terminal\n"
    "leave_with_terminal()\n"
    "print('here', flush=True)\n"
    "signal.pause()\n"
)


def test_who_is_not_told_that_the_terminal_is_gone_ends_with_it() -> None:
    ours, theirs = os.openpty()
    # It is not the terminal of its session, so the kernel says nothing when it goes.
    process = subprocess.Popen([sys.executable, "-c", WAITS], stdin=theirs, stdout=subprocess.PIPE)
    os.close(theirs)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"here\n"
        os.write(ours, b"typed\n")  # what is typed is no end
        assert process.poll() is None
        os.close(ours)
        assert process.wait(30) == -signal.SIGTERM
    finally:
        process.kill()
        process.wait(20)
