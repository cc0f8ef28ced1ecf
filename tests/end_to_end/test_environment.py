"""A host without torch gets an environment of ours, from its index or the laptop's, and trains with it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.home import Home, wait_until
from tests.support.packages import NO_INDEX, Index, fake_packages, packages_of
from tests.support.sshd import Sshd

pytestmark = [pytest.mark.sshd, pytest.mark.services, pytest.mark.timeout(400)]  # a package index


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder with a python that has nothing, and is all that PATH holds."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    return tmp_path / "bare" / "bin"


@pytest.fixture
def make_home(tmp_path: Path) -> Iterator[Callable[..., Home]]:
    made: list[Home] = []

    def make(name: str, **env: str) -> Home:
        made.append(Home(tmp_path / name / "home", env))
        return made[-1]

    yield make
    for home in made:
        home.close()


def add(home: Home, server: Sshd) -> dict[str, Any]:
    return dict(
        home.json(
            "instance", "add", "box", "--ssh", f"{server.user}@{server.address}:{server.port}",
            "--key", str(server.user_key), "--root", str(server.root),
            "--accept-host-key", server.fingerprint,
        )
    )  # fmt: skip


def environments(home: Home) -> list[dict[str, Any]]:
    facts = home.json("instance", "show", "box")["facts"]
    return list(facts.get("environments") or ())


def test_a_host_without_torch_gets_one_from_its_index_and_trains_with_it(
    make_home: Callable[..., Home], make_sshd: Callable[..., Sshd], bare: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    # The packages' names and versions come from the index; behind them stand those of this interpreter.
    index = Index(packages_of(Path(sysconfig.get_path("purelib")), tmp_path / "wheels"))
    try:
        server = make_sshd(env={"PATH": str(bare), **index.env})
        home = make_home("laptop")
        pythons = add(home, server)["facts"]["pythons"]
        assert not any(one.get("torch") for one in pythons), "the host's python must have no torch"
        home.json("dataset", "add", "digits", "digits")
        following = home.popen(
            "--json", "run", "start", "--dataset", "digits", "--on", "box", "--set", "epochs=1", "--follow",
        )  # fmt: skip
        wait_until(lambda: list(server.root.glob("env/.new-*/bin")), 60, "the environment begun")
        assert server.kill_sessions()
        out, err = following.communicate(timeout=300)
        assert following.returncode == 0, out + err + home.log()
        assert '"status": "succeeded"' in out
        assert "staging" in err  # which of its steps is seen depends on when it is looked at
        assert len(list(server.root.glob("jobs/env-*/a*"))) == 1, (
            "a cut link ends no making, and begins no other"
        )
        (made,) = environments(home)
        assert made["path"].startswith(f"{server.root}/env/")
        assert made["torch"]
        assert not list(bare.parent.glob("lib/python3*/site-packages/*torch*")), "the user's own is as it was"
        imported = home.json("run", "import", "--from", "box")
        assert imported == [] or imported.get("runs") == [], "the job that made it is nobody's run"
        asked = len(index.asked)
        again = home.run("--json", "instance", "prepare", "box")
        assert again.status == 0, again.err
        assert f"{made['path']}" in again.err
        assert len(index.asked) == asked, "made once"
    finally:
        index.close()


def test_a_host_without_an_index_gets_packages_from_here_and_nowhere_is_said(
    make_home: Callable[..., Home], make_sshd: Callable[..., Sshd], bare: Path, tmp_path: Path
) -> None:
    server = make_sshd(env={"PATH": str(bare), **NO_INDEX})
    offline = make_home("offline", **NO_INDEX)
    add(offline, server)
    refused = offline.run("--json", "instance", "prepare", "box", timeout=200)
    assert refused.status == 5, refused.out + refused.err
    error = refused.json["error"]
    assert error["code"] == "no_index_here"
    assert "neither from the host nor from this machine" in error["message"]
    assert "--index" in error["hint"]
    index = Index(fake_packages(tmp_path / "wheels"))
    try:
        online = make_home("online", **index.env)
        add(online, server)
        prepared = online.run("--json", "instance", "prepare", "box", timeout=300)
        assert prepared.status == 0, prepared.out + prepared.err + online.log()
        (made,) = environments(online)
        assert (made["torch"], made["onnx"]) == ("2.9.0", "1.19.0")
        assert any("torch-2.9.0" in path for path in index.asked)
        assert len(list(online.paths.wheels.glob("*/*.whl"))) == 7
        assert not list((server.root / "wheels").glob("*/*.whl")), "they have served"
    finally:
        index.close()
