"""The control lane against the real host package, over a real server, with real faults."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest
from tests.engine.hosts import support
from tests.support.proxy import Proxy
from tests.support.sshd import Sshd, wait_for

from cloudtui_engine.errors import CloudtuiError, FailedError, LinkTimeoutError, UnreachableError
from cloudtui_engine.hosts import bootstrap, shipping
from cloudtui_engine.hosts.crew import Crew
from cloudtui_engine.hosts.keeper import QUIET_TICK_S
from cloudtui_engine.hosts.link_display import SILENT_AFTER_S
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.timing import DEFAULT_TIMING, Timing
from cloudtui_engine.hosts.transport import Transport
from cloudtui_engine.hosts.transport.local import LocalTransport
from cloudtui_host import journal

QUICK = Timing(ping_s=0.1, dead_s=2.0)


class Heard:
    """Callbacks that keep what they are given."""

    def __init__(self) -> None:
        self.data: dict[int, bytes] = {}
        self.events: list[dict[str, object]] = []
        self.closed: list[CloudtuiError | None] = []

    def on_data(self, stream: int, offset: int, chunk: bytes) -> None:
        self.data[stream] = self.data.get(stream, b"") + chunk

    def longer(self, stream: int) -> Callable[[], bool]:
        """Whether more has come since this was asked for."""
        before = len(self.data[stream])
        return lambda: len(self.data[stream]) > before

    def options(self) -> dict[str, object]:
        return {"on_data": self.on_data, "on_event": self.events.append, "on_closed": self.closed.append}


def open_session(
    transport: object, root: Path, heard: Heard | None = None, timing: Timing = DEFAULT_TIMING
) -> Session:
    return Session(transport, str(root), timing=timing, **(heard or Heard()).options())  # type: ignore[arg-type]


def attempt_folder(root: Path, job: str = "c0abc") -> Path:
    """An attempt as the launcher leaves it, as far as following needs."""
    folder = root / "jobs" / job / "a0001" / "journal"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.parent


def test_a_session_on_this_machine_says_who_it_is_and_ends_with_close(tmp_path: Path) -> None:
    heard = Heard()
    session = open_session(LocalTransport(), tmp_path, heard)
    assert session.hello["root"] == str(tmp_path)
    assert session.hello["machine_id"]
    assert abs(session.clock_offset) < 1.0
    assert session.request("ping")["now"] == pytest.approx(time.time(), abs=2)
    session.close()
    session.close()
    assert heard.closed == [None]
    with pytest.raises(UnreachableError):
        session.request("ping")


def test_the_same_over_ssh(sshd: Sshd, tmp_path: Path, way: Callable[..., Transport]) -> None:
    transport = way(sshd)
    transport.connect(10)
    session = open_session(transport, tmp_path / "root")
    assert session.hello["user"] == sshd.user
    assert session.hello["home"] == str(sshd.home)
    assert session.request("jobs")["jobs"] == []
    pid = session.hello["pid"]
    session.close()
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), "the host part ends")


def test_a_session_over_ssh_has_no_thread_but_its_connections(sshd: Sshd, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    session = Session(support.connected(sshd, tmp_path), str(tmp_path / "root"), crew=Crew("shared"))
    assert session.request("ping")

    def others() -> list[threading.Thread]:
        new = set(threading.enumerate()) - before
        return [
            one
            for one in new
            if not isinstance(one, paramiko.Transport) and not one.name.startswith("shared")
        ]

    wait_for(lambda: not others(), "those that connected end, and none is left")
    session.close()


def test_the_hosts_error_comes_with_code_message_and_hint(tmp_path: Path) -> None:
    session = open_session(LocalTransport(), tmp_path)
    with pytest.raises(CloudtuiError) as raised:
        session.request("no-such-verb")
    assert raised.value.code == "bad_verb"
    session.close()


def test_many_threads_ask_at_once_and_each_gets_its_own_answer(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    session = open_session(LocalTransport(), tmp_path)
    answers: list[str] = []

    def ask(number: int) -> None:
        for turn in range(20):
            job = f"c{number}x{turn}"
            answers.append(session.request("status", {"job": job, "attempt": 1})["job"] if turn % 2 else job)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answers) == sorted(f"c{n}x{t}" for n in range(8) for t in range(20))
    session.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_callback_that_raises_ends_the_session_and_is_not_hidden(tmp_path: Path) -> None:
    (attempt_folder(tmp_path) / "journal" / "trainer.jsonl").write_bytes(b"x\n")
    closed: list[CloudtuiError | None] = []

    def on_data(*_args: object) -> None:
        raise ValueError

    session = Session(LocalTransport(), str(tmp_path), on_data=on_data, on_closed=closed.append)
    session.follow(1, job="c0abc", attempt=1, source="trainer")
    wait_for(lambda: closed, "the end")
    assert isinstance(closed[0], FailedError)
    assert not session.is_open


def test_a_session_whose_callback_is_stuck_holds_up_no_other_of_the_crew(tmp_path: Path) -> None:
    (attempt_folder(tmp_path) / "journal" / "trainer.jsonl").write_bytes(b"x\n")
    release, stuck = threading.Event(), threading.Event()

    def on_data(*_args: object) -> None:
        stuck.set()
        release.wait(60)

    crew = Crew()
    first = Session(LocalTransport(), str(tmp_path), on_data=on_data, crew=crew)
    second = Session(LocalTransport(), str(tmp_path), crew=crew)
    first.follow(1, job="c0abc", attempt=1, source="trainer")
    assert stuck.wait(20)
    assert second.request("ping", timeout=20)
    release.set()
    for session in (first, second):
        session.close()


def test_a_journal_is_followed_as_it_grows_and_held_back_without_acknowledgement(tmp_path: Path) -> None:
    folder = attempt_folder(tmp_path)
    heard = Heard()
    session = open_session(LocalTransport(), tmp_path, heard)
    path = folder / "journal" / "trainer.jsonl"
    writer = journal.JournalWriter(str(path))
    writer.metric(1, {"loss": 0.5}, flush=True)
    size = session.follow(7, job="c0abc", attempt=1, source="trainer")
    assert size == path.stat().st_size
    wait_for(lambda: heard.data.get(7) == path.read_bytes(), "the first line")
    for step in range(2, 12000):
        writer.metric(step, {"loss": 0.5})
    writer.flush()
    written = path.read_bytes()
    assert len(written) > 900_000
    wait_for(lambda: len(heard.data[7]) > 200_000, "what the credit allows")
    assert len(heard.data[7]) <= 300_000
    while len(heard.data[7]) < len(written):
        grown = heard.longer(7)
        session.ack(7, heard.data[7].rfind(b"\n") + 1)
        wait_for(grown, "more after an acknowledgement")
    assert heard.data[7] == written
    writer.close()
    session.close()


def test_a_follow_goes_on_at_its_offset_and_a_rewritten_journal_is_refused(tmp_path: Path) -> None:
    folder = attempt_folder(tmp_path)
    path = folder / "journal" / "trainer.jsonl"
    with journal.JournalWriter(str(path)) as writer:
        for step in range(10):
            writer.metric(step, {"loss": 0.5})
    content = path.read_bytes()
    offset = content.index(b"\n") + 1
    heard = Heard()
    session = open_session(LocalTransport(), tmp_path, heard)
    where = {"job": "c0abc", "attempt": 1, "source": "trainer", "offset": offset}
    with pytest.raises(CloudtuiError) as raised:
        session.follow(1, **where, tail=b"x" * 32)  # type: ignore[arg-type]
    assert raised.value.code == "journal_rewritten"
    session.follow(1, **where, tail=content[:offset][-32:])  # type: ignore[arg-type]
    wait_for(lambda: heard.data.get(1) == content[offset:], "the rest")
    session.close()


# -- links that fail


def test_the_periods_are_those_that_are_promised() -> None:
    assert SILENT_AFTER_S + 2 * QUIET_TICK_S <= 10
    assert DEFAULT_TIMING.ping_s * 2 <= SILENT_AFTER_S
    assert DEFAULT_TIMING.dead_s + DEFAULT_TIMING.ping_s <= 25


def test_a_quiet_session_is_not_silent(tmp_path: Path) -> None:
    session = open_session(LocalTransport(), tmp_path, timing=QUICK)
    for _ in range(5):  # an answer to a ping ends each silence
        wait_for(lambda: session.silence() > 0.08, "some silence")
        wait_for(lambda: session.silence() < 0.05, "a sign of life")
    assert session.is_open
    session.close()


def test_a_blackhole_shows_as_silence_and_then_ends_the_session(
    sshd: Sshd, tmp_path: Path, make_proxy: Callable[..., Proxy]
) -> None:
    proxy = make_proxy(sshd)
    heard = Heard()
    transport = support.connected(sshd, tmp_path, port=proxy.port)
    session = open_session(transport, tmp_path / "root", heard, QUICK)
    proxy.blackhole()
    begin = time.monotonic()
    waiting: list[CloudtuiError] = []

    def ask() -> None:
        try:
            session.request("ping", timeout=30)
        except CloudtuiError as error:
            waiting.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_for(lambda: session.silence() > 0.4, "silence")
    assert session.is_open
    wait_for(lambda: heard.closed, "the end", 20)
    assert time.monotonic() - begin > 1.6
    assert isinstance(heard.closed[0], LinkTimeoutError)
    asking.join(20)
    assert isinstance(waiting[0], LinkTimeoutError)
    assert not transport.is_alive


def test_a_session_that_is_stuck_in_a_send_is_ended_from_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, stuck, cut = Heard(), threading.Event(), threading.Event()
    session = open_session(LocalTransport(), tmp_path, heard, Timing(ping_s=0.1, dead_s=0.5))

    def send(*_args: object) -> None:
        stuck.set()
        cut.wait(60)
        raise UnreachableError("It was cut.")

    def close() -> None:
        cut.set()
        really()

    really = session.transport.close
    monkeypatch.setattr(session.transport, "close", close)
    monkeypatch.setattr(session._channel, "send", send)
    assert stuck.wait(20)
    wait_for(lambda: session.silence() > 0.6, "silence")
    assert not heard.closed
    session.end_if_stuck()
    wait_for(lambda: heard.closed, "the end")
    assert isinstance(heard.closed[0], LinkTimeoutError)


def test_a_short_hole_is_survived(sshd: Sshd, tmp_path: Path, make_proxy: Callable[..., Proxy]) -> None:
    proxy = make_proxy(sshd)
    heard = Heard()
    session = open_session(
        support.connected(sshd, tmp_path, port=proxy.port), tmp_path / "root", heard, QUICK
    )
    proxy.blackhole()
    wait_for(lambda: session.silence() > 0.4, "silence")
    proxy.resume()
    wait_for(lambda: session.silence() < 0.2, "life")
    assert session.request("ping")
    assert not heard.closed
    session.close()


@pytest.mark.parametrize("how", ["reset", "killed", "cut"])
def test_a_broken_link_is_noticed_at_once(
    make_sshd: Callable[..., Sshd],
    tmp_path: Path,
    make_proxy: Callable[..., Proxy],
    way: Callable[..., Transport],
    how: str,
) -> None:
    server = make_sshd()
    proxy = make_proxy(server)
    heard = Heard()
    transport = way(server, port=proxy.port)
    transport.connect(10)
    session = open_session(transport, tmp_path / "root", heard)
    if how == "reset":
        proxy.reset()
    elif how == "killed":
        server.kill_sessions()
    else:
        proxy.cut_after(0)
    wait_for(lambda: heard.closed, "the end", 20)
    assert isinstance(heard.closed[0], UnreachableError)
    with pytest.raises(UnreachableError):
        session.request("ping")


# -- hosts on which the host part does not start


def test_a_noisy_login_shell_does_no_harm(make_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    server = make_sshd()
    noise = tmp_path / "noise"
    noise.write_bytes(
        b"\x1eCT\x1e\x01\x00\x00\x00\x05" + os.urandom(200_000) + b"\x1eCT\x1e cloudtui-error {]\n"
    )
    (server.home / ".bashrc").write_text(f"echo Welcome to this machine\ncat {noise}\necho more >&2\n")
    session = open_session(support.connected(server, tmp_path), tmp_path / "root")
    assert session.request("ping")
    session.close()


def test_no_python_is_told(make_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    server = make_sshd(extra=['ForceCommand exec /bin/sh -c "$(cat ' + str(tmp_path / "forced") + ')"'])
    # A machine without any python: the same command, with its absolute candidates gone.
    script = (
        bootstrap.command()
        .replace("/usr/bin/python3", "/nowhere")
        .replace("/usr/local/bin/python3", "/nowhere")
    )
    (tmp_path / "forced").write_text(f"PATH={empty}; {script}")
    with pytest.raises(FailedError, match="no python3") as raised:
        open_session(support.connected(server, tmp_path), tmp_path / "root")
    assert raised.value.code == "no_python"
    assert "3.8" in raised.value.hint


def test_an_old_python_is_told_apart_from_none(tmp_path: Path) -> None:
    fake = tmp_path / "python3"
    fake.write_text("#!/bin/sh\nexit 91\n")  # What the first statement does there.
    fake.chmod(0o755)
    script = (
        bootstrap.command()
        .replace("/usr/bin/python3", "/nowhere")
        .replace("/usr/local/bin/python3", "/nowhere")
    )
    with pytest.raises(FailedError, match="new enough"):
        bootstrap.start(ScriptTransport(f"PATH={tmp_path}; {script}"), "", "control", 10)


@pytest.mark.parametrize("shell", ["/bin/sh", "/bin/bash"])
def test_the_command_is_one_line_that_each_shell_runs(tmp_path: Path, shell: str) -> None:
    assert "\n" not in bootstrap.command()
    assert "!" not in bootstrap.command()
    import shlex

    session = open_session(ScriptTransport(f"{shell} -c {shlex.quote(bootstrap.command())}"), tmp_path)
    assert session.request("ping")
    session.close()


def test_a_shell_that_ends_at_once_is_told_with_its_words(
    make_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    server = make_sshd(extra=["ForceCommand echo 'This account is not available.'; exit 1"])
    with pytest.raises(FailedError, match="This account is not available") as raised:
        open_session(support.connected(server, tmp_path), tmp_path / "root")
    assert "exit status 1" in raised.value.message


def test_a_shell_that_never_ends_is_left_in_time(make_sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    server = make_sshd(extra=["ForceCommand echo 'Press any key'; sleep 60"])
    with pytest.raises(LinkTimeoutError, match="Press any key"):
        open_session(support.connected(server, tmp_path), tmp_path / "root", timing=Timing(start_s=0.5))


def test_a_root_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CloudtuiError) as raised:
        open_session(LocalTransport(), tmp_path / "file" / "root")
    assert "Could not set up" in raised.value.message or raised.value.hint


def test_what_is_shipped_depends_on_the_sources_alone() -> None:
    shipping.pack.cache_clear()
    first = shipping.pack("cloudtui_host")
    shipping.pack.cache_clear()
    assert shipping.pack("cloudtui_host") == first
    assert "cloudtui_host/frames.py" in dict(shipping.files_of("cloudtui_host"))


class ScriptTransport(LocalTransport):
    """This machine, where every command is another one."""

    def __init__(self, script: str) -> None:
        super().__init__("box-2")
        self.python = ""
        self._script = script

    def open(self, command: str, timeout: float):  # type: ignore[no-untyped-def]
        return super().open(self._script, timeout)
