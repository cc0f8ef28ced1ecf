"""One engine a home, decided by the kernel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from cloudtui_engine import lock
from cloudtui_engine.lock import EngineLock
from cloudtui_engine.paths import Paths

HOLD = """
import sys
from pathlib import Path
from cloudtui_engine.lock import EngineLock
from cloudtui_engine.paths import Paths
held = EngineLock(Paths(Path(sys.argv[1])))
print(held.acquire(), flush=True)
sys.stdin.read()
"""


def test_a_second_holder_is_refused_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert not lock.is_held(paths)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "True"
        assert lock.is_held(paths)
        assert not EngineLock(paths).acquire()
        holder.kill()
    assert not lock.is_held(paths)
    with EngineLock(paths) as mine:
        assert mine.acquire()
        assert lock.is_held(paths)
    assert not lock.is_held(paths)
