"""Which files of a run are brought here by themselves, and which stay on its host until asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudtui_engine.records.run import Artifact

MAX_BYTES = 2_000_000_000
"""Of one attempt, where the run says nothing else."""
_REPORT = "report.json"
_MODEL = "model."


@dataclass(frozen=True, slots=True)
class Policy:
    """What a run's spec says of its files."""

    which: str = "all"
    """`none`, `best` (models and reports) or `all`."""
    max_bytes: int | None = None

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Policy:
        """That of a run; one that says nothing is from before there was a choice, or a script: all."""
        which, most = spec.get("pull"), spec.get("pull_max")
        if which not in {"none", "best", "all"}:
            return cls()
        return cls(which, most if type(most) is int and most >= 0 else MAX_BYTES)

    def left(self, known: Iterable[Artifact], fresh: Iterable[tuple[str, str, int, str]]) -> frozenset[str]:
        """Which of the `fresh` files (name, kind, size, sha256) stay on the host.

        Those that are here, or that somebody asked for, are among the `known` and count toward the limit.
        """
        before = {one.name: one for one in known}
        named = {file[0]: file for file in fresh}
        used = sum(one.size_bytes for one in before.values() if one.wanted and one.name not in named)
        left = set()
        for name, _, size, sha256 in sorted(named.values(), key=_rank):
            had = before.get(name)
            asked_for = had is not None and had.wanted and had.sha256 == sha256
            if asked_for or (
                self._chooses(name) and (self.max_bytes is None or used + size <= self.max_bytes)
            ):
                used += size
            else:
                left.add(name)
        return frozenset(left)

    def _chooses(self, name: str) -> bool:
        return self.which == "all" or (self.which == "best" and _is_best(name))


def _is_best(name: str) -> bool:
    last = name.rpartition("/")[2]
    return last == _REPORT or last.startswith(_MODEL)


def _rank(file: tuple[str, str, int, str]) -> tuple[bool, int, str]:
    """Models and reports first, then the small ones: a limit leaves out what matters least."""
    return not _is_best(file[0]), file[2], file[0]
