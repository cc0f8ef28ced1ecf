"""A program that prints how far it is: run to its end, watched, its last lines kept for the reason."""

from __future__ import annotations

import collections
import contextlib
import os
import select
import subprocess
import time
from typing import BinaryIO, Callable, Deque, Dict, List, Optional, Sequence, cast

from cloudtui_host import install_lines
from cloudtui_host.errors import HostError

TOTAL_S = 7200.0
SILENCE_S = 1200.0
"""One that prints nothing and whose files do not grow for so long is ended: unpacking takes minutes."""
LOOK_S = 0.5
_KEPT = 60

Told = Callable[[str, int, int], None]
"""(text, bytes there, bytes in all or 0)"""


class Runner:
    """Runs installers.

    Args:
        folder: where they run, once it is there.
        env: their environment; TMPDIR in it is where pip's downloads are looked at.
        told: hears of progress; what it raises ends the program.
        echo: gets every line that is printed.
    """

    def __init__(
        self, folder: str, env: Dict[str, str], told: Told, echo: Callable[[str], None] = lambda _line: None
    ) -> None:
        self.folder, self.env, self.told, self.echo = folder, env, told, echo

    def run(self, words: Sequence[str], more_env: Optional[Dict[str, str]] = None) -> None:
        """Run an installer to its end, telling how far it is.

        Raises:
            HostError: it failed, or took too long.
        """
        progress = install_lines.Progress()
        lines: Deque[str] = collections.deque(maxlen=_KEPT)
        cwd = self.folder if os.path.isdir(self.folder) else "/"
        try:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                cwd=cwd, env=dict(self.env, **(more_env or {})),
            )  # fmt: skip
        except OSError as error:
            raise HostError("install_failed", "%s cannot be run: %s." % (words[0], error.strerror)) from None
        try:
            self._watch(process, progress, lines)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if process.returncode:
            raise install_lines.failure(list(lines))

    def _watch(
        self, process: subprocess.Popen[bytes], progress: install_lines.Progress, lines: Deque[str]
    ) -> None:
        descriptor = cast(BinaryIO, process.stdout).fileno()  # a pipe was asked for
        rest = b""
        began = heard = time.monotonic()
        while True:
            ready, _, _ = select.select([descriptor], [], [], LOOK_S)
            now = time.monotonic()
            if ready:
                chunk = os.read(descriptor, 65536)
                if not chunk:
                    return
                heard = now
                *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
                for line in whole:
                    lines.append(line.decode("utf-8", "replace"))
                    progress.feed(lines[-1])
                    self.echo(lines[-1])
            elif self._measure(progress):
                heard = now
            self.told(progress.text, min(progress.done, progress.size), progress.size)
            if now - heard > SILENCE_S or now - began > TOTAL_S:
                raise HostError(
                    "timed_out",
                    "Installing packages stood still: %s." % progress.text,
                    "What was downloaded is kept; try again. Is the host's index slow?",
                )

    def _measure(self, progress: install_lines.Progress) -> bool:
        """See how much of pip's download is there; True when it has grown."""
        if not progress.file:
            return False
        for folder in _folders(self.env["TMPDIR"]):
            with contextlib.suppress(OSError):
                size = os.stat(os.path.join(folder, progress.file)).st_size
                grown = size > progress.done
                progress.done = max(progress.done, size)
                return grown
        return False


def _folders(path: str) -> List[str]:
    with contextlib.suppress(OSError):
        return [entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    return []
