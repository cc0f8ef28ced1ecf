"""What the faces do with operations: commit one, see that an engine runs, wait, answer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudtui_engine import lock, secret_channel
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import FailedError
from cloudtui_engine.ids import new_id
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.forward import LASTING
from cloudtui_engine.records.instance import LinkState
from cloudtui_engine.records.operation import Operation, OperationState

POLL_S = 0.05
CRASH_WINDOW_S = 600.0
_LOG_TAIL = 4000
_WISHES = {
    "instance.launch": ("running", "terminated"),
    "instance.terminate": ("terminated", "running"),
    "instance.stop": ("stopped", "running"),
    "instance.start": ("running", "stopped"),
}
"""What an operation wants of a machine, and what is wanted of it once that is withdrawn."""


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """Is one running, and what it holds."""

    running: bool
    pid: int | None
    started_at: float | None
    live_runs: int
    pending: int
    needs_you: int
    links: int
    crashes: int
    """Engines that died without a word in the last ten minutes."""
    forwards: int
    """Ports of hosts that are held open here, Jupyters among them."""
    last_error: str
    """The last line that an engine left in its log, where one crashed."""


def submit(
    catalog: Catalog, kind: str, target: str, args: Mapping[str, Any], key: str | None = None
) -> Operation:
    """Commit an operation; without a `key` it is a new one each time."""
    return catalog.operations.submit(kind, target, dict(args), key or f"{kind}:{new_id()}")


def wait(
    catalog: Catalog,
    operation_id: str,
    *,
    timeout: float | None = None,
    on_change: Callable[[Operation], None] | None = None,
    reached: Callable[[Operation], bool] = lambda _operation: False,
) -> Operation:
    """The operation when it is finished, needs an answer or is `reached`; or as it is after `timeout`."""
    deadline = None if timeout is None else time.monotonic() + timeout
    seen: Operation | None = None
    version = -1
    while True:
        now = catalog.data_version()
        if now != version or seen is None:
            version = now
            operation = catalog.operations.get(operation_id)
            if operation != seen and on_change:
                on_change(operation)
            seen = operation
        if seen.state.is_finished or seen.state is OperationState.NEEDS_YOU or reached(seen):
            return seen
        if deadline is not None and time.monotonic() > deadline:
            return seen
        time.sleep(POLL_S)


def answer(catalog: Catalog, operation_id: str, reply: Mapping[str, Any]) -> None:
    """Answer the question of an operation that needs you; the engine goes on with it."""
    catalog.operations.answer(operation_id, dict(reply))


def cancel(catalog: Catalog, operation_id: str) -> bool:
    """Withdraw an operation that has not been done, and the wish behind it; False when it is too late."""
    with catalog.write("operation"):
        done = catalog.operations.cancel(operation_id)
        operation = catalog.operations.get(operation_id)
        if done and operation.kind in _WISHES:
            # Else what is wanted would be carried out by the next operation for the machine. A later wish
            # stays: who cancels a start has not taken back the end that he asked for after it.
            wanted, instead = _WISHES[operation.kind]
            if catalog.instances.get(operation.target).wanted == wanted:
                catalog.instances.update(operation.target, wanted=instead)
    return done


def send_secrets(paths: Paths, subject: str, values: Mapping[str, str]) -> None:
    """Hand secrets to the engine's memory for a run or an operation; see `secret_channel`."""
    ensure_engine(paths)
    secret_channel.send(paths, subject, values)


def ensure_engine(paths: Paths, timeout: float = 15.0) -> None:
    """See that one engine runs for this home; start one, detached, where none does.

    An engine that has decided to end still holds the lock for a moment: it has written its end in the catalog
    by then, so that what is committed after is not left to it.

    Raises:
        FailedError: none came up in time; the message holds what it printed last.
    """
    deadline = time.monotonic() + timeout
    child: subprocess.Popen[bytes] | None = None
    catalog = Catalog.open(paths)
    while time.monotonic() < deadline:
        if lock.is_held(paths):
            newest = catalog.engine_sessions.recent(1)
            if newest and newest[0].ended_at is None:
                return
        elif child is None or child.poll() is not None:
            child = _spawn(paths)
        time.sleep(POLL_S)
    raise FailedError(
        f"The engine did not start. {log_tail(paths, 1)}".strip(), "Run 'cloudtui watch' to see what it says."
    )


def _spawn(paths: Paths) -> subprocess.Popen[bytes]:
    paths.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with paths.engine_log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "cloudtui_engine", "--home", str(paths.home)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )


def log_tail(paths: Paths, lines: int = 20) -> str:
    """The last lines of the engine's log."""
    try:
        with paths.engine_log.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(0, log.tell() - _LOG_TAIL))
            text = log.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.strip().splitlines()[-lines:])


def engine_status(paths: Paths, catalog: Catalog) -> EngineStatus:
    """Whether an engine runs, what waits for it, and whether engines have been dying."""
    running = lock.is_held(paths)
    newest = catalog.engine_sessions.recent(1)
    crashes = catalog.engine_sessions.crashes(time.time() - CRASH_WINDOW_S, living=running)
    waiting = catalog.operations.list(
        1000, states=(OperationState.PENDING, OperationState.RUNNING, OperationState.NEEDS_YOU)
    )
    lasting = [one for one in waiting if one.kind in LASTING and one.state is OperationState.RUNNING]
    links = catalog.instances.count(LinkState.UP) if running else 0
    return EngineStatus(
        running=running,
        pid=lock.holder(paths),
        started_at=newest[0].started_at if running and newest else None,
        live_runs=len(catalog.runs.open_attempts()),
        pending=sum(1 for one in waiting if one.state is not OperationState.NEEDS_YOU and one not in lasting),
        needs_you=sum(1 for one in waiting if one.state is OperationState.NEEDS_YOU),
        links=links,
        crashes=crashes,
        forwards=len(lasting),
        last_error=log_tail(paths, 1) if crashes else "",
    )


def is_running(paths: Paths) -> bool:
    """Whether an engine lives for this home; asks its lock and nothing else."""
    return lock.is_held(paths)


def engine_pid(paths: Paths) -> int | None:
    """The process of the engine that lives for this home; asks its lock and nothing else."""
    return lock.holder(paths)


def stop_engine(paths: Paths, catalog: Catalog, timeout: float = 10.0) -> bool:
    """Ask the engine to end and wait until it has; runs on hosts go on. False when none was running."""
    status = engine_status(paths, catalog)
    if not status.running or status.pid is None:
        return False
    try:
        os.kill(status.pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    deadline = time.monotonic() + timeout
    while lock.is_held(paths):
        if time.monotonic() > deadline:
            raise FailedError(
                f"The engine (process {status.pid}) did not end.", f"End it: kill -9 {status.pid}"
            )
        time.sleep(POLL_S)
    return True
