"""The host's own Jupyter: how it is found, and with which words it is started."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from cloudtui_host import activity, jupyter


def program(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SHELL", "/nowhere/sh")
    monkeypatch.setattr(jupyter, "USUAL", ("~/.local/bin",))


def test_it_is_found_beside_a_python_in_a_usual_place_or_by_the_users_own_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert jupyter.find([]) is None
    shell = program(tmp_path / "conda", "sh")
    shell.write_text(f"#!/bin/sh\necho welcome\necho {tmp_path}/conda/jupyter-lab\n")
    lab = program(tmp_path / "conda", "jupyter-lab")
    monkeypatch.setenv("SHELL", str(shell))
    assert jupyter.find([]) == str(lab)
    notebook = program(tmp_path / ".local/bin", "jupyter-notebook")
    assert jupyter.find([]) == str(notebook)
    beside = program(tmp_path / "env/bin", "jupyter-lab")
    assert jupyter.find([str(tmp_path / "env/bin")]) == str(beside)


def test_it_listens_on_loopback_at_one_port_or_none_and_is_told_no_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JUPYTER_TOKEN", "canary")
    words = jupyter.arguments("/x/jupyter-lab", 20123)
    assert {"--ip=127.0.0.1", "--port=20123", "--port-retries=0", "--no-browser"} < set(words)
    assert not any("canary" in word or "token" in word for word in words)
    assert ("--allow-root" in words) == (os.geteuid() == 0)


def test_kernels_have_the_hosts_own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = str(Path(jupyter.__file__).parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([ours, f"{ours}/cloudtui_host/for_scripts", "/own"]))
    monkeypatch.setenv("CLOUDTUI_RUN", "jupyter-1")
    monkeypatch.setenv("JUPYTER_TOKEN", "canary")
    env = jupyter.environment()
    assert (env["PYTHONPATH"], env["JUPYTER_TOKEN"]) == ("/own", "canary")
    assert not any(key.startswith("CLOUDTUI_") for key in env)


def test_what_is_wrong_is_its_exit_status(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert jupyter.main([str(taken.getsockname()[1])]) == jupyter.TAKEN
        port = taken.getsockname()[1]
    assert jupyter.main([str(port)]) == jupyter.NOT_THERE
    assert capfd.readouterr().err == f"Port {port} is taken.\nThere is no Jupyter here.\n"


def test_a_jupyter_where_nobody_computes_does_not_keep_a_rented_machine() -> None:
    assert activity.is_work("c0abc", "running")
    assert not activity.is_work("c0abc", "elsewhere")
    assert not activity.is_work("jupyter-c0abc", "running")
