"""What a spot machine is told before it is taken back, in each cloud's own words."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.host.lane import records, said, start, until_state, verb

from cloudtui_host import notice
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
        ("gcp", {"preempted": "TRUE"}, 30.0),
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


class Metadata(BaseHTTPRequestHandler):
    """What EC2 answers on the machine: a notice, to whoever has fetched a token."""

    def do_PUT(self) -> None:
        self._say(200, "a-token")

    def do_GET(self) -> None:
        asked = self.path == "/latest/meta-data/spot/instance-action"
        known = asked and self.headers["X-aws-ec2-metadata-token"] == "a-token"
        self._say(200 if known else 401, json.dumps({"action": "terminate", "time": "soon"}))

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Metadata) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("CLOUDTUI_IMDS", f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()


def test_a_job_saves_itself_and_its_checkpoint_goes_on_elsewhere(root: Path, metadata: None) -> None:
    save = "trap 'echo 7 > checkpoints/step; exit 75' TERM; while :; do sleep 0.05; done"
    start(root, "job", 1, "/bin/sh", "-c", save, taken_by="aws")
    ended = until_state(root, "job", "exited")
    assert (ended["exit"]["kind"], ended["exit"]["code"]) == ("stopped", 75)
    assert ended["exit"]["reason"] == "Stopped: its cloud takes the machine back."
    system = records(root / "jobs/job/a0001/journal/system.jsonl")
    (told,) = [one["data"] for one in system if one["kind"] == "event"]
    assert told["left_s"] == 120.0
    (kept,) = said(verb(root, "checkpoints", job="job", attempt=1))["files"]
    assert (kept["name"], kept["size_bytes"]) == ("step", 2)
    sent = root / "model" / kept["sha256"]
    sent.mkdir(parents=True)
    (sent / "step").write_text("7\n")
    start(root, "on", 2, "/bin/cat", "checkpoints/step", checkpoints=f"model/{kept['sha256']}")
    until_state(root, "on", "exited")
    assert (root / "jobs/on/a0002/console.log").read_text() == "7\n"


def test_a_machine_that_nobody_takes_back_asks_nothing(root: Path, metadata: None) -> None:
    start(root, "job", 1, "/bin/sleep", "0.3")
    assert until_state(root, "job", "exited")["exit"]["kind"] == "exited"
