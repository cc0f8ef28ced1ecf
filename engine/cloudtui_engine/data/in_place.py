"""The job that makes a dataset version where its source lies: on a host, of data that never leaves it.

`python -m cloudtui_engine.data.in_place config.json`, config: `{"dataset": name, "source": path there,
"data": the folder of all versions there, "wishes": {...}}`. It runs from what was shipped (this folder,
`cloudtui_features`, a few modules that know no library, and the journal), on Python 3.10 or newer.

The version is written into the attempt's own folder and renamed to its place when it is whole; only then is
`artifacts/manifest.json` there, whose hash is the version's name. The source is read and nothing else.
"""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloudtui_engine.data.build import Wishes, build_dataset
from cloudtui_engine.data.manifest import FILE_NAME, Manifest, verify
from cloudtui_engine.data.opened import Progress
from cloudtui_engine.data.sources import nearby
from cloudtui_engine.errors import BadInputError, CloudtuiError, FailedError, NotFoundError
from cloudtui_engine.sanitize import clean_line
from cloudtui_host.journal import JournalWriter

if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

STOPPED = 75
_MADE = "made"
_TELL_S = 0.5
_THERE = frozenset({errno.ENOTEMPTY, errno.EEXIST})


def prepare(
    config: Mapping[str, Any], attempt: Path, artifacts: Path, told: Progress, whole: Callable[[], None]
) -> Manifest:
    """Make the version; it lies at its place there, and its manifest among the artifacts.

    Args:
        config: of the job.
        attempt: its folder; the version comes to be below it.
        artifacts: where its manifest goes.
        told: how far it is.
        whole: called when all that is left is to put it in place.

    Raises:
        CloudtuiError: it cannot be made; nothing half of it is left.
    """
    into = Path(str(config["data"]))
    made = attempt / _MADE
    for left in attempt.parent.glob(f"a*/{_MADE}"):
        # Of an attempt before this one, which is over, or this one would not run.
        shutil.rmtree(left, ignore_errors=True)
    told("Looking at the source", 0, 0)
    source = found(str(config["source"]))
    try:
        try:
            manifest = build_dataset(
                str(source), made, name=str(config["dataset"]), wishes=wishes_of(config), on_progress=told
            )
        except CloudtuiError as error:
            raise _of_a_host(error) from None
        told("Putting it in place", 0, 0)
        whole()
        _place(made / manifest.sha256, into / manifest.sha256)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    _copy(into / manifest.sha256 / FILE_NAME, artifacts / FILE_NAME)
    return manifest


def found(text: str) -> Path:
    """The source's path.

    Raises:
        NotFoundError: there is no such thing; the hint has names like it.
        BadInputError: it is of no use as a path, or may not be looked at.
    """
    try:
        path = Path(text).expanduser()
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        hint = nearby(path) or "See what is there with ls, over ssh."
        raise NotFoundError(f"There is no {clean_line(str(path))} on the host.", hint) from None
    except (OSError, ValueError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BadInputError(
            f"Cannot read {clean_line(text)} on the host: {why}.", "See that your user there may read it."
        ) from None
    if not os.access(path, os.R_OK | (os.X_OK if path.is_dir() else 0)):
        raise BadInputError(
            f"Cannot read {clean_line(text)} on the host: permission denied.",
            "See that your user there may read it.",
        )
    return path


def wishes_of(config: Mapping[str, Any]) -> Wishes:
    """What the person said of the data; unknown words of a newer cloudtui are passed over."""
    known = {field.name for field in dataclasses.fields(Wishes)}
    said = {key: value for key, value in dict(config.get("wishes") or {}).items() if key in known}
    return Wishes(**{**said, "leave_out": tuple(said.get("leave_out") or ())})


class Teller:
    """Progress into the journal, when it has changed and not too often."""

    def __init__(self, writer: JournalWriter) -> None:
        self._writer = writer
        self._said = ""
        self._next = 0.0

    def __call__(self, text: str, done: int, total: int) -> None:
        """How far it is; a total of 0 is not known."""
        now = time.monotonic()
        if text == self._said and now < self._next and done != total:
            return
        self._said, self._next = text, now + _TELL_S
        fields: dict[str, Any] = {"step": done, "steps": total} if total else {}
        self._writer.write("progress", flush=True, text=text, **fields)


def _of_a_host(error: CloudtuiError) -> CloudtuiError:
    """The builder's hints are for the machine that a person sits at."""
    if type(error) is FailedError:
        hint = "Free some space on the host, or use a root on another disk. Nothing was left behind."
        return FailedError(error.message, hint, code=error.code)
    return error


def _place(new: Path, target: Path) -> None:
    """Rename it to its place; what lies there already is the same once its hashes are."""
    try:
        target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not (target / FILE_NAME).is_file():
            new.rename(target)
            _durable(target.parent)
            return
    except OSError as error:
        if error.errno not in _THERE:
            raise FailedError(f"Cannot write to {target.parent} on the host: {error.strerror}.") from None
    verify(target)


def _copy(source: Path, target: Path) -> None:
    try:
        with target.open("wb") as file:
            file.write(source.read_bytes())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise FailedError(f"Cannot write to {target.parent} on the host: {error.strerror}.") from None


def _durable(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(STOPPED)


def _hold_out() -> None:
    """From here on a stop comes too late: what is left takes no time, and halves would be left by it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def main(config_path: str) -> int:
    """The job; its exit status."""
    signal.signal(signal.SIGTERM, _stop)
    config = json.loads(Path(config_path).read_bytes())
    attempt, artifacts = (Path(os.environ[f"CLOUDTUI_{name}"]) for name in ("ATTEMPT", "ARTIFACTS"))
    with JournalWriter(os.environ["CLOUDTUI_JOURNAL"]) as writer:
        try:
            manifest = prepare(config, attempt, artifacts, Teller(writer), _hold_out)
        except SystemExit:
            writer.write("done", flush=True, reason="stopped", message="")
            raise
        except (CloudtuiError, OSError, MemoryError) as error:
            _tell_why(writer, error)
            return 1
        rows = ", ".join(f"{split} {count:,}" for split, count in manifest.splits.items())
        writer.write("done", flush=True, reason="completed", message=f"Rows: {rows}.")
    return 0


def _tell_why(writer: JournalWriter, error: CloudtuiError | OSError | MemoryError) -> None:
    if isinstance(error, CloudtuiError):
        failed = error
    elif isinstance(error, MemoryError):
        failed = FailedError("The host has too little memory for this data.", "Use a larger machine.")
    else:
        failed = FailedError(f"The host failed: {clean_line(str(error))}.")
    writer.write(
        "event",
        flush=True,
        name="failed",
        data={**failed.as_dict(), "text": failed.message, "level": "error"},
    )
    writer.write("done", flush=True, reason="failed", message=failed.message)
    sys.stdout.write(f"{failed.message}\n{failed.hint}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
