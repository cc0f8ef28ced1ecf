"""Packages for a host without an index: pip fetches here what the host's own pip would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.packages import NO_INDEX, Index, make_wheel

from cloudtui_engine.errors import FailedError, RefusedError
from cloudtui_engine.hosts import environment, wheels
from cloudtui_engine.hosts.environment import Plan

pytestmark = pytest.mark.services  # a package index

pytest.importorskip("pip")
ARM: dict[str, Any] = {"arch": "aarch64", "libc": "glibc 2.31", "kernel": "6.1"}
PLAN = Plan("/usr/bin/python3", "3.10", "cpu", ("torch>=2",), (), False, "3.10.4", "aarch64 glibc 2.31")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    folder = tmp_path / "wheels here"
    requires = [
        "for-arm; platform_machine == 'aarch64'",
        "for-intel; platform_machine == 'x86_64'",
        "for-old; python_version < '3.11'",
        "for-new; python_version >= '3.11'",
    ]
    for tag in ("cp310-cp310-manylinux_2_28_aarch64", "cp310-cp310-manylinux_2_34_aarch64", "py3-none-win32"):
        version = "2.1.0" if "2_34" in tag else "2.0.0"
        make_wheel(folder, "torch", version, {"torch.py": tag}, requires=requires, tag=tag)
    for name in ("for-arm", "for-intel", "for-old", "for-new"):
        make_wheel(folder, name, "1.0", {f"{name.replace('-', '_')}.py": ""})
    served = Index(folder)
    for key, text in served.env.items():
        monkeypatch.setenv(key, text)
    yield served
    served.close()


def fetch(home: Path, plan: Plan = PLAN, **more: Any) -> wheels.Fetched:
    quiet: dict[str, Any] = {"report": lambda *_: None, "raise_if_unwanted": lambda: None}
    return wheels.fetch(home, plan, ARM, **(quiet | more))


def test_what_the_host_would_take_is_fetched_once(index: Index, tmp_path: Path) -> None:
    told: list[str] = []
    first = fetch(tmp_path / "home", report=lambda text, *_: told.append(text))
    names = [file.path for file in first.files]
    # Another machine, another python, an older C library: conditions and tags are the host's.
    assert names == [
        "for_arm-1.0-py3-none-any.whl",
        "for_old-1.0-py3-none-any.whl",
        "torch-2.0.0-cp310-cp310-manylinux_2_28_aarch64.whl",
    ]
    assert any(text.startswith("Fetching") for text in told)
    asked = len(index.asked)
    assert fetch(tmp_path / "home") == first
    assert len(index.asked) == asked
    assert first.dest.startswith("wheels/")
    assert not list((tmp_path / "home").glob(".new-*"))


def test_what_no_index_has_is_said(index: Index, tmp_path: Path) -> None:
    with pytest.raises(FailedError) as failed:
        fetch(tmp_path / "home", replace(PLAN, requirements=("torch>=3",)))
    assert failed.value.code == "no_wheel"
    assert not list((tmp_path / "home").iterdir())


def test_no_index_here_either_names_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, text in NO_INDEX.items():
        monkeypatch.setenv(key, text)
    with pytest.raises(FailedError) as failed:
        fetch(tmp_path)
    assert failed.value.code == "no_index_here"
    assert "instance prepare" in failed.value.hint


def test_one_that_is_not_wanted_any_more_ends(index: Index, tmp_path: Path) -> None:
    class UnwantedError(Exception):
        pass

    def unwanted() -> None:
        raise UnwantedError

    with pytest.raises(UnwantedError):
        fetch(tmp_path, raise_if_unwanted=unwanted)
    assert not list(tmp_path.glob(".new-*"))


def test_a_full_disk_here_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "cloudtui_engine.hosts.environment.DISK_BYTES", dict.fromkeys(environment.DISK_BYTES, 1 << 60)
    )
    with pytest.raises(RefusedError) as refused:
        fetch(tmp_path)
    assert refused.value.code == "disk_full"
