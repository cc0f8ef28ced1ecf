"""What makes a virtual environment and fills it: uv where it is, else venv or virtualenv, and pip."""

from __future__ import annotations

import collections
import contextlib
import os
import select
import shutil
import subprocess
import time
from typing import Callable, Deque, Dict, List, NamedTuple, Optional, Sequence

from cloudtui_host import install_lines, tool
from cloudtui_host.errors import HostError

TOTAL_S = 7200.0
SILENCE_S = 1200.0
"""One that prints nothing and whose files do not grow for so long is ended: unpacking takes minutes."""
LOOK_S = 0.5
INDEX_S = 8
"""How long an index may take to answer when it is first asked: a blocked port must not cost minutes."""
_KEPT = 60

Told = Callable[[str, int, int], None]
"""(text, bytes there, bytes in all or 0)"""


class Wish(NamedTuple):
    """What is to be installed, and where from."""

    requirements: List[str]
    find_links: str
    """A folder of wheels to be used instead of an index; empty for the host's own index."""
    more_index: str
    """One more index; empty for none."""
    accelerator: str
    """`cuda` or `cpu`."""
    constraints: List[str]


def find_uv() -> Optional[str]:
    """The uv of this host."""
    places = [os.path.expanduser(path) for path in ("~/.local/bin/uv", "~/.cargo/bin/uv")]
    found = shutil.which("uv")
    return found or next((path for path in places if os.access(path, os.X_OK)), None)


def environment(folder: str, cache: str) -> Dict[str, str]:
    """What installers get: nothing of ours on their path, scratch files on the disk that was looked at."""
    env = {
        key: text
        for key, text in os.environ.items()
        if key not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    }
    temporary = os.path.join(folder, "tmp")
    os.makedirs(temporary, exist_ok=True)
    env.update(
        TMPDIR=temporary, PIP_CACHE_DIR=os.path.join(cache, "pip"), UV_CACHE_DIR=os.path.join(cache, "uv"),
        UV_PYTHON_INSTALL_DIR=os.path.join(os.path.dirname(folder), ".python"),
        PIP_USER="0", PIP_REQUIRE_VIRTUALENV="0", PYTHONUNBUFFERED="1", NO_COLOR="1",
    )  # fmt: skip
    env.setdefault("UV_HTTP_TIMEOUT", "30")
    return env


class Installer:
    """Makes one environment.

    Args:
        folder: the environment's folder; it must not exist as one yet, but may hold our `tmp`.
        base: the interpreter that it is of; empty has uv bring one of `version`.
        version: `major.minor`.
        env: environment variables, of `environment`.
        told: hears of progress.
    """

    def __init__(self, folder: str, base: str, version: str, env: Dict[str, str], told: Told) -> None:
        self.folder = folder
        self.python = os.path.join(folder, "bin", "python")
        self.name = ""
        """Which program made it."""
        self._base, self._version, self._env, self._told = base, version, env, told
        self._uv = find_uv()
        self._pip: List[str] = []

    def make(self, prefer_pip: bool) -> None:
        """Make the empty environment.

        Raises:
            HostError: code no_venv, nothing here can make one; install_failed.
        """
        self._told("Making an environment", 0, 0)
        if self._uv and (not prefer_pip or not self._base):
            self._run(
                [self._uv, "venv", "--allow-existing", "--python", self._base or self._version, self.folder]
            )
            self.name = "uv"
            return
        has_pip = self._pip_version() is not None
        if self._imports("venv, ensurepip"):
            self._run([self._base, "-m", "venv", self.folder])
            self._pip = [self.python, "-m", "pip"]
        elif self._imports("venv") and has_pip and (self._pip_version() or 0) >= 22.3:
            # Debian has ensurepip in a package of its own; the pip of the base can fill another environment.
            self._run([self._base, "-m", "venv", "--without-pip", self.folder])
            self._pip = [self._base, "-m", "pip", "--python", self.python]
        elif self._imports("virtualenv"):
            self._run([self._base, "-m", "virtualenv", self.folder])
            self._pip = [self.python, "-m", "pip"]
        elif self._uv:
            self._run([self._uv, "venv", "--allow-existing", "--python", self._base, self.folder])
            self.name = "uv"
            return
        else:
            raise HostError(
                "no_venv",
                "The host's %s can make no environment: it lacks venv and ensurepip." % self._base,
                "Install them on the host: apt-get install python%s-venv - or install uv there."
                % self._version,
            )
        self.name = "pip"

    def _imports(self, names: str) -> bool:
        return tool.output(self._base, "-W", "ignore", "-c", "import " + names, timeout_s=30.0) is not None

    def _pip_version(self) -> Optional[float]:
        said = tool.output(self._base, "-m", "pip", "--version", timeout_s=30.0) or ""
        parts = [*said.split(), "", ""][1].split(".")
        with contextlib.suppress(ValueError, IndexError):
            return float("%s.%s" % (parts[0], parts[1]))
        return None

    def install(self, wish: Wish) -> None:
        """Install all of it.

        Raises:
            HostError: codes of `install_lines.failure`, timed_out.
        """
        if self.name == "uv":
            self._with_uv(wish)
            return
        if not wish.find_links:
            self._ask_index(wish)
        words = [*self._pip, "install", "--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
        words += ["--progress-bar=off", "--no-warn-script-location", "--timeout=30", "--retries=3"]
        self._run(words + self._source(wish) + wish.requirements)

    def _source(self, wish: Wish) -> List[str]:
        words = []
        if wish.find_links:
            words = ["--no-index", "--find-links", wish.find_links]
        elif wish.more_index:
            words = ["--extra-index-url", wish.more_index]
        if wish.constraints:
            path = os.path.join(self._env["TMPDIR"], "constraints.txt")
            with open(path, "w", encoding="utf-8") as handle:
                handle.write("".join(line + "\n" for line in wish.constraints))
            words += ["--constraint", path]
        return words

    def _ask_index(self, wish: Wish) -> None:
        """See that the index answers: pip itself would try for minutes."""
        name = wish.requirements[0].split(">")[0].split("=")[0]
        words = [*self._pip, "index", "versions", name, "--disable-pip-version-check", "--no-input"]
        words += [
            "--timeout=%d" % INDEX_S,
            "--retries=1",
            *(["--extra-index-url", wish.more_index] if wish.more_index else []),
        ]
        try:
            self._run(words)
        except HostError as error:
            # An old pip does not know the question, and an index without this package is one.
            if error.code == "no_index":
                raise

    def _with_uv(self, wish: Wish) -> None:
        uv = self._uv or "uv"
        words = [uv, "pip", "install", "--python", self.python, "--only-binary", ":all:"]
        source = self._source(wish)
        if wish.more_index:
            source += ["--index-strategy", "unsafe-best-match"]
        if not (wish.find_links or wish.more_index):
            try:
                # It picks the torch for this driver, or the small one where there is no GPU.
                self._run([*words, "--torch-backend=auto", *wish.requirements])
            except HostError as error:
                if error.code == "disk_full":
                    raise
                # An old uv does not know the word; that torch's index may be out of reach, another one not.
            else:
                return
        self._run(words + source + wish.requirements)

    def _run(self, words: Sequence[str]) -> None:
        """Run an installer to its end, telling how far it is.

        Raises:
            HostError: it failed, or took too long.
        """
        progress = install_lines.Progress()
        lines: Deque[str] = collections.deque(maxlen=_KEPT)
        try:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                cwd=self.folder if os.path.isdir(self.folder) else "/", env=self._env,
            )  # fmt: skip
        except OSError as error:
            raise HostError("install_failed", "%s cannot be run: %s." % (words[0], error.strerror)) from None
        try:
            self._watch(process, progress, lines)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if process.returncode:
            raise install_lines.failure(list(lines))

    def _watch(
        self, process: subprocess.Popen[bytes], progress: install_lines.Progress, lines: Deque[str]
    ) -> None:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        descriptor = process.stdout.fileno()
        rest = b""
        began = heard = time.monotonic()
        while True:
            ready, _, _ = select.select([descriptor], [], [], LOOK_S)
            now = time.monotonic()
            if ready:
                chunk = os.read(descriptor, 65536)
                if not chunk:
                    return
                heard = now
                *whole, rest = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
                for line in whole:
                    lines.append(line.decode("utf-8", "replace"))
                    progress.feed(lines[-1])
                    print(lines[-1], flush=True)  # noqa: T201 - the job's console
            elif self._measure(progress):
                heard = now
            self._told(progress.text, progress.done, progress.size)
            if now - heard > SILENCE_S or now - began > TOTAL_S:
                raise HostError(
                    "timed_out",
                    "Installing packages stood still: %s." % progress.text,
                    "What was downloaded is kept; try again. Is the host's index slow?",
                )

    def _measure(self, progress: install_lines.Progress) -> bool:
        """See how much of pip's download is there; True when it has grown."""
        if not progress.file:
            return False
        for folder in _folders(self._env["TMPDIR"]):
            with contextlib.suppress(OSError):
                size = os.stat(os.path.join(folder, progress.file)).st_size
                grown = size > progress.done
                progress.done = max(progress.done, size)
                return grown
        return False


def _folders(path: str) -> List[str]:
    with contextlib.suppress(OSError):
        return [entry.path for entry in os.scandir(path) if entry.is_dir(follow_symlinks=False)]
    return []
