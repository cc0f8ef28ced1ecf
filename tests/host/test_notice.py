"""What a spot machine is told before it is taken back, in each cloud's own words."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.host.lane import records, said, start, until_state, verb
from tests.support.clouds.metadata import Hostile, Metadata
from tests.support.home import wait_until

from cloudtui_host import files, notice
from cloudtui_host.notice import Notice

NOON = 1_795_000_000.0
AT = "2026-11-18T11:08:20Z"
"""A hundred seconds after `NOON`."""


def told(cloud: str, **answers: str) -> Notice | None:
    """What a cloud is understood to say that answers so, by a part of the path; all else is refused."""

    def ask(path: str, headers: dict[str, str], method: str = "GET") -> str | None:
        assert method == ("PUT" if path.endswith("api/token") else "GET")
        assert headers or cloud in {"aws", "alibaba"}, "it would be refused"
        return next((text for part, text in answers.items() if part in path), None)

    return notice.CLOUDS[cloud].asks(ask, NOON)


PREEMPT = {"EventType": "Preempt", "NotBefore": "Wed, 18 Nov 2026 11:08:20 GMT", "Resources": ["box"]}


@pytest.mark.parametrize(
    ("cloud", "answers", "left"),
    [
        ("aws", {"action": json.dumps({"action": "terminate", "time": AT}), "token": "t"}, 100.0),
        ("aws", {"action": json.dumps({"action": "terminate", "time": "soon"})}, 120.0),
        ("aws", {"action": json.dumps({"action": "stop", "time": "2031-01-01T00:00:00Z"})}, 120.0),
        ("gcp", {"preempted": "TRUE"}, 28.0),
        ("azure", {"scheduledevents": json.dumps({"Events": [PREEMPT]}), "name": "box"}, 100.0),
        ("alibaba", {"termination-time": AT}, 100.0),
    ],
)
def test_a_notice_is_understood(cloud: str, answers: dict[str, str], left: float) -> None:
    assert told(cloud, **answers) == Notice(left)


@pytest.mark.parametrize(
    ("cloud", "answers"),
    [
        ("aws", {}),
        ("aws", {"action": "<html>", "token": "t"}),
        ("aws", {"action": "[1]"}),
        ("gcp", {"preempted": "FALSE"}),
        ("azure", {"scheduledevents": json.dumps({"Events": [PREEMPT]}), "name": "another"}),
        ("azure", {"scheduledevents": json.dumps({"Events": [{"EventType": "Reboot"}, 7]})}),
        ("alibaba", {"termination-time": "not found"}),
    ],
)
def test_what_is_no_notice_is_none(cloud: str, answers: dict[str, str]) -> None:
    assert told(cloud, **answers) is None


def test_what_is_left_is_shared_between_saving_and_bringing_away() -> None:
    assert Notice(120.0).grace_s == 72.0
    assert Notice(1.0).grace_s == notice.LEAST_GRACE_S


SAVES = "trap 'echo 7 > checkpoints/step; exit 75' TERM; : > ready; while :; do sleep 0.05; done"
PREEMPTED = "Stopped: its cloud takes the machine back."


def preemptions(root: Path, job: str) -> list[dict[str, Any]]:
    """What the journal of a job says of it."""
    system = records(root / f"jobs/{job}/a0001/journal/system.jsonl")
    return [one["data"] for one in system if one["kind"] == "event" and one["name"] == notice.EVENT]


def begun(root: Path, there: Metadata, job: str, cloud: str, words: str) -> None:
    """A job that works, on a machine that has been told of nothing so far."""
    os.environ["CLOUDTUI_IMDS"] = there.address
    start(root, job, 1, "/bin/sh", "-c", words, taken_by=cloud)
    ready = root / f"jobs/{job}/a0001/ready"
    wait_until(lambda: ready.exists() and there.looks, 20, f"the job and a look of {cloud}")


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Metadata]]:
    """Those of one machine in each cloud."""
    monkeypatch.setenv("CLOUDTUI_IMDS", "")  # and so it is as it was after the test
    with contextlib.ExitStack() as stack:
        yield {cloud: stack.enter_context(Metadata(cloud)) for cloud in notice.CLOUDS}


def test_in_each_cloud_a_job_saves_itself_before_its_machine_is_taken_back(
    root: Path, metadata: dict[str, Metadata]
) -> None:
    for cloud, there in metadata.items():
        begun(root, there, cloud, cloud, SAVES)
    for there in metadata.values():
        there.tell(100.0)
    for cloud, there in metadata.items():
        ended = until_state(root, cloud, "exited")["exit"]
        assert (ended["kind"], ended["code"], ended["reason"]) == ("stopped", 75, PREEMPTED), cloud
        (told,) = preemptions(root, cloud)
        assert 0 < told["left_s"] <= (28.0 if cloud == "gcp" else 100.0), cloud
        (kept,) = said(verb(root, "checkpoints", job=cloud, attempt=1))["files"]
        assert (kept["name"], kept["size_bytes"]) == ("step", 2), cloud
        assert there.refused == [], cloud
    sent = root / "model" / kept["sha256"]
    sent.mkdir(parents=True)
    (sent / "step").write_text("7\n")
    start(root, "on", 2, "/bin/cat", "checkpoints/step", checkpoints=f"model/{kept['sha256']}")
    until_state(root, "on", "exited")
    assert (root / "jobs/on/a0002/console.log").read_text() == "7\n"


@pytest.mark.parametrize("who", ["supervisor", "child"])
def test_a_system_that_goes_down_before_we_asked_is_one_that_is_taken_back(
    root: Path, metadata: dict[str, Metadata], who: str
) -> None:
    """Compute Engine presses the power button as it tells: jobs are ended at once, by the system."""
    words = SAVES if who == "supervisor" else ": > ready; exec sleep 60"
    begun(root, metadata["gcp"], "job", "gcp", words)
    found = files.read_json(str(root / f"jobs/job/a0001/{who}.json"))
    assert found
    metadata["gcp"].tell(30.0)
    os.kill(int(found["pid"]), signal.SIGTERM)
    ended = until_state(root, "job", "exited")["exit"]
    assert (ended["kind"], ended["reason"]) == ("stopped", PREEMPTED)
    assert len(preemptions(root, "job")) == 1


def test_a_job_that_fails_by_itself_on_a_machine_that_stays_has_failed(
    root: Path, metadata: dict[str, Metadata]
) -> None:
    begun(root, metadata["gcp"], "job", "gcp", ": > ready; while [ ! -e go ]; do sleep 0.02; done; exit 3")
    (root / "jobs/job/a0001/go").touch()
    ended = until_state(root, "job", "exited")["exit"]
    assert (ended["kind"], ended["code"], preemptions(root, "job")) == ("exited", 3, [])


@pytest.mark.parametrize("cloud", notice.CLOUDS)
def test_who_asks_without_the_headers_is_refused(metadata: dict[str, Metadata], cloud: str) -> None:
    """By the stand-ins, as by the clouds: else they would prove nothing."""
    there = metadata[cloud]
    there.tell(100.0)
    asked: list[str] = []

    def ask(path: str, _headers: dict[str, str], method: str = "GET") -> str | None:
        asked.append(path)
        return None if there.reply(method, path, defaultdict(str))[0] != 200 else "TRUE"

    assert notice.CLOUDS[cloud].asks(ask, time.time()) is None
    assert len(there.refused) == len(asked)


def drips(handling: BaseHTTPRequestHandler) -> None:
    """A byte and a byte, each in time, and no end."""
    with contextlib.suppress(OSError):
        handling.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        while not threading.Event().wait(0.01):
            handling.wfile.write(b" ")


def hangs(handling: BaseHTTPRequestHandler) -> None:
    """Nothing, until who asks has gone."""
    handling.connection.recv(1)


def answers(status: int, text: bytes, *headers: bytes) -> Hostile:
    """Whatever the question was."""

    def reply(handling: BaseHTTPRequestHandler) -> None:
        lines = [b"HTTP/1.1 %d Odd" % status, b"Content-Length: %d" % len(text), *headers]
        with contextlib.suppress(OSError):
            handling.wfile.write(b"\r\n".join([*lines, b"", text]))

    return reply


@pytest.mark.parametrize("cloud", notice.CLOUDS)
def test_a_slow_or_hostile_service_says_nothing_and_is_asked_again(
    metadata: dict[str, Metadata], cloud: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = metadata[cloud]
    monkeypatch.setattr(notice, "EVERY_S", 0.01)
    monkeypatch.setattr(notice, "PATIENCE_S", 0.3)
    monkeypatch.setitem(notice.CLOUDS, cloud, notice.CLOUDS[cloud]._replace(first_s=0.3))
    elsewhere = f"Location: {metadata['gcp'].address}/computeMetadata/v1/instance/preempted".encode()
    odd = b'{"Events": [7, {"EventType": "Preempt", "NotBefore": "Fri, 1 Jan 99999999 00:00:00 GMT"}'
    there.hostile = [
        drips, hangs, answers(302, b"", elsewhere), answers(500, b"TRUE"), answers(200, b"\xff\x00" * 900),
        answers(200, b"[" * 60_000), answers(200, b"x\r\nHost: y"), answers(200, odd), answers(200, b""),
        lambda handling: handling.wfile.write(b"\r\n" * 2000),
    ]  # fmt: skip
    watch = notice.Watch(cloud, there.address)
    watch.start()
    try:
        wait_until(lambda: there.looks > 1, 20, "that it is asked as ever")
        assert (there.hostile, watch.seen) == ([], None)
        there.tell(100.0)
        wait_until(lambda: watch.seen, 20, "the notice")
        assert (there.refused, watch.seen.left_s <= 100.0 if watch.seen else 0) == ([], True)
    finally:
        watch.close()


def test_the_first_answer_of_azure_may_take_its_time(
    metadata: dict[str, Metadata], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = metadata["azure"]
    monkeypatch.setattr(notice, "PATIENCE_S", 0.05)
    there.tell(100.0)
    slow = there.reply

    def reply(*asked: Any) -> tuple[int, str]:
        if not there.looks:
            threading.Event().wait(0.5)
        return slow(*asked)

    monkeypatch.setattr(there, "reply", reply)
    watch = notice.Watch("azure", there.address)
    watch.start()
    wait_until(lambda: watch.seen, 20, "the notice")
    watch.close()
    assert there.looks == 1, "nobody had to ask again"


def test_a_machine_that_nobody_takes_back_asks_nothing(root: Path, metadata: dict[str, Metadata]) -> None:
    os.environ["CLOUDTUI_IMDS"] = metadata["aws"].address
    start(root, "job", 1, "/bin/sleep", "0.3")
    assert until_state(root, "job", "exited")["exit"]["kind"] == "exited"
    assert (metadata["aws"].looks, metadata["aws"].refused) == (0, [])
