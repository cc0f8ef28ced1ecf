from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.host.lane import (
    HostSaysNoError,
    attempt_json,
    records,
    said,
    session,
    start,
    state,
    until_state,
    verb,
    wait_for,
)

from cloudtui_host import files, launch, layout, locks, proc, status
from cloudtui_host.errors import HostError

SLEEP = ("/bin/sleep", "60")


def test_a_job_runs_and_its_end_is_recorded(root: Path) -> None:
    script = (
        "import os, sys; print('out'); print('err', file=sys.stderr);"
        "open(os.environ['CLOUDTUI_ARTIFACTS'] + '/model.onnx', 'w').write('abc'); sys.exit(3)"
    )
    start(root, "one", 1, "{python}", "-c", script, config={"lr": 0.1})
    ended = until_state(root, "one", "exited")
    assert ended["exit"]["code"] == 3
    assert ended["exit"]["kind"] == "exited"
    folder = root / "jobs/one/a0001"
    assert sorted((folder / "console.log").read_text().split()) == ["err", "out"]
    assert json.loads((folder / "config.json").read_text()) == {"lr": 0.1}
    system = records(folder / "journal/system.jsonl")
    assert [one["name"] for one in system if one["kind"] == "artifact"] == ["model.onnx"]
    assert any("job/rss_bytes" in one["values"] for one in system if one["kind"] == "system")
    assert ended["sources"]["system"] == (folder / "journal/system.jsonl").stat().st_size
    assert not proc.group(attempt_json(root, "one", "child.json")["pgid"])
    wait_for(lambda: not locks.held(str(folder / status.ALIVE)))


def test_words_and_environment_of_the_job(root: Path) -> None:
    names = ["CLOUDTUI_RUN", "CLOUDTUI_ATTEMPT", "CLOUDTUI_JOURNAL", "CLOUDTUI_ARTIFACTS", "PYTHONPATH"]
    names += ["PYTHONUNBUFFERED", "CUDA_VISIBLE_DEVICES", "A", "TOKEN"]
    script = (
        f"import json, os, sys; values = [os.environ.get(n) for n in {names}];"
        "print(json.dumps([sys.argv[1:], os.getcwd(), values]))"
    )
    start(
        root,
        "words",
        1,
        *("{python}", "-c", script, "{config}", "{attempt}", "{root}/data/x", "in {attempt}"),
        env={"A": "1"},
        secrets={"TOKEN": "canary-4711"},
        packages=["trainer/ab"],
        gpus=[1, 3],
    )
    until_state(root, "words", "exited")
    folder = root / "jobs/words/a0001"
    argv, cwd, values = json.loads((folder / "console.log").read_text())
    assert argv == [str(folder / "config.json"), str(folder), str(root / "data/x"), "in {attempt}"]
    assert cwd == str(folder)
    found = dict(zip(names, values, strict=True))
    parts = found["PYTHONPATH"].split(":")
    assert parts[0] == str(root / "trainer/ab")
    assert (Path(parts[1]) / "cloudtui_host/journal.py").is_file()
    assert (Path(parts[2]) / "cloudtui_log.py").is_file()
    assert found["CLOUDTUI_RUN"] == "words"
    assert found["CLOUDTUI_ATTEMPT"] == str(folder)
    assert found["CLOUDTUI_JOURNAL"] == str(folder / "journal/trainer.jsonl")
    assert (found["CUDA_VISIBLE_DEVICES"], found["PYTHONUNBUFFERED"], found["A"]) == ("1,3", "1", "1")
    assert found["TOKEN"] == "canary-4711"
    (folder / "console.log").unlink()
    held = subprocess.run(["grep", "-r", "canary-4711", str(root)], capture_output=True, check=False)
    assert held.returncode == 1, held.stdout


def test_the_job_gets_its_own_copy_of_a_sent_folder(root: Path) -> None:
    sent = root / "script" / ("ab" * 32)
    sent.mkdir(parents=True)
    (sent / "train.py").write_text("open('train.py', 'a').write('#' * 9)\nprint('ran')\n")
    start(root, "copied", 1, "{python}", "train.py", copy=f"script/{'ab' * 32}")
    until_state(root, "copied", "exited")
    assert (root / "jobs/copied/a0001/console.log").read_text() == "ran\n"
    assert "#########" not in (sent / "train.py").read_text()


def test_sixteen_starters_make_one_trainer(root: Path) -> None:
    script = (
        "import os, time; open(os.environ['CLOUDTUI_ARTIFACTS'] + '/%d' % os.getpid(), 'w'); time.sleep(60)"
    )
    argv = [sys.executable, "-c", script]
    spec = {"argv": argv, "sample_s": 5}
    starters = [verb(root, "start", job="many", attempt=1, spec=spec) for _ in range(16)]
    rng = random.Random(7)
    for starter in rng.sample(starters, 8):
        starter.kill()
    for starter in starters:
        starter.wait(30)
    answers = [starter.stdout.read() for starter in starters if starter.returncode == 0 and starter.stdout]
    states = {json.loads(answer)["result"]["state"] for answer in answers}
    assert states <= {
        "starting",
        "running",
        "stillborn",
        "busy",
    }
    top = 1
    while state(root, "many") not in ("running", "starting"):
        top += 1
        start(root, "many", top, *argv)
    attempt_json(root, "many", "exec.json", top)
    wait_for(lambda: list(root.glob("jobs/many/a*/artifacts/*")))
    assert len(list(root.glob("jobs/many/a*/child.json"))) == 1
    assert len(list(root.glob("jobs/many/a*/artifacts/*"))) == 1


def test_a_starter_that_is_killed_anywhere_leaves_nothing_stuck(root: Path) -> None:
    rng = random.Random(11)
    for number in range(8):
        job = f"killed-{number}"
        starter = verb(root, "start", job=job, attempt=1, spec={"argv": ["/bin/true"], "sample_s": 5})
        # Anywhere from before its first line to after its last one.
        time.sleep(rng.uniform(0.02, 0.12))
        starter.kill()
        starter.wait()
        wanted = 1
        deadline = time.monotonic() + 10
        while True:
            found = start(root, job, wanted, "/bin/true")["state"]
            if found == "exited":
                break
            if found == "stillborn":
                wanted += 1
            assert time.monotonic() < deadline, found
        assert not list(root.glob(f"jobs/{job}/.new-*"))


def test_a_starter_that_finds_another_at_work_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "BUSY_S", 0.1)
    (root / "jobs/busy").mkdir(parents=True)
    other = locks.acquire(str(root / "jobs/busy" / status.STARTER), 0)
    assert other is not None
    assert launch.start(str(root), "busy", 1, {"argv": ["/bin/true"]})["state"] == "busy"
    assert not list(root.glob("jobs/busy/a*"))
    # Asking how it stands is never in a starter's way, nor is it misled by one.
    assert state(root, "busy") == "missing"
    os.close(other)


def test_the_next_attempt_waits_for_the_one_before(root: Path) -> None:
    start(root, "next", 1, *SLEEP)
    until_state(root, "next", "running")
    assert start(root, "next", 1, *SLEEP)["state"] == "running"
    with pytest.raises(HostSaysNoError, match="previous_alive"):
        start(root, "next", 2, *SLEEP)
    with pytest.raises(HostSaysNoError, match="previous_alive"):
        start(root, "next", 3, *SLEEP)
    said(verb(root, "stop", job="next", attempt=1, grace_s=5))
    until_state(root, "next", "exited")
    start(root, "next", 2, "/bin/true")
    assert until_state(root, "next", "exited", 2)["exit"]["code"] == 0
    assert status.read(str(root), "next")["attempt"] == 2


def test_attempts_that_never_got_here_leave_a_gap_and_keep_nothing_from_starting(root: Path) -> None:
    start(root, "gap", 3, "/bin/true")
    until_state(root, "gap", "exited", 3)
    start(root, "gap", 7, *SLEEP)
    until_state(root, "gap", "running", 7)
    # Those below are over, whether they were ever here or not: none of them starts late.
    assert [start(root, "gap", n, *SLEEP)["state"] for n in (2, 3, 5, 7)] == [
        "missing",
        "exited",
        "missing",
        "running",
    ]
    assert layout.attempts(str(root), "gap") == [3, 7]
    assert status.read(str(root), "gap")["attempt"] == 7


def test_stop_ends_the_group_with_grace_then_without(root: Path) -> None:
    kind = "trap 'echo asked; exit 75' TERM; echo up; while :; do sleep 0.05; done"
    start(root, "kind", 1, "/bin/sh", "-c", kind)
    wait_for(lambda: "up" in (root / "jobs/kind/a0001/console.log").read_text())
    assert said(verb(root, "stop", job="kind", attempt=1, grace_s=20))["state"] in (
        "running",
        "ending",
        "exited",
    )
    ended = until_state(root, "kind", "exited")["exit"]
    assert (ended["code"], ended["signal"], ended["kind"]) == (75, None, "stopped")

    deaf = "trap '' TERM; echo up; sleep 60 & sleep 60 & wait; sleep 60"
    start(root, "deaf", 1, "/bin/sh", "-c", deaf)
    wait_for(lambda: "up" in (root / "jobs/deaf/a0001/console.log").read_text())
    group = attempt_json(root, "deaf", "child.json")["pgid"]
    said(verb(root, "stop", job="deaf", attempt=1, grace_s=0.2))
    ended = until_state(root, "deaf", "exited")["exit"]
    assert (ended["code"], ended["signal"]) == (None, signal.SIGKILL)
    assert not proc.group(group)


def test_what_a_job_left_in_its_group_ends_with_it(root: Path) -> None:
    start(root, "left", 1, "/bin/sh", "-c", "sleep 60 & exit 0", grace_s=0.2)
    group = attempt_json(root, "left", "child.json")["pgid"]
    assert until_state(root, "left", "exited")["exit"]["code"] == 0
    assert not proc.group(group)


def test_a_stray_that_holds_the_lock_does_not_hold_up_the_next_attempt(root: Path) -> None:
    script = """
import os, time
here, there = os.pipe()
if os.fork() == 0:
    os.setsid()
    print(os.getpid(), flush=True)
    os.write(there, b"1")
    time.sleep(60)
os.read(here, 1)  # what is still of the group ends with it
"""
    start(root, "stray", 1, sys.executable, "-c", script)
    until_state(root, "stray", "exited")
    stray = int(wait_for(lambda: (root / "jobs/stray/a0001/console.log").read_text().strip()))
    try:
        assert locks.held(str(root / "jobs/stray/a0001" / status.ALIVE))
        start(root, "stray", 2, "/bin/true")
        until_state(root, "stray", "exited", 2)
    finally:
        os.kill(stray, signal.SIGKILL)


def test_ends_that_look_alike_are_told_apart(root: Path) -> None:
    plain = root / "script" / ("cd" * 32)
    plain.mkdir(parents=True)
    (plain / "no-shebang").write_text("\0\1\2")
    (plain / "no-shebang").chmod(0o755)
    jobs = {
        "exit-1": ({"argv": ["/bin/sh", "-c", "exit 1"]}, "exited", 1),
        "exit-127": ({"argv": ["/bin/sh", "-c", "exit 127"]}, "exited", 127),
        "no-such": ({"argv": ["/no/such/program"]}, "exec_failed", 127),
        "no-format": ({"argv": ["./no-shebang"], "copy": f"script/{'cd' * 32}"}, "exec_failed", 127),
        "no-cwd": ({"argv": ["/bin/true"], "cwd": "script/nowhere"}, "exec_failed", 127),
        "setup-bad": ({"argv": ["/bin/true"], "setup": "echo in setup\nexit 4"}, "setup_failed", 4),
        "setup-line": ({"argv": ["/bin/true"], "setup": "false\ntrue"}, "setup_failed", 1),
        "setup-then-none": ({"argv": ["/no/such"], "setup": "true"}, "exec_failed", 127),
        "setup-env": ({"argv": ["/bin/sh", "-c", "exit $FROM"], "setup": "export FROM=9"}, "exited", 9),
    }
    running = [verb(root, "start", job=job, attempt=1, spec=spec) for job, (spec, _, _) in jobs.items()]
    for process in running:
        said(process)
    for job, (_, kind, code) in jobs.items():
        ended = until_state(root, job, "exited")["exit"]
        assert (job, ended["kind"], ended["code"]) == (job, kind, code)
    assert "No such file" in status.read(str(root), "no-such")["exit"]["reason"]
    assert "in setup" in (root / "jobs/setup-bad/a0001/console.log").read_text()


def test_a_job_that_is_killed_says_by_what(root: Path) -> None:
    start(root, "shot", 1, *SLEEP)
    os.kill(until_state(root, "shot", "running")["pid"], signal.SIGSEGV)
    ended = until_state(root, "shot", "exited")["exit"]
    assert (ended["code"], ended["signal"], ended["kind"]) == (None, signal.SIGSEGV, "signalled")
    assert "SIGSEGV" in ended["reason"]


def test_a_file_system_without_locks_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What flock does on a mount that grants it to everyone: both get it.
    monkeypatch.setattr("fcntl.flock", lambda *_: None)
    root.mkdir()
    lock = locks.acquire(str(root / "lock"), 0)
    assert lock is not None
    with pytest.raises(Exception, match="no working file locks") as caught:
        locks.prove(str(root / "lock"))
    assert caught.value.code == "no_flock"  # type: ignore[attr-defined]
    assert not locks.works_in(str(root))
    os.close(lock)
    monkeypatch.undo()
    assert locks.works_in(str(root))


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"job": "../x", "attempt": 1}, "bad_job"),
        ({"job": "a/b", "attempt": 1}, "bad_job"),
        ({"job": "x\n", "attempt": 1}, "bad_job"),
        ({"job": "x", "attempt": 0}, "bad_attempt"),
        ({"job": "x", "attempt": True}, "bad_attempt"),
        ({"job": "x", "attempt": "1"}, "bad_attempt"),
        ({"job": "x", "attempt": 1, "spec": {"argv": []}}, "bad_spec"),
        ({"job": "x", "attempt": 1, "spec": {"argv": "true"}}, "bad_spec"),
        ({"job": "x", "attempt": 1, "spec": {"argv": ["true"], "cwd": "../.."}}, "bad_path"),
        ({"job": "x", "attempt": 1, "spec": {"argv": ["true"], "cwd": "/etc"}}, "bad_path"),
        ({"job": "x", "attempt": 1, "spec": {"argv": ["true"], "packages": ["a/../../b"]}}, "bad_path"),
        ({"job": "x", "attempt": 1, "spec": {"argv": ["true"], "copy": "../../etc"}}, "bad_path"),
        ({"job": "x", "attempt": 1, "spec": {"argv": ["true"], "env": {"A=B": "1"}}}, "bad_spec"),
        ({"job": "x", "attempt": 1, "spec": {"argv": ["true"], "grace_s": "soon"}}, "bad_spec"),
        ({"job": "x", "attempt": 1, "spec": {"argv": ["tr\0ue"]}}, "bad_spec"),
    ],
)
def test_malformed_starts_are_refused(root: Path, args: dict[str, object], code: str) -> None:
    with pytest.raises(HostError) as caught:
        launch.start(str(root), args["job"], args["attempt"], args.get("spec", {"argv": ["true"]}))
    assert caught.value.code == code
    assert not root.exists()


def test_a_killed_session_harms_no_job(root: Path) -> None:
    with session(root) as lane:
        lane.request("start", job="on", attempt=1, spec={"argv": SLEEP, "sample_s": 5})
        until_state(root, "on", "running")
        os.killpg(lane.process.pid, signal.SIGKILL)
    assert state(root, "on") == "running"
    with session(root) as lane:
        # Killed with all of its process group as soon as the start has begun.
        lane.ask("start", job="late", attempt=1, spec={"argv": SLEEP, "sample_s": 5})
        wait_for(lambda: (root / "jobs/late").exists())
        os.killpg(lane.process.pid, signal.SIGKILL)
    wait_for(lambda: files.read_json(str(root / "jobs/late/a0001/child.json")))
    assert state(root, "late") == "running"


def test_it_is_marked_when_the_console_was_how_long(root: Path) -> None:
    """By the watcher: a process that prints does not know of us. A torn mark costs itself and no other."""
    printed = "import sys; print('a' * 9, flush=True); sys.stdin.readline(); print('b' * 19)"
    go = 'while [ ! -e "$CLOUDTUI_ATTEMPT/go" ]; do sleep 0.02; done'
    start(root, "told", 1, "/bin/sh", "-c", f'({go}; echo) | {sys.executable} -c "{printed}"')
    folder = root / "jobs/told/a0001"
    system = folder / "journal/system.jsonl"

    def marks() -> list[int]:
        return [one["size"] for one in records(system) if one["kind"] == "console"]

    wait_for(lambda: system.exists() and marks() == [10])
    (folder / "go").touch()
    until_state(root, "told", "exited")
    assert marks() == [10, 30]
    times = [one["t"] for one in records(system) if one["kind"] == "console"]
    assert times == sorted(times)
