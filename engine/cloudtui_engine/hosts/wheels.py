"""Packages for a host that reaches no index: fetched here for its platform, kept by what was wished for."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudtui_engine.errors import CloudtuiError, FailedError, RefusedError
from cloudtui_engine.hosts.environment import Plan
from cloudtui_engine.hosts.upload import LocalFile
from cloudtui_engine.sanitize import clean
from cloudtui_host import install_run
from cloudtui_host.errors import HostError

LISTING = "wheels.json"
INDEX_S = 8
DEFAULT_GLIBC = 28
_OLDEST_GLIBC: Mapping[str, int] = {"x86_64": 5, "aarch64": 17}
# pip judges a package's conditions ("platform_machine == ...") by the machine it runs on, even when it is
# asked for another platform: it is told of that one.
_PIP = """
import json, sys
from pip._vendor.packaging import markers
target = json.loads(sys.argv[1])
real = getattr(markers, "default_environment", None)
if real is not None:
    markers.default_environment = lambda: {**real(), **target}
from pip._internal.cli.main import main
sys.exit(main(sys.argv[2:]))
"""

Report = Callable[[str, int | None, int | None], None]
_fetching = threading.Lock()


@dataclass(frozen=True, slots=True)
class Fetched:
    """Wheels that are here."""

    dest: str
    """Where they lie on a host: by their content."""
    files: tuple[LocalFile, ...]


def markers(facts: Mapping[str, Any], version: str) -> dict[str, str]:
    """What a package's conditions are judged by on the host.

    Args:
        facts: of a probe.
        version: the interpreter's, `3.11` or `3.11.4`.
    """
    full = version if version.count(".") > 1 else f"{version}.0"
    return {
        "implementation_name": "cpython",
        "implementation_version": full,
        "os_name": "posix",
        "platform_machine": str(facts.get("arch") or "x86_64"),
        "platform_python_implementation": "CPython",
        "platform_release": str(facts.get("kernel") or ""),
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": full,
        "python_version": ".".join(full.split(".")[:2]),
        "sys_platform": "linux",
    }


def platforms(facts: Mapping[str, Any]) -> list[str]:
    """The platform tags that the host's pip would take, the newest first."""
    arch = str(facts.get("arch") or "x86_64")
    found = re.search(r"glibc 2\.(\d+)", str(facts.get("libc") or ""))
    newest = min(int(found[1]), 99) if found else DEFAULT_GLIBC
    tags = [f"manylinux_2_{minor}_{arch}" for minor in range(newest, _OLDEST_GLIBC.get(arch, 17) - 1, -1)]
    legacy = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
    older = [f"{name}_{arch}" for minor, name in legacy.items() if f"manylinux_2_{minor}_{arch}" in tags]
    return [*tags, *older, f"linux_{arch}"]


def fetch(
    home: Path,
    plan: Plan,
    facts: Mapping[str, Any],
    *,
    index: str = "",
    report: Report,
    raise_if_unwanted: Callable[[], None],
) -> Fetched:
    """Have all wheels of a plan here; what was fetched before is not fetched again.

    Args:
        home: the folder of wheels.
        plan: of the environment that they are for.
        facts: of the host.
        index: one more index; empty for none.
        report: is told how far it is.
        raise_if_unwanted: called often; what it raises ends this.

    Raises:
        FailedError: no_index_here, none can be reached from this machine either; no_pip; or why pip failed.
        RefusedError: code disk_full.
    """
    wish = [
        plan.requirements,
        plan.constraints,
        plan.version,
        platforms(facts),
        markers(facts, plan.version),
        index,
    ]
    folder = home / hashlib.sha256(json.dumps(wish).encode()).hexdigest()[:24]
    while not _fetching.acquire(timeout=0.5):
        raise_if_unwanted()
    try:
        if not (folder / LISTING).is_file():
            _Fetch(folder, plan, facts, index=index, report=report, raise_if_unwanted=raise_if_unwanted).run()
        return _listed(folder)
    finally:
        _fetching.release()


def _listed(folder: Path) -> Fetched:
    listing = json.loads((folder / LISTING).read_text())
    files = tuple(
        LocalFile(folder / name, name, (folder / name).stat().st_size, sha) for name, sha in listing.items()
    )
    content = "".join(f"{file.path}\0{file.sha256}\n" for file in files)
    return Fetched(f"wheels/{hashlib.sha256(content.encode()).hexdigest()}", files)


class _Fetch:
    """One fetching, into a folder that is put in place when all is there."""

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        facts: Mapping[str, Any],
        *,
        index: str,
        report: Report,
        raise_if_unwanted: Callable[[], None],
    ) -> None:
        self._folder, self._plan, self._facts, self._index = folder, plan, facts, index
        self._report, self._raise_if_unwanted = report, raise_if_unwanted
        self._new = folder.with_name(f".new-{folder.name}")

    def run(self) -> None:
        """Fetch."""
        # What is left of an earlier try is no help to pip; its own cache is.
        shutil.rmtree(self._new, ignore_errors=True)
        (self._new / "tmp").mkdir(parents=True)
        self._check_space()
        try:
            self._download()
            shutil.rmtree(self._new / "tmp")
            self._list()
            self._new.replace(self._folder)
        except HostError as error:
            raise _here(error) from None
        finally:
            shutil.rmtree(self._new, ignore_errors=True)

    def _check_space(self) -> None:
        free, need = shutil.disk_usage(self._new).free, self._plan.disk_bytes // 2
        if free < need:
            raise RefusedError(
                f"Packages for the host need about {need / 1e9:.1f} GB here; {free / 1e9:.1f} GB are free.",
                "Free some space on this machine.",
                code="disk_full",
            )

    def _download(self) -> None:
        more = ["--extra-index-url", self._index] if self._index else []
        common = ["--disable-pip-version-check", "--no-input", *more]
        env = {key: text for key, text in os.environ.items() if not key.startswith("CLOUDTUI_")}
        env |= {"TMPDIR": str(self._new / "tmp"), "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "PIP_USER": "0"}
        runner = install_run.Runner(str(self._new), env, self._tell)
        pip = [*_pip(), json.dumps(markers(self._facts, self._plan.version))]
        name = re.split(r"[^A-Za-z0-9._-]", self._plan.requirements[0])[0]
        try:
            runner.run([*pip, "index", "versions", name, f"--timeout={INDEX_S}", "--retries=1", *common])
        except HostError as error:
            if error.code == "no_index":
                raise
        target = [word for platform in platforms(self._facts) for word in ("--platform", platform)]
        target += ["--python-version", self._plan.version, "--implementation", "cp", "--only-binary=:all:"]
        runner.run(
            [
                *pip, "download", "--dest", str(self._new), "--progress-bar=off", "--timeout=30", *target,
                *common, *self._plan.requirements, *self._plan.constraints,
            ]
        )  # fmt: skip

    def _tell(self, text: str, done: int, total: int) -> None:
        self._raise_if_unwanted()
        self._report(text.replace("Installing", "Fetching"), done, total or None)

    def _list(self) -> None:
        listing = {}
        for path in sorted(self._new.glob("*.whl")):
            self._raise_if_unwanted()
            with path.open("rb") as file:
                listing[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
        (self._new / LISTING).write_text(json.dumps(listing))


def _pip() -> Sequence[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-c", _PIP]
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "run", "--no-project", "--with", "pip", "python", "-c", _PIP]
    raise FailedError(
        "The host reaches no package index, and there is no pip here to fetch packages for it.",
        f"Install pip beside cloudtui: {sys.executable} -m ensurepip",
        code="no_pip",
    )


def _here(error: HostError) -> CloudtuiError:
    if error.code == "no_index":
        return FailedError(
            "No package index can be reached, neither from the host nor from this machine.",
            "Connect this machine, or name an index that it reaches: cloudtui instance prepare NAME --index "
            "URL. Or install torch and numpy on the host yourself.",
            code="no_index_here",
        )
    return FailedError(
        f"Fetching packages for the host: {clean(error.message)}", clean(error.hint), code=error.code
    )
