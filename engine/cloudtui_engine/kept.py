"""Checkpoints of a run that were brought here while it ran: where they lie, and which of them are worth it.

`checkpoints/<run>/index.json` names the files of the newest set and is written after all of them are here,
by content, verified: so a run goes on elsewhere from a whole set or from the one before. They are kept for as
long as their run may be resumed: until it has succeeded, or is in the trash and somebody cleans this machine.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cloudtui_engine.durable import replace_file
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.run import Checkpoint

MOST_FILES = 1000
_STEP = re.compile(r"step-(\d{1,12})\.ckpt", re.ASCII)
_INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file below the folder `checkpoints` of an attempt."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class KeptSet:
    """What an attempt can be gone on from."""

    attempt: int
    """Which left it."""
    at: float
    """When it was seen on its host."""
    files: tuple[KeptFile, ...]

    @property
    def step(self) -> int | None:
        """The step that it holds, where its names tell."""
        return max((step for one in self.files if (step := step_of(one.name)) is not None), default=None)


class Kept:
    """The kept checkpoints of one run.

    Args:
        paths: the home.
        run_id: the run.
    """

    def __init__(self, paths: Paths, run_id: str) -> None:
        self.folder = paths.checkpoints / run_id
        self.coming = self.folder / ".coming"
        """Where they arrive."""

    def blob(self, sha256: str) -> Path:
        """Where content lies."""
        return self.folder / sha256

    def newest(self) -> KeptSet | None:
        """The newest whole set; None: there is none."""
        try:
            said = json.loads((self.folder / _INDEX).read_text())
            found = KeptSet(
                int(said["attempt"]), float(said["at"]), tuple(KeptFile(*one) for one in said["files"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if found.files and all(self.blob(one.sha256).is_file() for one in found.files) else None

    def missing(self, files: Sequence[KeptFile]) -> list[KeptFile]:
        """Those whose content is not here; of two with the same the first."""
        absent = {one.sha256: one for one in reversed(files) if not self.blob(one.sha256).is_file()}
        return [one for one in files if absent.get(one.sha256) is one]

    def save(self, found: KeptSet) -> None:
        """All its files are here: from now on it is the newest, and what only others needed goes."""
        listed = [[one.name, one.size_bytes, one.sha256] for one in found.files]
        text = json.dumps({"attempt": found.attempt, "at": found.at, "files": listed})
        replace_file(self.folder / _INDEX, text)
        needed = {one.sha256 for one in found.files} | {_INDEX}
        for path in self.folder.iterdir():
            if path.name not in needed and path.is_file():
                path.unlink()
        shutil.rmtree(self.coming, ignore_errors=True)

    def drop(self) -> None:
        """The run needs none any more."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def size_bytes(self) -> int:
        """What it takes of this disk, with what is on its way."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    @property
    def told(self) -> Checkpoint | None:
        """The newest whole set, for people."""
        found = self.newest()
        if found is None:
            return None
        return Checkpoint(found.attempt, found.step, found.at, sum(one.size_bytes for one in found.files))


def runs_with(paths: Paths) -> frozenset[str]:
    """The ids of the runs that something is kept of."""
    try:
        return frozenset(one.name for one in paths.checkpoints.iterdir())
    except OSError:
        return frozenset()


def step_of(name: str) -> int | None:
    """The step that a checkpoint of the bundled trainer holds, by its name."""
    match = _STEP.fullmatch(name)
    return int(match[1]) if match else None


def chosen(kind: str, files: Sequence[KeptFile]) -> list[KeptFile]:
    """What a run is gone on from: of a training its newest checkpoint, which has all; else everything."""
    if kind != "train":
        return list(files[:MOST_FILES])
    steps = [one for one in files if step_of(one.name) is not None]
    return [max(steps, key=lambda one: step_of(one.name) or 0)] if steps else []


def told(found: KeptSet | None, progress: Mapping[str, Any]) -> str:
    """What is lost with a machine, in a sentence: what was done since the newest checkpoint that is here."""
    if found is None:
        return "No checkpoint of it is here: it begins anew."
    at = time.strftime("%H:%M:%S", time.localtime(found.at))
    step, reached = found.step, progress.get("step")
    if step is None:
        return f"Its checkpoint of {at} is here; what it did after that is lost."
    if isinstance(reached, int) and reached > step:
        return f"Its checkpoint of step {step} is here ({at}); {reached - step} steps after it are lost."
    return f"Its checkpoint of step {step} is here ({at})."
