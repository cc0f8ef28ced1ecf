"""A run that fails while no engine lives is told by the next one, and by none after it."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from tests.support.home import Home, wait_until

TOLD = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + '\\n')"
DIES = (
    "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.02)\nsys.exit(3)"
)


def test_a_killed_engine_tells_nothing_twice_and_loses_nothing(tmp_path: Path) -> None:
    home, out, go = Home(tmp_path / "home"), tmp_path / "out", tmp_path / "go"
    told, job = tmp_path / "told.py", tmp_path / "job"
    told.write_text(TOLD)
    job.mkdir()
    (job / "dies.py").write_text(DIES)
    try:
        command = shlex.join([sys.executable, str(told), str(out)])
        assert home.run("settings", "set", "notify.command", command).status == 0
        words = ("--on", "local", "--dir", str(job), "--name", "dies", "--", "python", "dies.py", str(go))
        home.json("run", "script", *words)
        wait_until(lambda: home.json("run", "show", "dies")["status"] == "running")
        assert home.kill_engine()
        go.touch()
        home.run("run", "sync")
        wait_until(lambda: out.exists() and out.read_text().endswith("\n"))
        assert home.kill_engine()
        home.run("run", "sync")
        catalog = home.catalog()
        wait_until(
            lambda: all(one.state.is_finished for one in catalog.operations.list()), what="all is carried out"
        )
        [notice] = [json.loads(line) for line in out.read_text().splitlines()]
        assert (notice["kind"], notice["run"], notice["attempt"]) == ("failed", "dies", 1)
        assert notice["text"] == "dies failed: It exited with status 3."
    finally:
        home.close()
