from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.host.lane import PACKAGE, records, start, until_state, wait_for

from cloudtui_host.journal import JournalWriter


def script(tmp_path: Path, text: str, *, on: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a script as cloudtui would have it run."""
    paths = [str(PACKAGE.parent), str(PACKAGE / "for_scripts")]
    ours = (
        {"CLOUDTUI_JOURNAL": str(tmp_path / "j"), "CLOUDTUI_ARTIFACTS": str(tmp_path / "artifacts")}
        if on
        else {}
    )
    clean = {key: value for key, value in os.environ.items() if not key.startswith("CLOUDTUI_")}
    return subprocess.run(
        [sys.executable, "-c", "import cloudtui_log\n" + text],
        env={**clean, "PYTHONPATH": ":".join(paths), **ours, **env},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_everything_a_script_can_log(tmp_path: Path) -> None:
    done = script(
        tmp_path,
        """
import numpy
cloudtui_log.log({"loss": 0.5, "n": 3, "np": numpy.float32(0.25), "nan": float("nan")}, step=10)
cloudtui_log.log({"loss": 0.4})
cloudtui_log.log({"loss": numpy.array(0.3)}, step=numpy.int64(20))
cloudtui_log.progress(epoch=1, epochs=3, rate=12.5)
cloudtui_log.event("best", at=numpy.int64(7))
cloudtui_log.report("confusion", numpy.eye(2))
cloudtui_log.report("table", {"rows": [1, (2, 3)]})
print(cloudtui_log.artifact_dir(), cloudtui_log.is_on())
""",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(tmp_path / "artifacts"), "True"]
    assert (tmp_path / "artifacts").is_dir()
    found = records(tmp_path / "j")
    assert [one["seq"] for one in found] == list(range(7))
    metrics = [(one["step"], one["values"]) for one in found[:3]]
    assert metrics == [
        (10, {"loss": 0.5, "n": 3, "np": 0.25, "nan": "nan"}),
        (11, {"loss": 0.4}),
        (20, {"loss": 0.3}),
    ]
    assert {key: found[3][key] for key in ("epoch", "epochs", "rate")} == {
        "epoch": 1,
        "epochs": 3,
        "rate": 12.5,
    }
    assert (found[4]["name"], found[4]["data"]) == ("best", {"at": 7})
    assert found[5]["data"] == {"value": [[1.0, 0.0], [0.0, 1.0]]}
    assert found[6]["data"] == {"rows": [1, [2, 3]]}


BAD = """
class Bad:
    def __float__(self): raise RuntimeError("no")
    def __str__(self): raise RuntimeError("no")
    def tolist(self): raise RuntimeError("no")
for values in (None, 5, [], {"x": Bad()}, {Bad(): 1}, {"x": "text"}, {"x": None}, {"x": [1]}, {}):
    cloudtui_log.log(values)
for step in ("x", -1, float("nan"), Bad(), 1e400):
    cloudtui_log.log({"y": 1}, step=step)
loop = []; loop.append(loop)
for data in (Bad(), loop, {1: {2: object()}}, b"x", {"long": "x" * 10_000_000}, "\\ud800"):
    cloudtui_log.report("r", data)
    cloudtui_log.event("e", data=data)
cloudtui_log.event(Bad())
cloudtui_log.progress(step=Bad(), epoch="x")
cloudtui_log.artifact_dir()
cloudtui_log.log({"good": 1, "bad": Bad()})
print("went on")
"""


def test_bad_values_never_reach_the_script(tmp_path: Path) -> None:
    done = script(tmp_path, BAD)
    assert (done.stdout, done.stderr) == ("went on\n", "")
    found = records(tmp_path / "j")
    assert [one["values"] for one in found if one["kind"] == "metric"][-1] == {"good": 1}
    assert all(len(str(one)) < 600_000 for one in found)


@pytest.mark.parametrize("env", [{}, {"RANK": "1"}, {"RANK": "1", "LOCAL_RANK": "0"}, {"LOCAL_RANK": "1"}])
def test_it_does_nothing_where_it_should_not(tmp_path: Path, env: dict[str, str]) -> None:
    done = script(tmp_path, BAD + "print(cloudtui_log.is_on())", on=bool(env), **env)
    assert (done.stdout, done.stderr) == ("went on\nFalse\n", "")
    assert not (tmp_path / "j").exists()


def test_a_second_process_writes_nothing(tmp_path: Path) -> None:
    with JournalWriter(str(tmp_path / "j")) as writer:
        done = script(tmp_path, "cloudtui_log.log({'x': 1})\nprint(cloudtui_log.is_on())")
        assert (done.stdout, done.stderr) == ("False\n", "")
        writer.metric(0, {"mine": 1})
    assert [one["values"] for one in records(tmp_path / "j")] == [{"mine": 1}]


def test_forks_and_threads_leave_one_whole_journal(tmp_path: Path) -> None:
    done = script(
        tmp_path,
        """
import os, threading
cloudtui_log.log({"x": 0})
pids = []
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        cloudtui_log.event("forked")
        os._exit(0)
    pids.append(pid)
def write():
    for i in range(500):
        cloudtui_log.log({"x": i})
threads = [threading.Thread(target=write) for _ in range(4)]
[t.start() for t in threads]
[t.join() for t in threads]
[os.waitpid(pid, 0) for pid in pids]
""",
    )
    assert done.stderr == ""
    found = records(tmp_path / "j")
    assert [one["seq"] for one in found] == [one["step"] for one in found] == list(range(2001))
    assert {one["kind"] for one in found} == {"metric"}


WORKERS = """
import multiprocessing, os, sys
def work(first, on, off):
    import cloudtui_log
    cloudtui_log.log({"worker": 0})
    first.set()
    assert on.wait(20)
    cloudtui_log.log({"worker": 1})
    off.put(cloudtui_log.is_on())
if __name__ == "__main__":
    import cloudtui_log
    make = multiprocessing.get_context(sys.argv[1])
    first, on, off = make.Event(), make.Event(), make.Queue()
    worker = make.Process(target=work, args=(first, on, off))
    worker.start()
    assert first.wait(20)
    if sys.argv[2] == "both":
        cloudtui_log.log({"main": 0})
    on.set()
    print(off.get(timeout=20), end=" ")
    worker.join()
    if sys.argv[2] == "both":
        cloudtui_log.log({"main": 1})
        print(cloudtui_log.is_on())
"""


@pytest.mark.parametrize("method", ["spawn", "fork"])
@pytest.mark.parametrize("env", [{}, {"RANK": "0", "LOCAL_RANK": "0"}])
def test_a_worker_that_logs_first_gives_way_to_the_script(
    tmp_path: Path, method: str, env: dict[str, str]
) -> None:
    (tmp_path / "main.py").write_text(WORKERS)
    text = f"import os, sys\nos.execv(sys.executable, [sys.executable, 'main.py', {method!r}, 'both'])"
    done = script(tmp_path, text, **env)
    assert (done.stdout, done.stderr) == ("False True\n", "")
    found = records(tmp_path / "j")
    assert [one["values"] for one in found] == [{"worker": 0}, {"main": 0}, {"main": 1}]
    assert [one["seq"] for one in found] == [0, 1, 2]


def test_a_worker_logs_where_the_script_does_not(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(WORKERS)
    text = "import os, sys\nos.execv(sys.executable, [sys.executable, 'main.py', 'spawn', 'worker'])"
    done = script(tmp_path, text)
    assert (done.stdout, done.stderr) == ("True ", "")
    assert [one["values"] for one in records(tmp_path / "j")] == [{"worker": 0}, {"worker": 1}]


def test_what_is_logged_is_out_within_a_second_and_at_the_end(root: Path) -> None:
    text = (
        "import cloudtui_log, os, time\ncloudtui_log.log({'a': 1})\n"
        "while not os.path.exists(os.environ['CLOUDTUI_ATTEMPT'] + '/go'): time.sleep(0.02)\n"
        "cloudtui_log.log({'a': 2})\n"
    )
    start(root, "log", 1, sys.executable, "-c", text)
    path = root / "jobs/log/a0001/journal/trainer.jsonl"
    wait_for(lambda: path.exists() and path.stat().st_size, 20)
    assert [one["values"]["a"] for one in records(path)] == [1]
    (root / "jobs/log/a0001/go").touch()
    until_state(root, "log", "exited")
    assert [one["values"]["a"] for one in records(path)] == [1, 2]
