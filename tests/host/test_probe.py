from __future__ import annotations

import os
import stat
import sys
import tempfile
import time
from pathlib import Path

import pytest
from tests.host.lane import session

from cloudtui_host import detach, gpus, probe, proc, sample
from cloudtui_host import tool as host_tool

SMI = """#!/bin/sh
case "$1" in
*compute-apps*) echo "GPU-1, $$, 100, python" ;;
*) echo "0, GPU-1, NVIDIA H200, 143771, 17041, 98, 54, 512.13, 550.144.03" ;;
esac
"""


def tool(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_facts_of_this_machine(root: Path, tmp_path: Path) -> None:
    smi = tool(tmp_path / "bin", "nvidia-smi", SMI)
    env = {**os.environ, "PATH": f"{smi.parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    with session(root, env=env) as lane:
        facts = lane.request("probe")
        listed = lane.request("gpus")["gpus"]
        assert lane.request("ping")
    assert facts["cpu"]["cores"] >= 1
    assert 0 < facts["memory_free_bytes"] <= facts["memory_bytes"]
    assert 0 < facts["disk_free_bytes"] <= facts["disk_bytes"]
    assert facts["flock"] is True
    mine = next(one for one in facts["pythons"] if one["path"] == sys.executable)
    assert mine["version"] == ".".join(map(str, sys.version_info[:3]))
    assert set(mine) == {
        "path", "version", "torch", "cuda", "sees_cuda", "numpy", "safetensors", "onnx", "onnxruntime",
        "onnxscript", "sklearn", "pillow", "polars",
    }  # fmt: skip
    assert facts["libc"].startswith("glibc 2.") or "glibc" not in facts["libc"]
    assert facts["driver"] == "550.144.03"
    assert listed[0]["processes"][0]["command"] == "python"
    assert facts["gpus"][0]["name"] == listed[0]["name"] == "NVIDIA H200"


def test_an_interpreter_tells_its_torch_without_importing_it(tmp_path: Path) -> None:
    package = tmp_path / "site/torch"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "version.py").write_text(
        "__version__ = '2.6.0+cu124'\ncuda: Optional[str] = '12.4'\nhip = None\n"
    )
    python = tool(
        tmp_path, "python3", f'#!/bin/sh\necho noise\nPYTHONPATH={tmp_path}/site exec {sys.executable} "$@"\n'
    )
    said = probe.ask_python(str(python))
    assert said is not None
    assert (said["torch"], said["cuda"], said["path"]) == ("2.6.0+cu124", "12.4", str(python))


def test_a_torch_sees_a_gpu_where_there_is_one_and_its_cuda_is_not_newer_than_the_driver() -> None:
    assert (probe.parse_driver_cuda(12040), probe.parse_driver_cuda(0)) == ("12.4", None)
    assert probe.sees_cuda("12.8", "12.4", has_gpu=True), "minor versions are compatible"
    assert not probe.sees_cuda("13.0", "12.4", has_gpu=True)
    assert not probe.sees_cuda("12.4", "12.4", has_gpu=False)
    assert not probe.sees_cuda(None, "12.4", has_gpu=True)
    assert probe.sees_cuda("hip 6.2", None, has_gpu=True)


def test_an_interpreter_that_hangs_or_lies_is_passed_over(tmp_path: Path) -> None:
    begun = time.monotonic()
    assert probe.ask_python(str(tool(tmp_path, "hangs", "#!/bin/sh\nexec sleep 60\n")), 0.2) is None
    assert time.monotonic() - begun < 30
    for text in ("", "cloudtui-python {", "cloudtui-python []", 'cloudtui-python {"version": 3}'):
        assert probe.parse_python("/x", text) is None


def test_environments_are_listed_once_and_torch_first() -> None:
    def one(path: str, prefix: str, torch: str | None, cuda: str | None) -> dict[str, object]:
        return {"path": path, "prefix": prefix, "version": "3.11.1", "torch": torch, "cuda": cuda}

    answers = [one("/a", "/usr", None, None), None, one("/b", "/usr", None, None), one("/c", "/v", "2", None)]
    answers += [one("/d", "/w", "2", "12.4"), dict(one("/e", "/x", None, None), version="2.7.18")]
    assert [found["path"] for found in probe.distinct(answers)] == ["/d", "/c", "/a"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("[Login]\nKillUserProcesses=yes\n", True),
        ("[Login]\nKillUserProcesses = no\n", False),
        ("[Login]\n#KillUserProcesses=yes\n", None),
        ("", None),
    ],
)
def test_logind_settings(text: str, wanted: bool | None) -> None:
    assert detach.parse_logind(text) is wanted


def test_small_parsers() -> None:
    assert probe.parse_os_release('NAME=x\nPRETTY_NAME="Debian GNU/Linux 12"\n') == "Debian GNU/Linux 12"
    assert probe.parse_cpu_model("processor : 0\nmodel name\t: AMD EPYC\n") == "AMD EPYC"
    assert (probe.parse_limit("max\n"), probe.parse_limit("1024"), probe.parse_limit(str(2**63 - 4096))) == (
        None,
        1024,
        None,
    )
    assert (probe.parse_quota("max 100000"), probe.parse_quota("150000 100000"), probe.parse_quota("")) == (
        None,
        1.5,
        None,
    )
    assert sample.parse_cpu("cpu  10 0 10 70 10 0 0 0 0 0\ncpu0 1\n") == (20, 100)
    assert sample.parse_meminfo("MemTotal:  10 kB\nHugePages_Total: 3\nbad\n") == {
        "MemTotal": 10240,
        "HugePages_Total": 3,
    }
    line = "7 (a) b) c) S 1 42 42 0 -1 4 0 0 0 0 5 6 0 0 20 0 1 0 999 1000 77 1 1"
    assert proc.parse_stat(line) == proc.Stat("S", 42, 11, 999, 77)
    assert proc.parse_stat("nonsense") is None
    assert gpus.number("nan bread") is None or gpus.number("x") is None


@pytest.mark.parametrize("has_memfd", [True, False])
def test_secrets_are_handed_on_in_memory(monkeypatch: pytest.MonkeyPatch, has_memfd: bool) -> None:
    if not has_memfd:
        # As in a Python that was built for an old system.
        monkeypatch.delattr(os, "memfd_create")
    disk = Path(tempfile.gettempdir()).stat().st_dev
    memory = Path("/dev/shm").stat().st_dev
    kept = os.dup(0)
    try:
        detach._become_stdin(b'{"secret": "canary"}')
        found = os.fstat(0)
        assert found.st_nlink == 0
        assert (found.st_dev == memory) if not has_memfd else found.st_dev != disk
        with os.fdopen(os.dup(0), "rb") as handle:
            assert handle.read() == b'{"secret": "canary"}'
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def test_what_a_tool_prints(tmp_path: Path) -> None:
    fails = str(tool(tmp_path, "fails", "#!/bin/sh\necho said\nexit 3\n"))
    assert (host_tool.output(fails), host_tool.printed(fails)) == (None, "said")
    assert host_tool.printed(str(tmp_path / "none")) is None


def test_a_host_that_ends_jobs_with_the_session_is_left_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("systemd-run", "loginctl", "systemctl"):
        tool(tmp_path, name, f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/called\n')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(detach, "linger", lambda: False)
    with pytest.raises(Exception, match="KillUserProcesses") as caught:
        detach.scope_command(["x"])
    assert caught.value.code == "session_ends_jobs"  # type: ignore[attr-defined]
    assert "loginctl enable-linger" in (tmp_path / "called").read_text()
    monkeypatch.setattr(detach, "linger", lambda: True)
    monkeypatch.setattr(detach, "systemd_user", lambda: True)
    assert detach.scope_command(["x"])[:3] == ["systemd-run", "--user", "--scope"]
