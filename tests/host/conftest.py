from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloudtui_host import files, proc


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A root on this machine; whatever a test left running in it is ended."""
    path = tmp_path / "root"
    yield path
    for pattern in ("jobs/*/a*/supervisor.json", "jobs/*/a*/adopter.json", "jobs/*/a*/child.json"):
        for found in path.glob(pattern):
            who = files.read_json(str(found))
            if who is not None and proc.alive(who):
                with contextlib.suppress(OSError):
                    os.kill(who["pid"], signal.SIGKILL)
