"""How far a command is, on stderr: a line drawn over on a terminal, one now and then elsewhere."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

from cloudtui.cli.tables import fit
from cloudtui_engine.sanitize import clean_line

REDRAW_S = 0.1
SPARSE_S = 5.0
_BAR = 20


class Progress:
    """Told a line and the share that is done. `close` leaves the terminal as it was."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._terminal = stream.isatty()
        self._at = float("-inf")
        self._drawn = False
        self._waiting = self._shown = ""

    def __call__(self, text: str, share: float | None) -> None:
        """Show it, unless something was shown just now."""
        line = clean_line(text)
        if share is not None:
            line = f"{bar(share)} {share * 100:3.0f}%  {line}"
        if line == self._shown:
            return
        now = time.monotonic()
        if now - self._at < (REDRAW_S if self._terminal else SPARSE_S):
            self._waiting = line
            return
        self._at = now
        self._show(line)

    def _show(self, line: str) -> None:
        self._waiting, self._shown = "", line
        if self._terminal:
            cells = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[K{fit(line, cells)}")
            self._drawn = True
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Say what was held back, or clear the line."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._drawn = False
        elif self._waiting:
            self._show(self._waiting)
        self._waiting = ""
        self._stream.flush()


def bar(share: float) -> str:
    """`━━━━━─────`."""
    full = round(min(1.0, max(0.0, share)) * _BAR)
    return "━" * full + "─" * (_BAR - full)
