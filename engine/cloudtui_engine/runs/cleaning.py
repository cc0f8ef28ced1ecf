"""What may go from a host, decided from what lies there and what the catalog knows. Pure.

When in doubt it stays: results that are not here, what anything may still need, and what is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cloudtui_engine.records.host_status import ENDED
from cloudtui_engine.records.run import RunState

OVER = ENDED - {"missing"}
"""What a host says of an attempt that has ended there."""
Key = tuple[str, int]
KEPT = "checkpoints"
"""`checkpoints/<run>`: of runs on machines that may be taken back, brought to this one."""


@dataclass(frozen=True, slots=True)
class Lying:
    """A folder on the host, as the verb `inventory` tells of it."""

    name: str
    size_bytes: int
    state: str = ""
    """Of an attempt, by the host's word."""

    @property
    def attempt(self) -> Key | None:
        """Run and number, where it is the folder of an attempt."""
        kind, _, rest = self.name.partition("/")
        if kind != "jobs":
            return None
        run, _, number = rest.partition("/a")
        return run, int(number)


@dataclass(frozen=True, slots=True)
class Over:
    """What is known here of an attempt whose folder lies there."""

    state: RunState
    run_status: RunState
    is_script: bool
    is_deleted: bool
    left_there: int
    """Files of it that are not on this machine."""
    has_doubts: bool
    """Its journals were changed there, or it left files that cannot be fetched."""
    is_worked_on: bool
    """An operation on its run is open."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the catalog says."""

    attempts: Mapping[Key, Over] = field(default_factory=dict)
    current: frozenset[str] = frozenset()
    """Names that this program uses itself: its host package, its trainer."""
    needed: Mapping[str, str] = field(default_factory=dict)
    """Why a name is needed by what waits or runs; `model/` stands for all of that kind."""
    here: frozenset[str] = frozenset()
    """Names of data and scripts that this machine has, and can send again."""
    runs: Mapping[str, Over] = field(default_factory=dict)
    """Those whose checkpoints were brought to this machine, as their newest attempts are."""
    busy: bool = False
    """A job of ours runs on that machine."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One folder, whether it may go, and why, in a sentence."""

    name: str
    size_bytes: int
    goes: bool
    why: str


def plan(lying: Iterable[Lying], known: Known) -> list[Entry]:
    """What may go and what stays, for each folder in order."""
    found = sorted(lying, key=lambda one: one.name)
    foreign = [
        one for one in found if one.attempt and one.attempt not in known.attempts and one.state not in OVER
    ]
    return [Entry(one.name, one.size_bytes, *_judge(one, known, foreign)) for one in found]


def _judge(one: Lying, known: Known, foreign: Sequence[Lying]) -> tuple[bool, str]:
    if one.attempt is not None:
        stays = _attempt_stays(one, known.attempts.get(one.attempt))
        return not stays, stays or "Over, and all that it left is here."
    kind, _, key = one.name.partition("/")
    if kind == KEPT:
        stays = _kept_stays(known.runs.get(key))
        return not stays, stays or "Its run has succeeded, or is in the trash."
    stays = _content_stays(one.name, kind, known, is_foreign=bool(foreign))
    return not stays, stays or _WHY_IT_GOES.get(kind, "Not needed any more.")


_UNKNOWN = "Not in this catalog: cloudtui run import takes it up."
_WHY_IT_GOES = {
    "data": "A copy that no run waits for; it is sent again when one does.",
    "host": "An older version of our part of the host.",
    "trainer": "An older version of the trainer.",
    "script": "A copy that no run waits for.",
    "model": "A copy that no job waits for.",
    "wheels": "What an environment was made from.",
}


def _content_stays(name: str, kind: str, known: Known, *, is_foreign: bool) -> str:
    """Why it stays; empty where nothing speaks for that."""
    needed = known.needed.get(name) or known.needed.get(f"{kind}/") or ""
    return _first(
        (name in known.current, "In use."),
        (bool(needed), needed),
        (is_foreign, "A job runs there that is not in this catalog, and may need it."),
        (kind == "env", "An environment: making it again takes long."),
        (kind in {"data", "script"} and name not in known.here, "This machine could not send it again."),
        (known.busy and kind != "data", "A job runs there, and may have begun with it."),
    )


def _attempt_stays(one: Lying, over: Over | None) -> str:
    """Why the folder of an attempt stays; empty where nothing speaks for that."""
    if over is None:
        return _UNKNOWN
    return _first(
        (one.state not in OVER or not over.state.is_finished or over.is_worked_on, "It is not over."),
        (over.left_there > 0, _only_there(over.left_there)),
        (over.has_doubts, "Not all that it left could be read."),
        (over.state is RunState.LOST, "It was lost: what it knows may be read once more."),
        (
            over.is_script and not over.is_deleted,
            "A script may have left more beside its results; delete the run to let it go.",
        ),
        (
            over.run_status is not RunState.SUCCEEDED and not over.is_deleted,
            "The run may be resumed from it.",
        ),
    )


def _kept_stays(over: Over | None) -> str:
    """Why checkpoints that were brought here stay; empty where nothing speaks for that."""
    if over is None:
        return _UNKNOWN
    return _first(
        (not over.run_status.is_finished or over.is_worked_on, "It is not over."),
        (
            over.run_status is not RunState.SUCCEEDED and not over.is_deleted,
            "The run may be resumed from it elsewhere; delete the run to let it go.",
        ),
    )


def _only_there(files: int) -> str:
    lie = "result lies" if files == 1 else "results lie"
    return f"{files} {lie} only there: cloudtui run pull brings them."


def _first(*reasons: tuple[bool, str]) -> str:
    return next((why for holds, why in reasons if holds), "")
