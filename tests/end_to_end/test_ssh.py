"""The same job on a real SSH host: what is asked, what is refused, what survives the link."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.home import Home, wait_until
from tests.support.proxy import Proxy
from tests.support.sshd import Sshd

pytestmark = pytest.mark.sshd
WAIT = ("--", "sh", "-c", "trap 'exit 75' TERM; i=0; while :; do i=$((i+1)); echo line $i; sleep 0.1; done")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "laptop" / "home")
    yield made
    made.close()


def add(home: Home, server: Sshd, name: str = "box", port: int | None = None) -> None:
    home.json(
        "instance", "add", name, "--ssh", f"{server.user}@{server.address}:{port or server.port}",
        "--key", str(server.user_key), "--root", str(server.root), "--accept-host-key", server.fingerprint,
    )  # fmt: skip


def show(home: Home, run: str) -> dict[str, object]:
    return dict(home.json("run", "show", run))


def link(home: Home) -> str:
    return str(home.json("instance", "show", "box")["link_state"])


def test_unknown_key_is_refused_with_its_fingerprint_and_a_changed_one_stops_the_host(
    home: Home, make_sshd: Callable[..., Sshd]
) -> None:
    server = make_sshd()
    words = (
        "instance",
        "add",
        "box",
        "--ssh",
        f"{server.user}@{server.address}:{server.port}",
        "--key",
        str(server.user_key),
    )
    refused = home.run("--json", *words)
    assert refused.status == 4
    assert server.fingerprint in refused.json["error"]["message"]
    assert home.json("instance", "list")[-1]["name"] == "local"
    add(home, server)
    assert home.json("instance", "probe", "box")["facts"]["os"]
    server.restart(new_host_key=True)
    wait_until(lambda: home.run("instance", "probe", "box").status == 4, 60, "the refusal")
    assert "key" in home.json("instance", "show", "box")["link_detail"].lower()


def test_wrong_key_and_closed_port_are_told_apart(
    home: Home, make_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    server = make_sshd()
    other = make_sshd()
    wrong = home.run(
        "--json", "instance", "add", "box", "--ssh", f"{server.user}@{server.address}:{server.port}",
        "--key", str(other.user_key), "--accept-host-key", server.fingerprint,
    )  # fmt: skip
    assert (wrong.status, wrong.json["error"]["code"]) == (6, "auth")
    assert wrong.json["error"]["hint"]
    server.stop()
    closed = home.run(
        "--json", "instance", "add", "box", "--ssh", f"{server.user}@{server.address}:{server.port}",
        "--key", str(server.user_key), timeout=90,
    )  # fmt: skip
    assert closed.status == 6
    assert closed.json["error"]["message"] != wrong.json["error"]["message"]


def test_a_run_that_was_stopped_before_it_reached_its_host_can_be_resumed(
    home: Home, make_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    server = make_sshd()
    add(home, server)
    server.stop()
    run = str(home.json("run", "script", "--on", "box", "--", "sh", "-c", "echo here")["id"])
    assert home.run("run", "stop", run).status == 0
    wait_until(lambda: show(home, run)["status"] == "stopped", 20, "the stop")
    assert home.run("run", "stop", run).status == 4
    server.start()
    answer = home.run("--json", "run", "resume", run, "--follow")
    assert answer.status == 0, answer.out + answer.err + home.log()
    assert (answer.json["status"], answer.json["attempt"]) == ("succeeded", 2)


@pytest.mark.services  # takes as long as one
def test_a_lost_catalog_is_rebuilt_from_what_the_host_holds(
    home: Home, make_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    server = make_sshd()
    add(home, server)
    script = tmp_path / "script"
    script.mkdir()
    (script / "job.py").write_text(
        "import cloudtui_log\nfor i in range(300): cloudtui_log.log({'loss': 1 / (i + 1)}, step=i)\n"
    )
    first = home.run(
        "--json",
        "run",
        "script",
        "--on",
        "box",
        "--name",
        "mine",
        "--dir",
        str(script),
        "--follow",
        "--",
        "python3",
        "job.py",
    ).json
    other = Home(tmp_path / "another laptop" / "home")
    try:
        add(other, server)
        imported = other.json("run", "import", "--from", "box")
        assert imported
        again = show(other, "mine")
        for field in ("id", "name", "status", "exit_code", "metrics", "kind"):
            assert again[field] == first[field], field
        (new,), (old,) = other.json("run", "metrics", "mine"), home.json("run", "metrics", "mine")
        assert (new["key"], new["steps"], new["values"]) == (old["key"], old["steps"], old["values"])
    finally:
        other.close()


def test_stop_is_answered_within_a_second_while_an_upload_is_throttled(
    home: Home, make_sshd: Callable[..., Sshd], make_proxy: Callable[..., Proxy], tmp_path: Path
) -> None:
    server = make_sshd()
    proxy = make_proxy(server)
    add(home, server, port=proxy.port)
    run = str(home.json("run", "script", "--on", "box", *WAIT)["id"])
    wait_until(lambda: show(home, run)["status"] == "running", 30, "running")
    big = tmp_path / "big"
    big.mkdir()
    (big / "weights.bin").write_bytes(os.urandom(24 * 2**20))
    proxy.rate = 1_000_000
    upload = str(home.json("run", "script", "--on", "box", "--dir", str(big), "--", "true")["id"])
    wait_until(lambda: proxy.up > 2_000_000, 30, "the upload")
    assert home.run("run", "stop", run).status == 0
    operations = home.catalog().operations
    (asked,) = [one for one in operations.list() if one.kind == "run.stop"]
    wait_until(lambda: operations.get(asked.id).ended_at, 10, "the host's answer")
    answered = operations.get(asked.id).ended_at
    assert answered is not None
    assert answered - asked.created_at < 10  # the upload takes twice as long
    assert show(home, upload)["status"] == "staging"
    assert home.run("run", "stop", upload).status == 0
    wait_until(lambda: show(home, upload)["status"] == "stopped", 10, "the withdrawn upload")
    wait_until(lambda: show(home, run)["status"] == "stopped", 40, "the stop")


@pytest.mark.services  # its silence takes as long as one
def test_host_gone_everything_is_still_here_and_silence_is_shown(
    home: Home, make_sshd: Callable[..., Sshd], make_proxy: Callable[..., Proxy]
) -> None:
    server = make_sshd()
    proxy = make_proxy(server)
    add(home, server, port=proxy.port)
    run = str(home.json("run", "script", "--on", "box", *WAIT)["id"])
    wait_until(lambda: show(home, run)["status"] == "running", 30, "running")
    wait_until(lambda: "line 5" in home.run("run", "logs", run).out, 30, "some lines")
    proxy.blackhole()
    wait_until(lambda: link(home) == "silent", 30, "silence shown")
    wait_until(lambda: link(home) in {"down", "connecting"}, 60, "death declared")
    shown = show(home, run)
    assert shown["status"] == "running"
    assert shown["stale_since"]
    for words in (("run", "list"), ("run", "logs", run), ("instance", "list"), ("run", "metrics", run)):
        assert home.run(*words).status == 0
    proxy.resume()
    wait_until(lambda: link(home) == "up" and show(home, run)["stale_since"] is None, 45, "the link again")
    assert home.run("run", "stop", run).status == 0
    wait_until(lambda: show(home, run)["status"] == "stopped", 40, "the stop")
    lines = [line for line in home.run("run", "logs", run).out.splitlines() if line.startswith("line ")]
    assert lines == [f"line {number}" for number in range(1, len(lines) + 1)]


def test_a_hostile_log_reaches_no_terminal(home: Home, make_sshd: Callable[..., Sshd]) -> None:
    server = make_sshd()
    add(home, server)
    nasty = (
        r"printf '\033]0;owned\007\033[31mred\033[0m [@click=app.quit]x[/] \302\233 5m \342\200\256 rtl\n'"
    )
    run = home.run("--json", "run", "script", "--on", "box", "--follow", "--", "sh", "-c", nasty).json
    for words in (("run", "logs", run["id"]), ("run", "show", run["id"]), ("run", "list")):
        out = home.run(*words).out
        assert not any(character in out for character in "\033\007\x9b\u202e"), words
    assert "red [@click=app.quit]x[/]" in home.run("run", "logs", run["id"]).out


@pytest.mark.services  # takes as long as one
def test_two_desktops_three_commands_and_a_killed_engine(
    home: Home, make_sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    import pty

    server = make_sshd()
    add(home, server)
    starts = tmp_path / "starts"
    desktops = []
    for _ in range(2):
        near, far = pty.openpty()
        desktops.append((home.popen(stdin=far, stdout=far, stderr=far), near))
        os.close(far)
    commands = [
        home.popen(
            "--json",
            "run",
            "script",
            "--on",
            "box",
            "--name",
            f"one-{number}",
            "--",
            "sh",
            "-c",
            f"echo {number} >> {starts}; sleep 1",
        )
        for number in range(3)
    ]
    wait_until(lambda: home.engine_pid() is not None, 20, "an engine")
    home.kill_engine()
    for command in commands:
        out, err = command.communicate(timeout=60)
        assert command.returncode == 0, out + err
    home.run("run", "sync")
    wait_until(lambda: all(run["status"] == "succeeded" for run in home.json("run", "list")), 60, "all three")
    assert sorted(starts.read_text().split()) == ["0", "1", "2"]
    assert len(home.json("run", "list")) == 3
    engines = [session for session in home.catalog().engine_sessions.recent(20) if session.ended_at is None]
    alive = [session for session in engines if Path(f"/proc/{session.pid}").exists()]
    assert len(alive) == 1
    for desktop, near in desktops:
        assert desktop.poll() is None, "a desktop ended by itself"
        desktop.kill()
        desktop.wait()
        os.close(near)


@pytest.mark.timeout(300)
@pytest.mark.services
def test_a_model_is_judged_and_shrunk_where_it_was_trained(
    home: Home, make_sshd: Callable[..., Sshd]
) -> None:
    server = make_sshd()
    add(home, server)
    home.json("dataset", "add", "digits", "digits")
    words = ("--dataset", "digits", "--on", "box", "--name", "first", "--set", "epochs=3")
    run = home.json("run", "start", *words, "--pull", "none", "--follow", timeout=200)
    assert run["instances"] == home.json("dataset", "show", "digits")["instances"] == ["box"]
    assert [one["local"] for one in show(home, run["id"])["artifacts"]] == [None] * 3  # type: ignore[attr-defined]
    judged = home.json("model", "evaluate", "first", "--on", "box")
    assert judged["n"] == 360
    made = home.json("model", "compress", "first", "--on", "box", "--set", "methods=int8")
    assert "360 rows cannot tell" in made["variants"][0]["why"]
    here = home.json("model", "evaluate", "first-int8")
    assert here["metrics"]["accuracy"] == pytest.approx(made["variants"][0]["accuracy"])
    twice = home.run("--json", "model", "compress", "first-int8")
    assert (twice.status, twice.json["error"]["code"]) == (4, "is_variant")
    assert all(one["local"] for one in home.json("run", "pull", run["id"])["artifacts"])
