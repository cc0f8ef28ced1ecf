"""What could keep the program from working on this machine, looked at without changing anything."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cloudtui import format as words
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import CatalogError, CloudtuiError
from cloudtui_engine.records.cloud import CloudCheck
from cloudtui_engine.records.run import RunState
from cloudtui_engine.sanitize import clean_line

Verdict = Literal["ok", "warn", "fail"]
LOW_DISK = 2_000_000_000
NO_DISK = 100_000_000
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Verdict
    detail: str
    hint: str = ""


def doctor(session: Session) -> list[Check]:
    """All checks, in the order in which they would hurt."""
    return [
        _python(), _ssh(), _agent(), *_keys(), _disk(session), *_catalog(session), *_training(), *_clouds(),
        *_stores(),
    ]  # fmt: skip


def _python() -> Check:
    return Check("python", "ok", f"{platform.python_version()} at {sys.executable}")


def _ssh() -> Check:
    ssh = shutil.which("ssh")
    if ssh is None:
        return Check(
            "ssh", "warn", "There is no ssh client.", "Install OpenSSH: your SSH config is read through it."
        )
    answer = _run([ssh, "-V"])
    return Check("ssh", "ok", clean_line(answer.stderr or answer.stdout) if answer else ssh)


def _agent() -> Check:
    if not os.environ.get("SSH_AUTH_SOCK"):
        return Check("ssh agent", "warn", "No agent runs.", "Start one: eval $(ssh-agent), then ssh-add")
    answer = _run(["ssh-add", "-l"])
    if answer is None or answer.returncode == 2:
        return Check("ssh agent", "warn", "The agent does not answer.", "Start another: eval $(ssh-agent)")
    if answer.returncode == 1:
        return Check("ssh agent", "ok", "It runs and holds no key.", "ssh-add, where a key has a passphrase")
    return Check("ssh agent", "ok", f"It holds {len(answer.stdout.splitlines())} keys.")


def _keys() -> Iterator[Check]:
    folder = Path.home() / ".ssh"
    keys = [key for key in sorted(folder.glob("id_*")) if key.suffix != ".pub" and key.is_file()]
    loose = [key.name for key in keys if key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    if loose:
        yield Check(
            "ssh keys", "warn", f"Others may read {', '.join(loose)}.", f"chmod 600 {folder / loose[0]}"
        )
    elif keys:
        yield Check("ssh keys", "ok", ", ".join(key.name for key in keys))
    else:
        yield Check("ssh keys", "warn", f"There is no key in {folder}.", "Make one: ssh-keygen -t ed25519")


def _disk(session: Session) -> Check:
    place = session.paths.home
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    status: Verdict = "ok" if free > LOW_DISK else "warn" if free > NO_DISK else "fail"
    return Check(
        "disk",
        status,
        f"{words.size(free)} free for {session.paths.home}",
        "" if status == "ok" else "Make room.",
    )


def _catalog(session: Session) -> Iterator[Check]:
    if not session.paths.catalog.exists():
        yield Check(
            "catalog", "ok", f"There is none yet; the first command makes it: {session.paths.catalog}"
        )
        return
    try:
        from cloudtui_engine.catalog.integrity import check

        found = check(session.paths)
        if found:
            yield Check(
                "catalog",
                "fail",
                clean_line("; ".join(found)),
                "Restore a backup: cloudtui restore FILE --yes",
            )
            return
        size = session.paths.catalog.stat().st_size
        yield Check("catalog", "ok", f"{session.paths.catalog}, {words.size(size)}, whole")
        yield _engine(session)
        yield from _waiting(session)
        yield from _settings(session)
    except CatalogError as error:
        yield Check("catalog", "fail", error.message, error.hint)


def _engine(session: Session) -> Check:
    from cloudtui_engine import operations

    try:
        status = operations.engine_status(session.paths, session.catalog)
    except CloudtuiError as error:
        return Check("engine", "fail", error.message, error.hint)
    work = f"{status.live_runs} live runs, {status.pending} waiting, {status.needs_you} need you"
    if status.crashes:
        detail = f"It died {status.crashes} times in ten minutes. {status.last_error}"
        return Check("engine", "warn", clean_line(detail), f"Read {session.paths.engine_log}")
    if not status.running and (status.live_runs or status.pending):
        return Check(
            "engine", "warn", f"None runs, though there is work: {work}.", "Start it: cloudtui run sync"
        )
    return Check(
        "engine", "ok", f"Process {status.pid}: {work}." if status.running else f"None runs: {work}."
    )


def _waiting(session: Session) -> Iterator[Check]:
    """Runs that nobody here can hurry: their machine has to answer first."""
    for attempt in session.catalog.runs.open_attempts():
        run = session.catalog.runs.get(attempt.run_id)
        name, on = clean_line(run.name, 60), ", ".join(run.instances)
        gone = f"Wait for it; where {on} is gone for good: cloudtui run abandon {run.id} --yes"
        if run.stale_since is not None:
            yield Check("run", "warn", f"{on} does not confirm {name}, which is {run.status}.", gone)
        elif attempt.state is RunState.STOPPING:
            yield Check(
                "run", "ok", f"{name} is stopping on {on}.", "Wait: it writes a checkpoint where it can."
            )


def _settings(session: Session) -> Iterator[Check]:
    """Keys that would do two things, and notices that could not be told."""
    from cloudtui.actions.settled import key_problems

    for action_id, problem in key_problems(session.catalog.settings.all()).items():
        yield Check("keys", "warn", f"{action_id}: {problem}.", f"cloudtui settings reset keys.{action_id}")


def _training() -> Iterator[Check]:
    for module, what in (
        ("torch", "training on this machine"),
        ("onnx", "models in ONNX"),
        ("onnxruntime", "running ONNX models"),
        ("sklearn", "the built-in digits"),
    ):
        if importlib.util.find_spec(module) is None:
            yield Check(
                module,
                "warn",
                f"Not installed: no {what}.",
                "pip install 'cloudtui[local]', or train on other machines",
            )
        else:
            yield Check(module, "ok", _version(module))


def _clouds() -> Iterator[Check]:
    """Which clouds could be rented from now: credentials and permissions, as each cloud itself sees them."""
    from cloudtui_engine.fleet import market

    clouds = market.clouds()
    answers = market.check_all([one.name for one in clouds if not one.problem])
    for cloud in clouds:
        found = answers.get(cloud.name)
        if found is None:
            yield Check(cloud.name, "warn", cloud.problem, cloud.hint)
        else:
            yield from _of_a_cloud(cloud.name, found)


def _stores() -> Iterator[Check]:
    """Whether data can be read from S3 and its like."""
    from cloudtui_engine.objects import checking

    for scheme, found in checking.check_all().items():
        yield from _of_a_cloud(f"{scheme}://", found)


def _of_a_cloud(name: str, found: Sequence[CloudCheck] | CloudtuiError) -> Iterator[Check]:
    """What is missing, or that nothing is."""
    if isinstance(found, CloudtuiError):
        yield Check(name, "warn", found.message, found.hint)
        return
    missing = [one for one in found if not one.ok]
    yield from (Check(name, "warn", f"{one.name}: {one.text}", one.hint) for one in missing)
    if not missing:
        yield Check(name, "ok", " ".join(one.text for one in found[:2]))


def _version(module: str) -> str:
    try:
        return importlib.metadata.version({"sklearn": "scikit-learn"}.get(module, module))
    except importlib.metadata.PackageNotFoundError:
        return "installed"


def _run(command: list[str]) -> subprocess.CompletedProcess[str] | None:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_S,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
