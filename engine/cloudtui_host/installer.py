"""What makes a virtual environment and fills it: uv where it is, else venv or virtualenv, and pip."""

from __future__ import annotations

import os
import shutil
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from cloudtui_host import install_lines, install_run, tool
from cloudtui_host.errors import HostError

INDEX_S = 8
"""How long an index may take to answer when it is first asked: a blocked port must not cost minutes."""


class Wish(NamedTuple):
    """What is to be installed, and where from."""

    requirements: List[str]
    find_links: str
    """A folder of wheels to be used instead of an index; empty for the host's own index."""
    more_index: str
    """One more index; empty for none."""
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
        folder: the environment's folder; what it holds already is kept.
        base: the interpreter that it is of; empty has uv bring one of `version`.
        version: `major.minor`.
        runner: runs the programs, in the variables of `environment`.
    """

    def __init__(self, folder: str, base: str, version: str, runner: install_run.Runner) -> None:
        self.folder = folder
        self.python = os.path.join(folder, "bin", "python")
        self.name = ""
        """Which program filled it."""
        self._base, self._version, self.runner = base, version, runner
        self._uv = find_uv()
        self._pip: List[str] = []

    def fill(self, wish: Wish, prepared: Optional[Callable[[], None]] = None) -> None:
        """Make the environment and install all of it: with uv, and where that cannot, with pip.

        Args:
            wish: what is to be there.
            prepared: called when the environment is there and empty; then pip is used where it can be, since
                uv takes no account of packages outside the environment.

        Raises:
            HostError: no_venv, timed_out, and the codes of `install_lines.failure`.
        """
        failed: Optional[HostError] = None
        if self._uv and (prepared is None or not self._base):
            try:
                python = self._base or self._version
                self.runner.run([self._uv, "venv", "--allow-existing", "--python", python, self.folder])
                self._with_uv(wish, (["--torch-backend=auto"], []))
            except HostError as error:
                if error.code in ("disk_full", "timed_out") or not self._base:
                    raise
                # It reads no pip.conf: an index that only pip was told of is none to it.
                failed = error
            else:
                return
        try:
            self._make_for_pip()
            if prepared is not None:
                prepared()
            self._with_pip(wish, may_fetch_uv=prepared is None and failed is None)
        except HostError as error:
            raise failed if failed is not None and error.code == "no_venv" else error from None

    def _make_for_pip(self) -> None:
        self.runner.told("Making an environment", 0, 0)
        if self._imports("venv, ensurepip"):
            self.runner.run([self._base, "-m", "venv", self.folder])
            self._pip = [self.python, "-m", "pip"]
        elif self._imports("venv") and (self._pip_version() or (0, 0)) >= (22, 3):
            # Debian has ensurepip in a package of its own; the pip of the base can fill another environment.
            self.runner.run([self._base, "-m", "venv", "--without-pip", self.folder])
            self._pip = [self._base, "-m", "pip", "--python", self.python]
        elif self._imports("virtualenv"):
            self.runner.run([self._base, "-m", "virtualenv", self.folder])
            self._pip = [self.python, "-m", "pip"]
        else:
            raise HostError(
                "no_venv",
                "The host's %s can make no environment: it lacks venv and ensurepip." % self._base,
                "Install them on the host: apt-get install python%s-venv - or install uv there."
                % self._version,
            )

    def _imports(self, names: str) -> bool:
        return tool.output(self._base, "-W", "ignore", "-c", "import " + names, timeout_s=30.0) is not None

    def _pip_version(self) -> Optional[Tuple[int, int]]:
        said = tool.output(self._base, "-m", "pip", "--version", timeout_s=30.0) or ""
        parts = [*said.split(), "", ""][1].split(".")
        numbers = [int(part) for part in parts[:2] if part.isdigit()]
        return (numbers[0], numbers[1]) if len(numbers) == 2 else None

    def _with_pip(self, wish: Wish, may_fetch_uv: bool) -> None:
        if not wish.find_links:
            self._ask_index(wish)
            if may_fetch_uv and not wish.more_index and self._fetched_uv():
                try:
                    self._with_uv(wish, (["--torch-backend=auto"],))
                except HostError as error:
                    if error.code in ("disk_full", "timed_out"):
                        raise
                else:
                    return
        words = [*self._pip, "install", "--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
        words += ["--progress-bar=off", "--no-warn-script-location", "--timeout=30", "--retries=3"]
        self.runner.run(words + self._source(wish) + wish.requirements)
        self.name = "pip"

    def _source(self, wish: Wish) -> List[str]:
        words: List[str] = []
        if wish.find_links:
            words = ["--no-index", "--find-links", wish.find_links]
        elif wish.more_index:
            words = ["--extra-index-url", wish.more_index]
        if wish.constraints:
            path = os.path.join(self.runner.env["TMPDIR"], "constraints.txt")
            with open(path, "w", encoding="utf-8") as handle:
                handle.write("".join(line + "\n" for line in wish.constraints))
            words += ["--constraint", path]
        return words

    def _ask_index(self, wish: Wish) -> None:
        """See that the index answers: pip itself would try for minutes."""
        name = install_lines.name_of(wish.requirements[0])
        words = [*self._pip, "index", "versions", name, "--disable-pip-version-check", "--no-input"]
        words += ["--timeout=%d" % INDEX_S, "--retries=1"]
        try:
            self.runner.run(words + (["--extra-index-url", wish.more_index] if wish.more_index else []))
        except HostError as error:
            # An old pip does not know the question, and an index without this package is one.
            if error.code == "no_index":
                raise

    def _fetched_uv(self) -> bool:
        """Have a uv for this once, where pip was told of no index of its own.

        pip would take the torch for CUDA on every machine: gigabytes of no use to a host without a GPU.
        """
        told = tool.output(*self._pip, "config", "list", timeout_s=30.0)
        if told is None or any(word in told for word in ("index-url", "find-links", "no-index")):
            return False
        target = os.path.join(self.runner.env["TMPDIR"], "uv")
        try:
            self.runner.run(
                [*self._pip, "install", "--no-deps", "--only-binary=:all:", "--target", target, "uv"]
            )
        except HostError:
            return False
        self._uv = os.path.join(target, "bin", "uv")
        return os.access(self._uv, os.X_OK)

    def _with_uv(self, wish: Wish, ways: Sequence[Sequence[str]]) -> None:
        """Install with uv.

        Args:
            wish: what.
            ways: more words for it, each tried when the one before was of no use: `--torch-backend` picks the
                torch for this driver, or the small one where there is no GPU; an old uv does not know it, and
                the index of that torch may be out of reach while another is not.
        """
        words = [self._uv or "uv", "pip", "install", "--python", self.python, "--only-binary", ":all:"]
        words += self._source(wish)
        if wish.more_index:
            words += ["--index-strategy", "unsafe-best-match"]
        if wish.find_links or wish.more_index:
            ways = ([],)
        for number, more in enumerate(ways):
            asked = [*words, *more, *wish.requirements]
            try:
                # Whether an index answers is asked at once and once; a download may be tried again.
                self.runner.run([*asked, "--dry-run"], {"UV_HTTP_RETRIES": "0"})
            except HostError:
                if number + 1 == len(ways):
                    raise
                continue
            self.runner.run(asked)
            self.name = "uv"
            return
