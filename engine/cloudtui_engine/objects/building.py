"""A dataset made of what was fetched, by a process of its own: `python -m cloudtui_engine.objects.building`.

It reads one JSON document from its standard input and writes JSON lines: how far it is, and last what came of
it. So data that does not fit into the memory ends it, and not the engine.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudtui_engine.data import add_dataset
from cloudtui_engine.data.in_place import wishes_of
from cloudtui_engine.errors import CloudtuiError, FailedError, from_dict

LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made."""

    home: str
    name: str
    path: str
    """Of what was fetched."""
    source: str
    """As it was asked for."""
    taken: Mapping[str, Any]
    wishes: Mapping[str, Any]


def build(wanted: Wanted, report: Callable[[str, int, int], None], check: Callable[[], None]) -> str:
    """Make it; the id of the version.

    Args:
        wanted: what.
        report: told how far it is, in a thread of its own.
        check: called again and again; what it raises ends the process.

    Raises:
        CloudtuiError: it cannot be made.
    """
    last: dict[str, Any] = {}
    with _started() as process:
        reader = threading.Thread(target=_listen, args=(process.stdout or (), report, last), daemon=True)
        reader.start()
        try:
            _tell(process, wanted)
            while reader.is_alive():
                check()
                reader.join(LOOK_S)
        except BaseException:  # whatever ends the wait ends the work
            process.kill()
            raise
        status = process.wait()
    if not last:
        raise _died(status)
    return outcome(last)


def outcome(said: Mapping[str, Any]) -> str:
    """The id of the version.

    Raises:
        CloudtuiError: there is none.
    """
    if "error" in said:
        raise from_dict(said["error"])
    return str(said["dataset"])


def _command() -> list[str]:
    return [sys.executable, "-m", __name__]


def _started() -> subprocess.Popen[str]:
    return subprocess.Popen(_command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _tell(process: subprocess.Popen[str], wanted: Wanted) -> None:
    if process.stdin is not None:
        with suppress(BrokenPipeError), process.stdin:  # broken: it has died, and the status says how
            process.stdin.write(json.dumps(dataclasses.asdict(wanted)))


def _listen(lines: Iterable[str], report: Callable[[str, int, int], None], last: dict[str, Any]) -> None:
    for line in lines:
        said = json.loads(line)
        if "text" in said:
            report(said["text"], said["done"], said["total"])
        else:
            last.update(said)


def _died(status: int) -> FailedError:
    if status < 0:
        return FailedError(
            f"Reading the data was ended by signal {-status}: most likely the memory was too small.",
            "Give less at once, or read it on a larger machine: dataset add NAME MACHINE:/path",
        )
    return FailedError("Reading the data ended without a word.", "The engine's log says more.")


def made(wanted: Wanted, say: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Make it in this process: `{"dataset": id}`, or `{"error": ...}`."""
    from cloudtui_engine.catalog import Catalog
    from cloudtui_engine.paths import Paths

    try:
        dataset = add_dataset(
            Catalog.open(Paths(Path(wanted.home))),
            wanted.name,
            wanted.path,
            wishes=wishes_of({"wishes": wanted.wishes}),
            on_progress=say,
            fetched_from=wanted.source,
            taken=wanted.taken,
        )
    except CloudtuiError as error:
        return {"error": _of_the_source(error, wanted).as_dict()}
    except MemoryError:
        small = FailedError("The memory is too small for this data.", "Give less at once.")
        return {"error": small.as_dict()}
    return {"dataset": dataset.id}


def _of_the_source(error: CloudtuiError, wanted: Wanted) -> CloudtuiError:
    """Where it lies meanwhile means nothing to the person."""
    error.message = error.message.replace(wanted.path, wanted.source)
    error.hint = error.hint.replace(wanted.path, wanted.source)
    return error


def _say(text: str, done: int, total: int) -> None:
    _write({"text": text, "done": done, "total": total})


def _write(said: Mapping[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(said)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _write(made(Wanted(**json.load(sys.stdin)), _say))
