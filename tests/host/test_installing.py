"""What installers print, and what a training step says when it fails."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from cloudtui_host import install_lines, install_run, installer, smoke
from cloudtui_host.errors import HostError


def fed(*lines: str) -> install_lines.Progress:
    progress = install_lines.Progress()
    for line in lines:
        progress.feed(line)
    return progress


def test_pip_tells_which_wheel_it_downloads_and_how_large_it_is() -> None:
    seen = fed(
        "Collecting torch>=2.6", "  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl (200.3 MB)"
    )
    assert (seen.text, seen.size, seen.file[:12]) == ("Installing torch 2.13.0", 200_300_000, "torch-2.13.0")
    seen.feed("  Downloading torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl.metadata (27 kB)")
    assert seen.size == 200_300_000, "metadata is no package"
    seen.feed("Using cached ml_dtypes-0.5.1-cp311-cp311-linux_x86_64.whl (4.7 MB)")
    assert (seen.text, seen.done) == ("Installing ml-dtypes 0.5.1", 0)
    seen.feed("Processing /srv/wheels/onnx-1.23.0-cp311-abi3-linux_x86_64.whl (from onnx)")
    assert (seen.text, seen.size) == ("Installing onnx 1.23.0", 0)
    seen.feed("Installing collected packages: mpmath, numpy, torch")
    assert (seen.text, seen.size, seen.file) == ("Unpacking 3 packages", 0, "")


def test_uvs_downloads_are_summed() -> None:
    seen = fed("\x1b[2mResolved 25 packages in 1.2s\x1b[0m")
    assert seen.text == "Installing 25 packages"
    seen = fed("Downloading numpy (16.0MiB)", "Downloading torch (190.0MiB)", " Downloaded numpy")
    assert seen.text == "Installing torch"
    assert (seen.done, seen.size) == (16 * 2**20, 206 * 2**20)
    seen.feed("Prepared 25 packages in 6s")
    assert (seen.text, seen.size) == ("Unpacking 25 packages", 0)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (
            ["ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"],
            "disk_full",
        ),
        (
            [
                "WARNING: Retrying (Retry(total=0)) after connection broken by 'ProxyError('No')'",
                "ERROR: No matching distribution found for torch",
            ],
            "no_index",
        ),
        (["error: Request failed after 3 retries", "  cause: dns error"], "no_index"),
        (["ERROR: No matching distribution found for torch<2.14,>=2.6"], "no_wheel"),
        (["  x No solution found", "  Because torch was not found in the package registry"], "no_wheel"),
        (["ERROR: onnx has an invalid wheel"], "install_failed"),
        ([], "install_failed"),
    ],
)
def test_why_an_installer_failed(lines: list[str], code: str) -> None:
    assert install_lines.failure(lines).code == code


def test_the_last_lines_stand_in_the_error_without_notices() -> None:
    lines = [f"line {number}" for number in range(20)] + ["[notice] a new release of pip is there", ""]
    message = install_lines.failure(lines).message
    assert "line 19" in message
    assert "line 13" not in message
    assert "notice" not in message


@pytest.mark.parametrize(
    ("status", "stderr", "code"),
    [
        (-signal.SIGILL, "", "illegal_instruction"),
        (1, "ImportError: libgomp.so.1: cannot open shared object file", "no_openmp"),
        (
            1,
            "RuntimeError: The NVIDIA driver on your system is too old (found version 11040).",
            "cuda_mismatch",
        ),
        (
            1,
            "RuntimeError: CUDA error: no kernel image is available for execution on the device",
            "cuda_mismatch",
        ),
        (1, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 MiB.", "gpu_busy"),
        (1, "RuntimeError: CUDA error: CUDA-capable device(s) is/are busy or unavailable", "gpu_busy"),
        (1, "ModuleNotFoundError: No module named 'numpy'", "smoke_failed"),
        (-signal.SIGKILL, "", "smoke_failed"),
    ],
)
def test_why_a_training_step_failed(status: int, stderr: str, code: str) -> None:
    failed = smoke.failure("/a/python", status, stderr)
    assert failed.code == code
    assert "/a/python" in failed.message or code == "gpu_busy"
    assert stderr in failed.message
    assert failed.hint


def test_a_step_is_done_by_a_real_torch_and_fails_where_a_gpu_is_wanted_and_none_there() -> None:
    pytest.importorskip("torch")
    told = smoke.step(sys.executable, "cpu")
    assert told["device"] == "cpu"
    assert told["seconds"] >= 0
    if not told["gpu"] and not Path("/dev/nvidiactl").exists():
        with pytest.raises(HostError) as failed:
            smoke.step(sys.executable, "cuda")
        assert failed.value.code == "cuda_mismatch"


def test_a_python_that_is_gone_is_said() -> None:
    with pytest.raises(HostError) as failed:
        smoke.step("/nowhere/python", "")
    assert failed.value.code == "smoke_failed"
    assert "/nowhere/python" in failed.value.message


def test_a_program_is_watched_and_its_download_measured(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    lines: list[str] = []
    folder = tmp_path / "tmp" / "pip-unpack-1"
    folder.mkdir(parents=True)
    runner = install_run.Runner(
        str(tmp_path), {"TMPDIR": str(tmp_path / "tmp")}, lambda *words: told.append(words), lines.append
    )
    script = (
        "import sys, time\n"
        "print('  Downloading torch-2.13.0-cp311-none-any.whl (1.0 kB)', flush=True)\n"
        "open('tmp/pip-unpack-1/torch-2.13.0-cp311-none-any.whl', 'wb').write(b'x' * 600)\n"
        "while not __import__('os').path.exists('seen'): time.sleep(0.01)\n"
    )

    def seen(*words: object) -> None:
        told.append(words)  # type: ignore[arg-type]
        if words[1:] == (600, 1000):
            (tmp_path / "seen").touch()

    runner.told = seen
    runner.run([sys.executable, "-c", script])
    assert ("Installing torch 2.13.0", 600, 1000) in told
    assert len(lines) == 1
    with pytest.raises(HostError) as failed:
        runner.run([sys.executable, "-c", "print('it broke'); raise SystemExit(3)"])
    assert "it broke" in failed.value.message


def test_one_that_stands_still_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_run, "SILENCE_S", 0.1)
    monkeypatch.setattr(install_run, "LOOK_S", 0.05)
    runner = install_run.Runner(str(tmp_path), {"TMPDIR": str(tmp_path)}, lambda *_words: None)
    with pytest.raises(HostError) as failed:
        runner.run([sys.executable, "-c", "import time; time.sleep(60)"])
    assert failed.value.code == "timed_out"


class Ran:
    """A runner that notes what it is asked to run."""

    def __init__(self, folder: Path) -> None:
        self.env = {"TMPDIR": str(folder)}
        self.words: list[list[str]] = []

    def told(self, *_words: object) -> None:
        """Nothing is shown."""

    def run(self, words: list[str], _env: object = None) -> None:
        self.words.append([str(word) for word in words])


@pytest.mark.parametrize(
    ("has", "pip", "made"),
    [
        ({"venv", "venv, ensurepip"}, (9, 0), ["-m", "venv"]),
        # Debian without python3-venv, with python3-pip.
        ({"venv"}, (22, 3), ["-m", "venv", "--without-pip"]),
        ({"venv", "virtualenv"}, (20, 3), ["-m", "virtualenv"]),
    ],
)
def test_an_environment_is_made_with_what_the_host_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has: set[str], pip: tuple[int, int], made: list[str]
) -> None:
    ran = Ran(tmp_path)
    maker = bare(tmp_path, monkeypatch, ran, has, pip)
    maker.fill(installer.Wish(["torch>=2.6"], str(tmp_path), "", []))
    assert ran.words[0] == ["/base/python", *made, str(tmp_path / "env")]
    assert ran.words[1][-3:] == ["--find-links", str(tmp_path), "torch>=2.6"]
    inside = [str(tmp_path / "env" / "bin" / "python"), "-m", "pip", "install"]
    outside = ["/base/python", "-m", "pip", "--python", str(tmp_path / "env" / "bin" / "python"), "install"]
    assert ran.words[1][: len(inside)] == inside or ran.words[1][: len(outside)] == outside
    assert maker.name == "pip"


def test_a_host_that_can_make_no_environment_says_which_package_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maker = bare(tmp_path, monkeypatch, Ran(tmp_path), {"venv"}, (20, 3))
    with pytest.raises(HostError) as failed:
        maker.fill(installer.Wish(["torch"], "", "", []))
    assert failed.value.code == "no_venv"
    assert "python3.11-venv" in failed.value.hint


def test_one_more_index_and_what_must_not_change_go_to_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = Ran(tmp_path)
    maker = bare(tmp_path, monkeypatch, ran, {"venv", "venv, ensurepip"}, (23, 0))
    maker.fill(installer.Wish(["onnx"], "", "https://mirror/simple", ["numpy==2.1.0"]), lambda: None)
    assert ran.words[1][3:6] == ["index", "versions", "onnx"], "the index is asked before it is waited for"
    assert "https://mirror/simple" in ran.words[1]
    last = ran.words[-1]
    assert last[last.index("--extra-index-url") + 1] == "https://mirror/simple"
    assert Path(last[last.index("--constraint") + 1]).read_text() == "numpy==2.1.0\n"


def bare(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ran: Ran, has: set[str], pip: tuple[int, int]
) -> installer.Installer:
    monkeypatch.setattr(installer, "find_uv", lambda: None)
    maker = installer.Installer(str(tmp_path / "env"), "/base/python", "3.11", cast("Any", ran))
    monkeypatch.setattr(maker, "_imports", lambda names: names in has)
    monkeypatch.setattr(maker, "_pip_version", lambda: pip)
    return maker
