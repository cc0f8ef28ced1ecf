"""A command as a child process of ours: its pipes, each wait with its deadline."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from cloudtui_engine.errors import LinkTimeoutError, UnreachableError
from cloudtui_engine.hosts.transport.base import STDERR_KEPT

_READ = 64 * 1024
_SLICE_S = 0.25
"""How long a wait holds up a `close` at most."""


class ProcessChannel:
    """A child process; its group ends with the channel, what it detached does not.

    Args:
        argv: what to run.
        who: the process as the subject of a sentence.
        grace_s: how long it may take to end by itself once its input ends.
        env: its environment; None: ours.
    """

    def __init__(
        self, argv: Sequence[str], who: str, grace_s: float = 0.3, *, env: Mapping[str, str] | None = None
    ) -> None:
        self._who = who
        self._grace_s = grace_s
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=env,
                start_new_session=True,  # Ctrl-C in the engine's terminal is for the engine
            )
        except OSError as error:  # too many open files, no memory: a while later there may be some
            raise UnreachableError(
                f"No process could be started on this machine: {error.strerror}.",
                "Too many files may be open or too little memory free; end other programs.",
            ) from error
        if not (self._process.stdin and self._process.stdout and self._process.stderr):
            raise UnreachableError(f"{who} has no pipes.")
        self._in, self._out, self._err = self._process.stdin, self._process.stdout, self._process.stderr
        os.set_blocking(self._in.fileno(), False)
        self._stderr = bytearray()
        self._closed = False
        # A descriptor is closed only while nobody waits on it: its number may be another file's at once.
        self._sending, self._receiving, self._watching = threading.Lock(), threading.Lock(), threading.Lock()
        self._taken = threading.Event()
        threading.Thread(target=self._drain_stderr, name="process-stderr", daemon=True).start()

    def _drain_stderr(self) -> None:
        with self._err, contextlib.suppress(OSError, ValueError):
            while chunk := os.read(self._err.fileno(), _READ):
                self._stderr += chunk[: STDERR_KEPT - len(self._stderr)]

    def send(self, data: bytes, timeout: float) -> None:
        """Hand over all of `data` within `timeout`."""
        deadline = time.monotonic() + timeout
        view = memoryview(data)
        while view:
            left = deadline - time.monotonic()
            if left <= 0:
                raise LinkTimeoutError(f"{self._who} took no data for {timeout:.0f} s.")
            with self._sending:
                view = view[self._write(view, min(left, _SLICE_S)) :]

    def _write(self, view: memoryview, timeout: float) -> int:
        try:
            if not _wait(self._in.fileno(), select.POLLOUT, timeout):
                return 0
            return os.write(self._in.fileno(), view)
        except BlockingIOError:
            return 0
        except (OSError, ValueError) as error:
            raise UnreachableError(f"{self._who} has ended.") from error

    def recv(self, limit: int, timeout: float) -> bytes:
        """Some bytes, b"" at the end."""
        deadline = time.monotonic() + timeout
        while True:
            left = max(0.0, deadline - time.monotonic())
            with self._receiving:
                try:
                    if _wait(self._out.fileno(), select.POLLIN, min(left, _SLICE_S)):
                        return os.read(self._out.fileno(), limit)
                except (OSError, ValueError):
                    return b""
                finally:
                    self._taken.set()
            if left <= _SLICE_S:
                raise LinkTimeoutError(f"{self._who} said nothing for {timeout:.1f} s.")

    def watch(self, ready: Callable[[], None]) -> None:
        """Have `ready` called by a thread that looks at the pipe."""
        threading.Thread(target=self._watch, args=(ready,), name="process-stdout", daemon=True).start()
        ready()

    def _watch(self, ready: Callable[[], None]) -> None:
        while not self._closed:
            self._taken.clear()
            with self._watching:
                there = not self._closed and _wait(self._out.fileno(), select.POLLIN, _SLICE_S)
            if there:
                ready()
                self._taken.wait()

    def stderr_text(self) -> str:
        """The first of its stderr."""
        return bytes(self._stderr).decode(errors="replace")

    def exit_status(self, timeout: float) -> int | None:
        """The exit status, None while it runs."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def close(self) -> None:
        """End the process: by end of input, and by signal when that does not help at once."""
        if self._closed:
            return
        self._closed = True
        self._taken.set()
        with self._sending, contextlib.suppress(OSError):
            self._in.close()
        if self.exit_status(self._grace_s) is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self.exit_status(5.0)  # one that not even that ends is left behind
        with self._receiving, self._watching:
            self._out.close()


def _wait(fileno: int, what: int, timeout: float) -> bool:
    poll = select.poll()
    poll.register(fileno, what)
    return bool(poll.poll(timeout * 1000))
