"""The user's command as a real process, and the webhook as a real server on this machine."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import create, finish, open_catalog
from tests.support.home import wait_until

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.deciders import decide
from cloudtui_engine.dispatcher import Dispatcher
from cloudtui_engine.errors import BadInputError, CloudtuiError, FailedError, UnreachableError
from cloudtui_engine.fleet.clock import Clock
from cloudtui_engine.handlers import tell
from cloudtui_engine.handlers.context import Context, Withdrawn
from cloudtui_engine.records.operation import Operation, OperationState

SECRET = "s3cr3t-token"
NOTICE = {
    "id": 7,
    "key": "c1-1-failed",
    "run": "$(touch x); `y`",
    "run_id": "c1",
    "text": "r failed: '; rm -rf /",
    "kind": "failed",
}


class Server:
    """Answers with what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.asked.append((self.path, dict(self.headers), json.loads(body)))
                status = server.answers.pop(0) if server.answers else 204
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", "file:///etc/passwd")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments: object) -> None: ...

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._http.server_port}/{SECRET}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path / "home")
    yield opened
    opened.close()


def dispatcher(catalog: Catalog) -> Dispatcher:
    context = SimpleNamespace(catalog=catalog, paths=catalog.paths, closing=threading.Event(), clock=Clock())
    return Dispatcher(cast(Context, context))


def python(tmp_path: Path, source: str) -> list[str]:
    script = tmp_path / "told.py"
    script.write_text(source)
    return [sys.executable, str(script), str(tmp_path / "out.json")]


SAYS = """
import json, os, sys
told = {name: value for name, value in os.environ.items() if name.startswith("CLOUDTUI_")}
open(sys.argv[1], "a").write(json.dumps([sys.argv[2:], json.load(sys.stdin), told]) + "\\n")
"""


def test_a_command_gets_the_notice_and_no_word_of_a_host_in_its_arguments(tmp_path: Path) -> None:
    assert tell.run_command(python(tmp_path, SAYS), NOTICE) == {"status": 0}
    words, given, environment = json.loads((tmp_path / "out.json").read_text())
    assert words == []
    assert given == NOTICE
    assert environment["CLOUDTUI_TEXT"] == NOTICE["text"]
    assert environment["CLOUDTUI_KIND"] == "failed"
    assert not (tmp_path / "x").exists()


def test_a_command_that_fails_or_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="ended with 3"):
        tell.run_command(python(tmp_path, "raise SystemExit(3)"), NOTICE)
    with pytest.raises(FailedError, match="cannot be run"):
        tell.run_command([str(tmp_path / "nothing")], NOTICE)


def test_a_command_that_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell, "COMMAND_LIMIT_S", 0.3)
    with pytest.raises(FailedError, match="was ended"):
        tell.run_command(python(tmp_path, "import time; time.sleep(60)"), NOTICE)


def test_a_webhook_is_given_the_notice(server: Server) -> None:
    assert tell.post(server.address, NOTICE, threading.Event()) == {"status": 204}
    path, headers, body = server.asked[0]
    assert (path, body) == (f"/{SECRET}", NOTICE)
    assert headers["Content-Type"] == "application/json"
    assert headers["Idempotency-Key"] == "cloudtui-c1-1-failed"


def test_a_server_in_trouble_is_asked_three_times(server: Server) -> None:
    server.answers = [500, 503]
    assert tell.post(server.address, NOTICE, threading.Event(), (0.0, 0.0)) == {"status": 204}
    server.answers = [500, 500, 429, 500]
    with pytest.raises(UnreachableError, match="429"):
        tell.post(server.address, NOTICE, threading.Event(), (0.0, 0.0))
    assert len(server.asked) == 6


@pytest.mark.parametrize("status", [404, 302, 307])
def test_a_refusal_and_a_redirect_are_believed_at_once(server: Server, status: int) -> None:
    server.answers = [status]
    with pytest.raises(FailedError) as raised:
        tell.post(server.address, NOTICE, threading.Event(), (0.0, 0.0))
    assert len(server.asked) == 1
    assert SECRET not in f"{raised.value.message}{raised.value.hint}"


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        f"http://127.0.0.1:99999/{SECRET}",
        f"http://[x/{SECRET}",
        f"http://127.0.0.1:1/{SECRET}",
        f"http://127.0.0.1:1/{SECRET} x\n",
        f"http:///{SECRET}",
    ],
)
def test_no_error_holds_the_address(address: str) -> None:
    with pytest.raises(CloudtuiError) as raised:
        tell.post(address, NOTICE, threading.Event(), (0.0, 0.0))
    assert SECRET not in f"{raised.value.message}{raised.value.hint}"


def test_files_are_not_addresses() -> None:
    with pytest.raises(BadInputError, match="no http"):
        tell.post("file:///etc/passwd", NOTICE, threading.Event())


def test_an_engine_that_ends_leaves_it_to_the_next(server: Server) -> None:
    server.answers = [500]
    closing = threading.Event()
    closing.set()
    with pytest.raises(Withdrawn):
        tell.post(server.address, NOTICE, closing)


def test_a_run_that_ends_is_told_everywhere_once_and_the_address_is_kept_from_all(
    catalog: Catalog, server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    catalog.settings.set("notify.command", " ".join(python(tmp_path, SAYS)))
    catalog.settings.set("notify.webhook", server.address)
    finish(catalog, create(catalog, "resnet").id)
    decide(catalog)
    catalog.operations.requeue_running()
    first = dispatcher(catalog)
    first.step()
    wait_until(lambda: not first.busy and not catalog.operations.pending())
    second = dispatcher(catalog)  # another engine
    catalog.operations.requeue_running()
    second.step()
    wait_until(lambda: not second.busy)
    assert len((tmp_path / "out.json").read_text().splitlines()) == 1
    assert [body["run"] for _, _, body in server.asked] == ["resnet"]
    kept = str(catalog.operations.list())
    assert SECRET not in kept
    assert SECRET not in caplog.text
    assert {one.state for one in catalog.operations.list() if one.kind.startswith("notify")} == {
        OperationState.DONE
    }


class Killed(BaseException):
    """Nothing that the engine's code could catch."""


def taken(catalog: Catalog) -> Operation:
    """The operation that tells of a finished run by a command, taken up by an engine."""
    finish(catalog, create(catalog, "resnet").id)
    decide(catalog)
    operation = next(one for one in catalog.operations.pending() if one.kind == "notify.command")
    assert catalog.operations.take(operation.id)
    return catalog.operations.get(operation.id)


def test_a_command_that_had_not_begun_when_the_engine_was_killed_is_run(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: object, **_named: object) -> None:
        raise Killed

    catalog.settings.set("notify.command", " ".join(python(tmp_path, SAYS)))
    operation = taken(catalog)
    monkeypatch.setattr(tell.subprocess, "Popen", killed)
    with pytest.raises(Killed):
        tell.command(cast(Context, SimpleNamespace(catalog=catalog)), operation)
    monkeypatch.undo()
    catalog.operations.requeue_running()  # the next engine
    after = dispatcher(catalog)
    after.step()
    wait_until(lambda: not after.busy and not catalog.operations.pending())
    assert len((tmp_path / "out.json").read_text().splitlines()) == 1


def test_a_command_that_has_begun_holds_all_of_the_notice(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    tell.run_command(
        python(tmp_path, SAYS), NOTICE, lambda: wait_until(lambda: out.exists() and out.read_text() != "")
    )
    assert json.loads(out.read_text())[1] == NOTICE


def test_a_command_that_had_begun_when_the_engine_was_killed_is_not_run_again(
    catalog: Catalog, tmp_path: Path
) -> None:
    catalog.settings.set("notify.command", " ".join(python(tmp_path, SAYS)))
    operation = taken(catalog)
    catalog.operations.set_progress(operation.id, {"text": "The command runs"})
    catalog.operations.requeue_running()  # the next engine
    after = dispatcher(catalog)
    after.step()
    wait_until(lambda: not after.busy and not catalog.operations.pending())
    assert not (tmp_path / "out.json").exists()
    assert catalog.operations.get(operation.id).state is OperationState.DONE
