"""Log from any script: ``import cloudtui_log; cloudtui_log.log({"loss": loss}, step=i)``.

Where the script was not started by cloudtui, every call returns quietly and does nothing. No call ever raises
because of what it was given, or because a disk is full: training goes on.

One process of a run logs. Of those that a launcher numbered (torchrun) it is number 0. Of the others it is
the first to log; but what multiprocessing made of the script gives way once the script itself logs.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import sys
import threading
import time
from typing import Any, Callable, Dict, Mapping, Optional

__all__ = ["artifact_dir", "event", "is_on", "log", "progress", "report"]

_FLUSH_S = 1.0
_BACKLOG_BYTES = 8 * 1024 * 1024
"""On a full disk records wait in memory up to this much, then new ones are dropped."""
_MOST_CHARACTERS = 512 * 1024
"""A longer record is dropped: a journal's lines are limited."""
_DEEPEST = 16
_CLAIM = ".own"
"""Beside the journal; locked by the script's own process while it logs, or wants to."""
_GIVE_WAY_S = 3.0
"""How long the script's own process waits, once, for a worker of its to let go of the journal."""


def _attempt(call: Callable[..., Any], *args: Any) -> Any:
    """What `call` gives, None where it raises: foreign objects raise what they like, training goes on."""
    try:
        return call(*args)
    except Exception:  # noqa: BLE001 - see below
        # Broad, for it runs in somebody's training: a full disk or a value of any kind may cost a line of the
        # log and never the run. What ends the script (Ctrl-C, SystemExit) is none of these.
        return None


def _number(value: Any) -> Any:
    """A number that JSON can hold, None where `value` is none; numpy and torch scalars are numbers."""
    if isinstance(value, (str, bytes)):
        return None
    # Found only where cloudtui started the script.
    from cloudtui_host.journal import plain

    return _attempt(lambda: plain(value if isinstance(value, (int, float)) else float(value)))


def _data(value: Any, depth: int = 0) -> Any:
    """What JSON can hold of `value`."""
    if depth > _DEEPEST or value is None or isinstance(value, (bool, str)):
        return value if depth <= _DEEPEST else None
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, Mapping):
        return {str(key): _data(one, depth + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_data(one, depth + 1) for one in value]
    return _foreign(value, depth)


def _foreign(value: Any, depth: int) -> Any:
    """The same of an object that is none of Python's own: an array, a scalar, or its text."""
    listed = _attempt(lambda: value.tolist())
    if listed is not None:
        return _data(listed, depth + 1)
    number = _number(value)
    return str(value)[:1000] if number is None else number


def _is_first() -> bool:
    """Whether this process has number 0, or none. Some launchers set only the number on this machine."""
    return (os.environ.get("RANK") or os.environ.get("LOCAL_RANK") or "0") == "0"


def _is_worker() -> bool:
    """Whether multiprocessing made this process, as data loaders, pools and mp.spawn have it do."""
    made = sys.modules.get("multiprocessing.process")
    return made is not None and made.parent_process() is not None


def _lock(path: str, how: int) -> int:
    """A descriptor that holds a lock of the file; OSError where another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _is_claimed(journal: str) -> bool:
    """Whether the script's own process logs, or wants to."""
    try:
        os.close(_lock(journal + _CLAIM, fcntl.LOCK_SH))
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


class _Log:
    """The journal of this process, opened at the first record; shut in every process but one."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._writer: Any = None
        self._step = -1
        self._shut = False
        self._claim = -1
        os.register_at_fork(after_in_child=self._forked)
        atexit.register(self.close)

    def _forked(self) -> None:
        # A fork has our memory and none of our rights: the journal stays its parent's.
        self._shut = self._shut or self._writer is not None
        self._writer = None
        self._unclaim()
        self.lock = threading.RLock()

    def open(self) -> Any:
        """The journal's writer, or None: not run by cloudtui, not the first, or another process writes."""
        if self._writer is None and not self._shut:
            self._writer = self._begin()
            self._shut = self._writer is None
        return self._writer

    def _begin(self) -> Any:
        path = os.environ.get("CLOUDTUI_JOURNAL", "")
        if not path or not _is_first():
            return None
        worker = _is_worker()
        if worker and _is_claimed(path):
            return None
        try:
            writer = self._writer_of(path, 0.0 if worker or not self._has_claimed(path) else _GIVE_WAY_S)
        except (ImportError, OSError):
            self._unclaim()
            return None
        args = (writer, path if worker else "")
        threading.Thread(target=self._flush_often, args=args, name="cloudtui-log", daemon=True).start()
        return writer

    def _has_claimed(self, path: str) -> bool:
        with contextlib.suppress(OSError):  # Another process of the script has it, or the disk is full.
            self._claim = _lock(path + _CLAIM, fcntl.LOCK_EX)
        return self._claim >= 0

    def _unclaim(self) -> None:
        if self._claim >= 0:
            os.close(self._claim)
        self._claim = -1

    @staticmethod
    def _writer_of(path: str, wait_s: float) -> Any:
        from cloudtui_host.journal import JournalBusy, JournalWriter

        deadline = time.monotonic() + wait_s
        while True:
            try:
                return JournalWriter(path, flush_every=256, flush_seconds=_FLUSH_S)
            except JournalBusy:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.02)

    def _flush_often(self, writer: Any, gives_way: str) -> None:
        while True:
            time.sleep(_FLUSH_S / 2)
            with self.lock:
                if self._writer is not writer:
                    return
                _attempt(writer.flush)
                if gives_way and _is_claimed(gives_way):
                    self.close()

    def write(self, kind: str, flush: bool, make: Callable[[], Optional[Dict[str, Any]]]) -> None:
        """Append the record that `make` gives, or do nothing."""
        with self.lock:
            writer = self.open()
            if writer is None or writer.pending_bytes > _BACKLOG_BYTES:
                return
            fields = _attempt(make)
            # What cannot be logged is not logged; what could not be flushed is kept by the writer.
            if fields is not None and len(_attempt(json.dumps, fields) or "") <= _MOST_CHARACTERS:
                _attempt(lambda: writer.write(kind, flush=flush, **fields))

    def metric(self, values: Any, step: Any) -> Optional[Dict[str, Any]]:
        """The fields of a metric record; None where there is nothing to record."""
        numbers = {str(key): _number(value) for key, value in values.items()}
        numbers = {key: value for key, value in numbers.items() if value is not None}
        at = self._step + 1 if step is None else _number(step)
        if not isinstance(at, (int, float)) or at < 0:
            return None
        self._step = int(at)
        return {"step": self._step, "values": numbers} if numbers else None

    def close(self) -> None:
        """Flush and let go."""
        with self.lock:
            if self._writer is not None:
                _attempt(self._writer.close)
            self._writer, self._shut = None, True
            self._unclaim()


_log = _Log()


def is_on() -> bool:
    """Whether what this process logs is kept."""
    with _log.lock:
        return _log.open() is not None


def log(values: Mapping[str, Any], step: Optional[int] = None) -> None:
    """Record metrics of a step; without `step` it is one more than the last.

    Values that are no numbers are left out.
    """
    _log.write("metric", False, lambda: _log.metric(values, step))


def progress(  # noqa: PLR0917 - every one is optional, and read by name
    step: Optional[int] = None,
    steps: Optional[int] = None,
    epoch: Optional[int] = None,
    epochs: Optional[int] = None,
    eta_s: Optional[float] = None,
    rate: Optional[float] = None,
) -> None:
    """Tell how far the script is; give what is known."""
    given = {"step": step, "steps": steps, "epoch": epoch, "epochs": epochs, "eta_s": eta_s, "rate": rate}

    def numbers() -> Optional[Dict[str, Any]]:
        found = {key: _number(value) for key, value in given.items() if value is not None}
        return {key: value for key, value in found.items() if isinstance(value, (int, float))} or None

    _log.write("progress", False, numbers)


def event(name: str, **data: Any) -> None:
    """Record something that happened."""
    _log.write("event", True, lambda: {"name": str(name), "data": _data(data)})


def report(name: str, data: Any) -> None:
    """Record a result that is more than a number, such as a confusion matrix; an object is kept as it is."""

    def fields() -> Dict[str, Any]:
        kept = _data(data)
        return {"name": str(name), "data": kept if isinstance(kept, dict) else {"value": kept}}

    _log.write("report", True, fields)


def artifact_dir() -> str:
    """The folder whose files are kept with the run; where cloudtui did not start the script, ./artifacts."""
    path = os.environ.get("CLOUDTUI_ARTIFACTS") or os.path.join(os.getcwd(), "artifacts")
    with contextlib.suppress(OSError):  # Whoever writes into it hears of it.
        os.makedirs(path, exist_ok=True)
    return path
