"""Somebody at a terminal of their own: a program in a pty, what it shows, keys, and the window's size."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence


def answering(words: Sequence[str], env: Mapping[str, str], prompt: str, typed: str) -> tuple[int, str]:
    """The status of a program in a pty of its own, and what it showed; this is typed at each prompt."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(words[0], list(words), dict(env))  # noqa: S606 - no shell in between
    seen = b""
    try:
        while chunk := os.read(terminal, 4096):
            if prompt.encode() in chunk:
                os.write(terminal, typed.encode() + b"\n")
            seen += chunk
    except OSError:
        pass  # the other end of a terminal is gone
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), seen.decode(errors="replace")


class Typist:
    """One program in a pty of its own. What it shows is `seen`; every wait is bounded."""

    def __init__(self, words: Sequence[str], env: dict[str, str], size: tuple[int, int] = (100, 30)) -> None:
        self._own, its = os.openpty()
        self._fd = its  # kept: the modes of the terminal are asked of it
        self.resize(*size)
        self.seen = ""
        self.process = subprocess.Popen(
            words, env={**env, "TERM": "xterm"}, stdin=its, stdout=its, stderr=its, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._own, text.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Draw at the window's corner."""
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def is_raw(self) -> bool:
        """Whether keys come one by one."""
        return not termios.tcgetattr(self._fd)[3] & termios.ICANON

    def until(self, text: str, timeout: float = 20.0) -> str:
        """All that was shown up to the first time of this text, which is taken from `seen`."""
        deadline = time.monotonic() + timeout
        while text not in self.seen:
            self._read(deadline, text)
        before, _, self.seen = self.seen.partition(text)
        return before

    def end(self, timeout: float = 20.0) -> int:
        """Its exit status."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            self._read(deadline, "its end", wait=0.05)
        return self.process.returncode

    def close(self) -> None:
        """End it if it lives."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        os.close(self._own)
        os.close(self._fd)

    def _read(self, deadline: float, wanted: str, wait: float = 0.5) -> None:
        assert time.monotonic() < deadline, f"{wanted!r} did not come. Seen:\n{self.seen}"
        if select.select([self._own], [], [], wait)[0]:
            self.seen += os.read(self._own, 65536).decode(errors="replace")
