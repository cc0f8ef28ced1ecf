from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import subprocess
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

from cloudtui_host import adopt, files, guard, locks, proc, status
from cloudtui_host.child import Orphan

SLEEP = ("/bin/sleep", "60")


def orphan(root: Path, job: str, *argv: str) -> Path:
    """An attempt whose supervisor was killed."""
    start(root, job, 1, *argv)
    until_state(root, job, "running")
    attempt_json(root, job, "exec.json")
    os.kill(attempt_json(root, job, "supervisor.json")["pid"], signal.SIGKILL)
    until_state(root, job, "orphan-running")
    return root / "jobs" / job / "a0001"


def test_an_orphan_can_be_stopped_and_leaves_its_record(root: Path) -> None:
    script = (
        "trap 'echo bye > $CLOUDTUI_ARTIFACTS/bye.txt; exit 75' TERM; echo up; while :; do sleep 0.05; done"
    )
    folder = orphan(root, "orphan", "/bin/sh", "-c", script)
    wait_for(lambda: "up" in (folder / "console.log").read_text())
    stops = [verb(root, "stop", job="orphan", attempt=1, grace_s=10) for _ in range(3)]
    for one in stops:
        said(one)
    ended = until_state(root, "orphan", "exited")["exit"]
    assert (ended["code"], ended["signal"], ended["kind"]) == (None, None, "unknown")
    assert ended["reason"] == adopt.REASON
    names = [one["name"] for one in records(folder / "journal/system.jsonl") if one["kind"] == "artifact"]
    assert names == ["bye.txt"]


def test_asking_how_an_orphan_stands_has_it_adopted(root: Path) -> None:
    folder = orphan(
        root, "asked", "/bin/sh", "-c", "while [ ! -e $CLOUDTUI_ATTEMPT/go ]; do sleep 0.05; done"
    )
    with session(root) as lane:
        assert lane.request("status", job="asked")["state"] == "orphan-running"
        attempt_json(root, "asked", "adopter.json")
    assert state(root, "asked") == "orphan-running"
    (folder / "go").touch()
    assert until_state(root, "asked", "exited")["exit"]["reason"] == adopt.REASON


def test_there_is_one_adopter(root: Path) -> None:
    folder = orphan(root, "single", *SLEEP)
    for _ in range(3):
        adopt.send(str(root), str(folder))
    first = attempt_json(root, "single", "adopter.json")
    adopt.send(str(root), str(folder))
    mark = ("adopt", "main", str(root), str(folder))
    adopters = [pid for pid in proc.pids() if _words(pid)[-4:] == list(mark)]
    wait_for(lambda: [pid for pid in adopters if proc.stat(pid)] == [first["pid"]])


def test_a_zombie_is_not_alive() -> None:
    process = subprocess.Popen(SLEEP)
    who = proc.identity(process.pid)
    assert proc.alive(who)
    process.kill()
    # Not waited for: it stays in the process table.
    wait_for(lambda: not proc.alive(who))
    assert proc.stat(process.pid) is not None
    process.wait()


def _words(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
    return []


def test_job_and_supervisor_killed_is_lost(root: Path) -> None:
    folder = orphan(root, "lost", *SLEEP)
    os.kill(attempt_json(root, "lost", "child.json")["pid"], signal.SIGKILL)
    until_state(root, "lost", "lost-killed")
    start(root, "lost", 2, "/bin/true")
    until_state(root, "lost", "exited", 2)
    assert status.read(str(root), "lost", 1)["state"] == "lost-killed"
    attempt = json.loads((folder / "attempt.json").read_text())
    (folder / "attempt.json").write_text(json.dumps(dict(attempt, boot_id="another")))
    assert status.read(str(root), "lost", 1)["state"] == "lost-reboot"
    (folder / "attempt.json").write_text(json.dumps(dict(attempt, machine_id="another")))
    assert status.read(str(root), "lost", 1)["state"] == "elsewhere"


def test_a_recycled_pid_is_never_signalled(root: Path) -> None:
    folder = orphan(root, "again", *SLEEP)
    child = attempt_json(root, "again", "child.json")
    os.kill(child["pid"], signal.SIGKILL)
    until_state(root, "again", "lost-killed")
    bystander = subprocess.Popen(SLEEP, start_new_session=True)
    try:
        # The pid is the bystander's now; its start time is not what was written down.
        files.write_json(str(folder / "child.json"), dict(child, pid=bystander.pid, pgid=bystander.pid))
        files.write_json(str(folder / "supervisor.json"), dict(child, pid=bystander.pid))
        assert state(root, "again") == "lost-killed"
        said(verb(root, "stop", job="again", attempt=1, grace_s=0))
        files.write_json(str(folder / guard.STOP), {"grace_s": 0})
        adopt.send(str(root), str(folder))
        for who in (
            dict(child, pid=bystander.pid),
            dict(proc.identity(bystander.pid), boot_id="another"),
        ):
            suspect = Orphan(who, str(folder))
            suspect.signal(signal.SIGKILL)
            suspect.signal_left(signal.SIGKILL)
            assert suspect.ended() is not None
        with pytest.raises(subprocess.TimeoutExpired):
            bystander.wait(0.3)
        Orphan(proc.identity(bystander.pid), str(folder)).signal(signal.SIGTERM)
        assert bystander.wait(20) == -signal.SIGTERM
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"pid": "x"}', b"{}"]
)
def test_damaged_files_are_judged_and_not_tripped_over(root: Path, content: bytes) -> None:
    folder = root / "jobs/torn/a0001"
    folder.mkdir(parents=True)
    for name in ("attempt.json", "supervisor.json", "child.json", "exit.json"):
        (folder / name).write_bytes(content)
    found = status.read(str(root), "torn")
    assert found["state"] in ("stillborn", "lost-killed", "lost-reboot", "exited")
    assert (found["state"] == "exited") == content.startswith(b"{}" if content == b"{}" else b'{"pid')


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("writer", ["supervisor", "adopter"])
def test_an_end_that_is_written_between_two_looks_is_no_loss(
    root: Path, monkeypatch: pytest.MonkeyPatch, held: bool, writer: str
) -> None:
    folder = root / "jobs/raced/a0001"
    folder.mkdir(parents=True)
    gone = {"pid": 4_194_303, "start_time": 1, "boot_id": proc.boot_id()}
    for name in ("supervisor.json", "child.json"):
        files.write_json(str(folder / name), gone)
    files.reserve_exit(str(folder))
    lock = locks.acquire(str(folder / status.ALIVE), 0) if held else None
    assert status.judge(str(folder)) == "lost-killed"

    def write_and_end() -> None:
        if not (folder / "exit.json").exists():
            files.write_exit(str(folder), {"code": 0, "kind": "exited", "t": 1.0})

    def look(who: object) -> bool:
        write_and_end()
        return False

    def ask(path: str) -> bool:
        if path.endswith(status.ADOPT):
            write_and_end()
        return is_held(path)

    is_held = locks.held
    # What the first look found alive writes the record and is gone at the second.
    if writer == "supervisor":
        monkeypatch.setattr(proc, "alive", look)
    else:
        monkeypatch.setattr(locks, "held", ask)
    found = status.read(str(root), "raced")
    assert (found["state"], found["exit"]["code"]) == ("exited", 0)
    if lock is not None:
        os.close(lock)


def test_a_root_whose_disk_is_not_there_calls_no_run_missing(root: Path) -> None:
    start(root, "live", 1, *SLEEP)
    until_state(root, "live", "running")
    attempt_json(root, "live", "exec.json")  # from here on it needs no path
    (root / "jobs").rename(root / "unmounted")
    with session(root) as lane:
        for verb_name, args in (("status", {}), ("status", {"attempt": 1}), ("stop", {"attempt": 1})):
            with pytest.raises(HostSaysNoError, match="root_gone") as caught:
                lane.request(verb_name, job="live", **args)
            assert set(caught.value.error) == {"code", "message", "hint"}
            assert "mounted" in caught.value.error["hint"]
        assert lane.request("jobs")["jobs"] == []
        assert not (root / "jobs").exists()
        (root / "unmounted").rename(root / "jobs")
        assert lane.request("status", job="live")["state"] == "running"


def test_a_file_system_that_does_not_answer_calls_no_run_missing(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "jobs").mkdir(parents=True)

    def stale(path: str, **_options: object) -> os.stat_result:
        raise OSError(errno.ESTALE, "Stale file handle", path)

    monkeypatch.setattr("cloudtui_host.status.os.stat", stale)
    with pytest.raises(OSError, match="Stale"):
        status.read(str(root), "any", 1)


def test_only_the_host_itself_has_an_orphan_adopted(root: Path) -> None:
    folder = orphan(root, "ours", *SLEEP)
    with session(root) as lane:
        with pytest.raises(HostSaysNoError, match="bad_verb"):
            lane.request("adopt", job="ours", attempt=1)
        assert not (folder / "adopter.json").exists()
        lane.request("status", job="ours")
        attempt_json(root, "ours", "adopter.json")


def test_nothing_there_is_missing(root: Path) -> None:
    (root / "jobs").mkdir(parents=True)
    assert state(root, "nothing") == "missing"
    assert state(root, "nothing", 3) == "missing"
    assert said(verb(root, "stop", job="nothing", attempt=1))["state"] == "missing"


def test_jobs_lists_what_a_lost_catalog_needs(root: Path) -> None:
    start(root, "a-job", 1, "/bin/true", config={"x": 1}, about={"name": "calm-river"}, secrets={"S": "v"})
    start(root, "b-job", 1, "/bin/true")
    until_state(root, "a-job", "exited")
    until_state(root, "b-job", "exited")
    listed = said(verb(root, "jobs"))
    assert [job["job"] for job in listed["jobs"]] == ["a-job", "b-job"]
    first = listed["jobs"][0]["attempts"][0]
    assert first["config"] == {"x": 1}
    assert first["spec"]["about"] == {"name": "calm-river"}
    assert first["spec"]["secrets"] == ["S"]
    assert first["status"]["state"] == "exited"
    assert [job["job"] for job in said(verb(root, "jobs", after="a-job"))["jobs"]] == ["b-job"]
