"""Ports and a Jupyter of a host, as a user has them: real processes, a real server, engines that die."""

from __future__ import annotations

import functools
import http.server
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.support.home import Home, wait_until
from tests.support.sshd import Sshd
from tests.support.stand_in_jupyter import make_program

pytestmark = pytest.mark.services


@pytest.fixture
def box(tmp_path: Path, make_sshd: Callable[..., Sshd]) -> Sshd:
    """A host whose PATH has what behaves as Jupyter."""
    make_program(tmp_path / "bin")
    return make_sshd(env={"PATH": f"{tmp_path / 'bin'}:/usr/local/bin:/usr/bin:/bin"})


@pytest.fixture
def home(tmp_path: Path, box: Sshd) -> Iterator[Home]:
    made = Home(tmp_path / "laptop" / "home")
    made.paths.home.mkdir(parents=True)
    where = f"{box.user}@{box.address}:{box.port}"
    made.json(
        "instance", "add", "box", "--ssh", where, "--key", str(box.user_key), "--root", str(box.root),
        "--accept-host-key", box.fingerprint,
    )  # fmt: skip
    yield made
    made.close()


def status_of(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=20) as answer:  # noqa: S310 - http, of ours
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with closing(error):
            return error.code
    except OSError:
        return 0


def jobs(box: Sshd) -> list[int]:
    """Processes of a Jupyter of ours on the host."""
    found = []
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            words = (proc / "cmdline").read_bytes()
        except OSError:
            continue
        if str(box.folder.parent / "bin" / "jupyter-lab").encode() in words:
            found.append(int(proc.name))
    return found


def test_a_jupyter_is_here_with_its_token_survives_an_engine_and_ends_when_told(
    home: Home, box: Sshd
) -> None:
    reached = home.json("instance", "jupyter", "box")
    address, token = reached["address"], reached["address"].partition("token=")[2]
    assert len(token) > 30
    assert status_of(address) == 200
    assert status_of(address.partition("?")[0]) == 403
    assert home.json("instance", "jupyter", "box")["address"] == address  # not a second one
    assert len(jobs(box)) == 1

    assert token_is_nowhere(token, home, box)

    home.kill_engine()
    assert status_of(address) == 0
    assert home.json("instance", "forwards")[0]["state"] == "waiting"
    home.json("instance", "probe", "box")  # starts another engine
    wait_until(lambda: status_of(address) == 200, 30, "the same Jupyter at the same address")
    assert len(jobs(box)) == 1

    home.json("instance", "forwards", "stop", "box")
    wait_until(lambda: not jobs(box), 30, "the end of it on the host")
    wait_until(lambda: not list((home.paths.home / "jupyter").iterdir()), 10, "its token's end")
    assert home.json("instance", "forwards") == []


def token_is_nowhere(token: str, home: Home, box: Sshd) -> bool:
    """But in the one file that only its user can read, and in the environment of the server itself."""
    secret = token.encode()
    kept = home.paths.home / "jupyter"
    for folder in (home.paths.home, box.folder):
        for file in folder.rglob("*"):
            if file.is_file() and kept not in file.parents:
                assert secret not in file.read_bytes(), file
    assert all(file.stat().st_mode & 0o077 == 0 for file in (kept, *kept.iterdir()))
    for proc in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert secret not in proc.read_bytes(), proc
        except OSError:
            continue
    return True


def test_what_cannot_be_had_is_said_and_leaves_nothing_behind(home: Home, box: Sshd) -> None:
    (box.home / ".jupyter-open").touch()  # its configuration lets everybody in
    refused = home.run("--json", "instance", "jupyter", "box")
    assert (refused.status, refused.json["error"]["code"]) == (5, "no_token")
    wait_until(lambda: not jobs(box), 30, "its end")

    (box.folder.parent / "bin" / "jupyter-lab").unlink()
    refused = home.run("--json", "instance", "jupyter", "box")
    assert (refused.status, refused.json["error"]["code"]) == (4, "not_installed")
    assert "pip install jupyterlab" in refused.json["error"]["hint"]


def test_a_port_is_here_until_it_is_stopped_and_not_after_its_engine(home: Home, tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    (tmp_path / "page" / "index.html").write_text("here")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "page"))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = str(server.server_address[1])
    first = home.json("instance", "forward", "box", port)
    assert status_of(first["address"]) == 200
    assert home.run("instance", "forward", "box", f"9:{first['local']}").status == 4  # taken
    home.json("instance", "forwards", "stop", str(first["local"]))
    wait_until(lambda: status_of(first["address"]) == 0, 10, "its end")

    second = home.json("instance", "forward", "box", port)
    home.kill_engine()
    home.json("instance", "probe", "box")
    wait_until(lambda: home.json("instance", "forwards") == [], 10, "its end with its engine")
    assert status_of(second["address"]) == 0
    server.shutdown()
