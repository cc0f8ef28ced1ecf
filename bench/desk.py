"""The desktop at the size that it promises to bear, while fifty runs write ten records a second each.

What `python -m bench screen` measures, over this home; and how long the loop of a desktop in a terminal is
not free while somebody uses it. CPU time in C, a loop of a million in the same minutes. `--runs`, `--points`,
`--instances`, `--live`: another size.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import statistics
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import _first_paint, screen
from bench._desk_home import Size, home
from bench._report import cpu, figure

CELLS = (200, 50)
PATIENCE_S = 600.0
_SHARE = 0.99


def main() -> bool:
    """Print the figures; False when one missed its goal."""
    parser = argparse.ArgumentParser(prog="python -m bench desk")
    for name, usual in zip(Size._fields, Size(), strict=True):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--live", type=int, default=50)
    chosen = parser.parse_args()
    size = Size(chosen.runs, chosen.points, chosen.instances)
    what = f"{size.runs} runs, {size.points} points, {size.instances} instances, {chosen.live} live"
    with home(size) as folder, writing(folder, chosen.live):
        begun = _load()
        met = [*screen.figures(folder, what), _loop(folder, what, begun)]
    return all(met)


@contextmanager
def writing(folder: Path, runs: int) -> Iterator[None]:
    """Runs that go on, taken in by another process."""
    command = [sys.executable, "-m", "bench._desk_writer", str(folder), str(runs)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        if writer.stdin is None or writer.stdout is None or writer.stdout.readline() != "ready\n":
            raise RuntimeError("The runs that were to write did not begin.")
        try:
            yield
        finally:
            writer.stdin.close()
            print(json.dumps({"bench": "desk: written meanwhile", "detail": writer.stdout.read().strip()}))


def _loop(folder: Path, what: str, load: float) -> bool:
    """The stretches in which the loop of a desktop was not free."""
    done = used(folder)
    c = statistics.median(cpu(screen.loop) for _ in range(5))
    met = True
    for name, stretches in [*done.items(), ("all of it", [one for part in done.values() for one in part])]:
        taken = sorted(cpu_s / c for cpu_s, _ in stretches)
        clock = sorted(clock_s for _, clock_s in stretches)
        detail = (
            f"{len(taken)} turns, the longest {taken[-1]:.2f} C, above 1 C {sum(one > 1 for one in taken)};"
            f" by the clock p99 {_quantile(clock) * 1e3:.0f} ms, the longest {clock[-1] * 1e3:.0f} ms"
        )
        goal = 1.0 if name == "all of it" else None
        if goal:
            detail += f"; {what}; C {c * 1e3:.1f} ms; load {load:.1f} to {_load():.1f}"
        met &= figure(f"desk: p99 of the loop's turns, in C: {name}", _quantile(taken), goal, detail)
    return met


def _quantile(ordered: list[float]) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * _SHARE))]


def used(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """What was done with a desktop in a terminal of 200 x 50, and the loop's stretches meanwhile."""
    with TemporaryDirectory() as notes, _terminal() as terminal:
        into = Path(notes) / "stretches.json"
        command = [sys.executable, "-m", "bench._desk_loop", str(folder), str(into)]
        done = subprocess.run(
            command, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
            env=_first_paint.environment() | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
            timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        if done.returncode or not into.exists():
            raise RuntimeError("The desktop ended before its time.")
        found: dict[str, list[tuple[float, float]]] = json.loads(into.read_text())
    return found


@contextmanager
def _terminal() -> Iterator[int]:
    """The side of a new terminal that a program has; what it writes is read and forgotten."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", CELLS[1], CELLS[0], 0, 0))

    def read() -> None:
        with suppress(OSError):
            while os.read(ours, 65536):
                pass

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield theirs
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)


def _load() -> float:
    return os.getloadavg()[0]


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
