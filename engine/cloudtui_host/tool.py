"""What other programs of the host have to say."""

from __future__ import annotations

import subprocess
from typing import Optional, Sequence

PATIENCE_S = 5.0


def output(*words: str, timeout_s: float = PATIENCE_S) -> Optional[str]:
    """What a command prints, None where it cannot be run, takes long or ends with an error."""
    done = _run(words, timeout_s)
    return None if done is None or done.returncode != 0 else _text(done)


def printed(*words: str, timeout_s: float = PATIENCE_S) -> Optional[str]:
    """What a command prints, however it ends; None where it cannot be run or takes long."""
    done = _run(words, timeout_s)
    return None if done is None else _text(done)


def _run(words: Sequence[str], timeout_s: float) -> Optional[subprocess.CompletedProcess[bytes]]:
    try:
        return subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _text(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stdout.decode("utf-8", "replace").strip()
