"""An environment of ours on a host: made by real pip from an index here, shared, stopped, cleaned up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.packages import FAKE_TORCH, NAMES, NO_INDEX, Index, fake_packages, make_wheel
from tests.support.sshd import wait_for

from cloudtui_host import environment, journal
from cloudtui_host.errors import HostError

pytestmark = [pytest.mark.services, pytest.mark.timeout(300)]  # a package index
ENV = "env/0123456789abcdef"
ENGINE = Path(environment.__file__).parents[1]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fake_packages(tmp_path_factory.mktemp("wheels"))


@pytest.fixture(scope="module")
def index(wheels: Path) -> Iterator[Index]:
    served = Index(wheels)
    yield served
    served.close()


class Job:
    """A maker, as the launcher starts one."""

    def __init__(self, root: Path, job: str, env: dict[str, str], **config: Any) -> None:
        self.root, self.job = root, job
        self.folder = root / "jobs" / job / "a0001"
        (self.folder / "journal").mkdir(parents=True)
        base = {"env": ENV, "python": sys.executable, "version": "3.11", "requirements": list(NAMES)}
        (self.folder / "config.json").write_text(json.dumps(base | config))
        kept = {key: text for key, text in os.environ.items() if not key.upper().startswith(("PIP_", "UV_"))}
        more = {"PYTHONPATH": str(ENGINE), "CLOUDTUI_JOURNAL": str(self.folder / "journal" / "trainer.jsonl")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cloudtui_host.environment", str(self.folder / "config.json")],
            env={**kept, **env, **more, "PATH": "/usr/bin:/bin", "HOME": str(root)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def end(self) -> tuple[int, str]:
        out, _ = self.process.communicate(timeout=240)
        return self.process.returncode, out

    def records(self) -> list[dict[str, Any]]:
        lines = (self.folder / "journal" / "trainer.jsonl").read_bytes().splitlines()
        return [journal.decode_line(line) for line in lines]

    @property
    def error(self) -> dict[str, str]:
        return next(dict(one["data"]) for one in self.records() if one["kind"] == "event")


def left(root: Path) -> set[str]:
    """What stands beside finished environments."""
    return {path.name for path in (root / "env").iterdir() if path.suffix != ".lock"}


def test_two_makers_of_one_environment_make_it_once_over_what_a_killed_one_left(
    tmp_path: Path, index: Index
) -> None:
    torn = tmp_path / "env" / ".new-0123456789abcdef" / "bin"
    torn.mkdir(parents=True)
    (torn / "torn").touch()
    asked = len(index.asked)
    jobs = [Job(tmp_path, f"env-{number}", index.env) for number in range(2)]
    for job in jobs:
        assert job.end()[0] == 0, job.records()
    assert sum("torch-2.9.0" in path for path in index.asked[asked:]) == 1
    assert left(tmp_path) == {"0123456789abcdef"}
    done = [job.records() for job in jobs]
    assert all(records[-1]["reason"] == "completed" for records in done)
    texts = {one["text"] for records in done for one in records if one["kind"] == "progress"}
    assert "Testing one training step" in texts
    assert any(text.startswith(("Installing", "Unpacking")) for text in texts)
    found = environment.look(str(tmp_path), ENV, "env-0")
    assert found["record"]["torch"] == "2.9.0"
    assert found["record"]["tested"]["device"] == "cpu"
    script = tmp_path / ENV / "bin" / "pip"
    assert script.read_text().startswith(f"#!{tmp_path / ENV}/bin/python"), "scripts name where they lie"
    assert not (tmp_path / ENV / "bin" / "torn").exists()


def test_small_packages_on_top_of_a_torch_leave_its_python_alone(tmp_path: Path, index: Index) -> None:
    base = tmp_path / "users own"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(base)], check=True)
    site = next(base.glob("lib/python3*/site-packages"))
    make_wheel(tmp_path / "torch", "torch", "2.8.0", {"torch/__init__.py": FAKE_TORCH})
    subprocess.run(
        [sys.executable, "-m", "zipfile", "-e", str(next((tmp_path / "torch").iterdir())), str(site)],
        check=True,
    )
    before = sorted(path.name for path in site.iterdir())
    job = Job(
        tmp_path, "env-0", index.env, python=str(base / "bin" / "python"), on_top=True,
        requirements=["onnx", "numpy"],
    )  # fmt: skip
    code, out = job.end()
    assert code == 0, out
    record = environment.look(str(tmp_path), ENV, "env-0")["record"]
    assert (record["torch"], record["onnx"]) == ("2.8.0", "1.19.0")
    assert not list((tmp_path / ENV).glob("lib/python3*/site-packages/torch"))
    assert sorted(path.name for path in site.iterdir()) == before
    assert "Downloading torch" not in out


def test_no_index_is_said_soon_and_wheels_do_instead(tmp_path: Path, wheels: Path) -> None:
    job = Job(tmp_path, "env-0", NO_INDEX)
    code, out = job.end()
    assert (code, job.error["code"]) == (1, "no_index"), out
    assert left(tmp_path) <= {".cache-0123456789abcdef"}
    target = tmp_path / "wheels" / "0123456789abcdef"
    target.parent.mkdir()
    target.symlink_to(wheels)
    job = Job(tmp_path, "env-1", NO_INDEX, find_links="wheels/0123456789abcdef")
    assert job.end()[0] == 0
    assert environment.look(str(tmp_path), ENV, "env-1")["record"]["tool"] == "pip"


def test_a_torch_that_cannot_do_one_step_is_not_kept(tmp_path: Path) -> None:
    broken = {"torch/__init__.py": "raise OSError('libgomp.so.1: cannot open shared object file')"}
    index = Index(fake_packages(tmp_path / "wheels here", torch=broken))
    try:
        job = Job(tmp_path, "env-0", index.env)
        assert job.end()[0] == 1
    finally:
        index.close()
    assert job.error["code"] == "no_openmp"
    assert "libgomp1" in job.error["hint"]
    assert "of the new environment" in job.error["message"]
    assert left(tmp_path) <= {".cache-0123456789abcdef"}
    found = environment.look(str(tmp_path), ENV, "env-0")
    assert (found["python"], found["error"]["code"]) == ("", "no_openmp")


def test_one_without_torch_is_tested_by_what_it_imports(tmp_path: Path, index: Index) -> None:
    job = Job(tmp_path, "env-0", index.env, requirements=["numpy"], imports=["numpy"])
    assert job.end()[0] == 0, job.records()
    record = environment.look(str(tmp_path), ENV, "env-0")["record"]
    assert (record["torch"], record["numpy"], record["tested"]) == (None, "2.1.0", {"imports": ["numpy"]})
    other = tmp_path / "another host"
    job = Job(other, "env-1", index.env, requirements=["numpy"], imports=["numpy", "polars"])
    assert job.end()[0] == 1
    assert job.error["code"] == "smoke_failed"
    assert "polars" in job.error["message"]
    assert left(other) <= {".cache-0123456789abcdef"}


def test_a_full_disk_is_said_before_anything_is_fetched(tmp_path: Path, index: Index) -> None:
    asked = len(index.asked)
    job = Job(tmp_path, "env-0", index.env, need_bytes=1 << 60)
    assert job.end()[0] == 1
    assert job.error["code"] == "disk_full"
    assert len(index.asked) == asked
    assert left(tmp_path) == set()


def test_a_stopped_maker_leaves_nothing(tmp_path: Path, index: Index) -> None:
    job = Job(tmp_path, "env-0", index.env)
    new = tmp_path / "env" / ".new-0123456789abcdef" / "bin"
    wait_for(new.exists, "the environment begun", 60)
    job.process.terminate()
    assert job.end()[0] == environment.STOPPED
    assert job.records()[-1]["reason"] == "stopped"
    assert left(tmp_path) <= {".cache-0123456789abcdef"}


def test_an_environment_is_named_by_a_hash_alone(tmp_path: Path) -> None:
    for name in ("env/../etc", "data/0123456789abcdef", "env/x", 3):
        with pytest.raises(HostError):
            environment.folder_of(str(tmp_path), name)


@pytest.mark.parametrize("told", [True, False], ids=["uv knows the index", "only pip knows it"])
def test_uv_is_used_where_it_is_and_pip_where_it_reaches_nothing(
    tmp_path: Path, index: Index, told: bool
) -> None:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not on this machine")
    place = tmp_path / ".local" / "bin" / "uv"
    place.parent.mkdir(parents=True)
    place.symlink_to(uv)
    url = index.url if told else "http://127.0.0.1:1/simple"
    job = Job(tmp_path, "env-0", index.env | {"UV_DEFAULT_INDEX": url})
    code, out = job.end()
    assert code == 0, out
    assert environment.look(str(tmp_path), ENV, "env-0")["record"]["tool"] == ("uv" if told else "pip")
