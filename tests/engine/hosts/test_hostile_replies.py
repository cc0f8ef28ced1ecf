"""A host that lies: nothing that it says is used unchecked, shown uncleaned or kept without bound."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from tests.support.sshd import wait_for

from cloudtui_engine.errors import CloudtuiError, FailedError, LinkTimeoutError
from cloudtui_engine.hosts import bootstrap, replies
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.timing import Timing
from cloudtui_engine.hosts.transport.local import LocalTransport

HELLO = {
    "event": "hello", "protocol": 1, "machine_id": "m", "boot_id": "b", "hostname": "h", "user": "u",
    "home": "/h", "root": "/r", "pid": 1, "now": 1.0, "python": "/p",
}  # fmt: skip


def liar(folder: Path, body: str, hello: dict[str, Any] | None = None) -> LocalTransport:
    """A host whose "python" takes the package and then does as it likes, by `say`, `data`, `requests`."""
    script = folder / "liar"
    script.write_text(
        f"#!{sys.executable}\n"
        + textwrap.dedent(f"""\
            import json, os, sys, time, struct
            from cloudtui_host import frames
            header = json.loads(sys.stdin.buffer.readline())
            sys.stdin.buffer.read(header["loader"] + header["zip"])
            def out(raw): sys.stdout.buffer.write(raw); sys.stdout.buffer.flush()
            def say(obj): out(frames.message(obj))
            def data(stream, offset, chunk): out(frames.data(stream, offset, chunk))
            def requests():
                decoder = frames.Decoder()
                while True:
                    chunk = os.read(0, 65536)
                    if not chunk: return
                    for kind, payload in decoder.feed(chunk):
                        yield json.loads(payload)
            say({hello or HELLO!r})
            """)
        + textwrap.dedent(body)
    )
    script.chmod(0o755)
    transport = LocalTransport("box-2")
    transport.python = str(script)
    return transport


ANSWER_PINGS = """
    for request in requests():
        if request["verb"] == "ping":
            say({"id": request["id"], "ok": True, "result": {"now": time.time()}})
        else:
            answer(request)
"""


def answering(body: str) -> str:
    """A body that defines `answer(request)`, in a loop that answers pings by itself."""
    return textwrap.dedent(body) + textwrap.dedent(ANSWER_PINGS)


def session(folder: Path, body: str, **options: Any) -> Session:
    return Session(liar(folder, body), "", timing=Timing(ping_s=0.2, dead_s=5), **options)


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": 2}, {"protocol": None}, {"now": "x"}, {"now": float("1e400")}, {"machine_id": 7},
        {"now": 1e300}, {"now": -1}, {"pid": -1}, {"pid": True}, {"root": None}, {"home": ["/"]},
    ],
)  # fmt: skip
def test_a_hello_of_other_types_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    hello = HELLO | change
    if change.get("now") == float("inf"):
        with pytest.raises(CloudtuiError):  # It cannot even be framed: the liar dies.
            bootstrap.start(liar(tmp_path, "", hello), "", "control", 5)
        return
    with pytest.raises(FailedError) as raised:
        bootstrap.start(liar(tmp_path, "time.sleep(9)", hello), "", "control", 5)
    assert raised.value.code == "protocol"


def test_a_hello_is_cleaned(tmp_path: Path) -> None:
    hello = HELLO | {"hostname": "\x1b]0;evil\x07a\u202eb\x00" + "x" * 9000}
    started = bootstrap.start(liar(tmp_path, "time.sleep(9)", hello), "", "control", 5)
    assert "\x1b" not in started.hello["hostname"]
    assert "\u202e" not in started.hello["hostname"]
    assert len(started.hello["hostname"]) <= 4096
    started.channel.close()


def test_noise_without_end_is_left_in_time(tmp_path: Path) -> None:
    script = tmp_path / "noise"
    script.write_text("#!/bin/sh\nexec cat /dev/zero\n")
    script.chmod(0o755)
    transport = LocalTransport("box-2")
    transport.python = str(script)
    with pytest.raises(LinkTimeoutError):
        bootstrap.start(transport, "", "control", 1.0)


def test_an_error_reply_is_cleaned_and_bounded(tmp_path: Path) -> None:
    made = session(
        tmp_path,
        answering("""
        def answer(request):
            say({"id": request["id"], "ok": False, "error":
                {"code": "\\x1b[31mx" * 99, "message": "\\x1b]52;c;evil\\x07" + "m" * 99999, "hint": 7}})
        """),
    )
    with pytest.raises(CloudtuiError) as raised:
        made.request("probe")
    error = raised.value
    assert "\x1b" not in error.code + error.message + error.hint
    assert len(error.message) <= 2000
    assert len(error.code) <= 60
    made.close()


@pytest.mark.parametrize(
    "reply",
    [
        '{"ok": True, "result": [1]}', '{"ok": True}', '{"ok": 1, "result": {}}',
        '{"ok": False, "error": "no"}', '{"ok": False}', '{"ok": False, "error": {"message": None}}',
    ],
)  # fmt: skip
def test_a_reply_of_another_shape_is_an_error(tmp_path: Path, reply: str) -> None:
    made = session(tmp_path, answering(f"def answer(request): say(dict({reply}, id=request['id']))"))
    with pytest.raises(CloudtuiError):
        made.request("probe")
    made.close()


def test_messages_that_are_none_are_passed_over(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    made = session(
        tmp_path,
        answering("""
        def answer(request):
            out(frames.encode(1, b"[" * 200000))
            out(frames.encode(1, b"{\\"event\\": NaN}"))
            out(frames.encode(1, b"\\xff\\xfe"))
            out(frames.encode(1, b"[]"))
            out(frames.encode(2, b"short"))
            say({"event": 5}); say({"id": "x"}); say({"id": 10**30, "ok": True, "result": {}})
            data(99, 0, b"nobody asked")
            say({"event": "fine"})
            say({"id": request["id"], "ok": True, "result": {"yes": 1}})
        """),
        on_event=events.append,
    )
    assert made.request("probe") == {"yes": 1}
    assert events == [{"event": "fine"}]
    made.close()


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("data(1, 5, b'gap')", "gap"),
        ("data(1, 0, b'x' * 100); data(1, 0, b'x' * 100)", "gap"),
        ("[data(1, n * 65536, b'x' * 65536) for n in range(64)]", "more than it was asked"),
    ],
)
def test_bytes_out_of_order_or_without_end_close_the_session(tmp_path: Path, sent: str, why: str) -> None:
    closed: list[CloudtuiError | None] = []
    body = f"""
        def answer(request):
            say({{"id": request["id"], "ok": True, "result": {{"size": 0}}}})
            {sent}
    """
    made = session(tmp_path, answering(body), on_closed=closed.append)
    made.follow(1, job="j", attempt=1, source="trainer")
    wait_for(lambda: closed, "the session to close")
    assert closed[0] is not None
    assert why in closed[0].message


@pytest.mark.parametrize("size", ["-1", "True", "'9'", "None", "2**70", "1.5"])
def test_a_size_that_is_none_is_refused(tmp_path: Path, size: str) -> None:
    made = session(
        tmp_path,
        answering(
            f"def answer(request): say({{'id': request['id'], 'ok': True, 'result': {{'size': {size}}}}})"
        ),
    )
    with pytest.raises(FailedError):
        made.follow(1, job="j", attempt=1, source="trainer")
    made.close()


def test_a_pong_that_lies_about_its_type_closes_the_session(tmp_path: Path) -> None:
    closed: list[CloudtuiError | None] = []
    session(
        tmp_path,
        "for request in requests(): say({'id': request['id'], 'ok': True, 'result': {'now': 'soon'}})",
        on_closed=closed.append,
    )
    wait_for(lambda: closed, "the session to close")
    assert isinstance(closed[0], FailedError)


def test_numbers_are_taken_only_as_numbers() -> None:
    assert replies.whole({"a": 3}, "a") == 3
    assert replies.number({"a": 3}, "a") == 3.0
    for bad in (True, "3", None, 10**400, [3]):
        with pytest.raises(FailedError):
            replies.number({"a": bad}, "a")
    with pytest.raises(FailedError):
        replies.whole({"a": 7}, "a", most=6)
    assert replies.parse(b'{"a": Infinity}') is None
