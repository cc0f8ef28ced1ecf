"""Deciders: pure functions from what the catalog says to operations that should exist.

They run after changes, in the engine only, any number of times: by an operation's idempotency key the second
proposal is the first one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cloudtui_engine.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Proposal:
    """An operation that a decider wants."""

    kind: str
    target: str
    key: str
    args: Mapping[str, Any] = field(default_factory=dict)


def pull_what_finished(catalog: Catalog) -> Iterable[Proposal]:
    """What a finished attempt left on its host is brought here."""
    for run_id, attempt in catalog.runs.unpulled():
        yield Proposal("run.pull", run_id, f"run.pull:{run_id}:{attempt}", {"attempt": attempt})


DECIDERS: tuple[Callable[[Catalog], Iterable[Proposal]], ...] = (pull_what_finished,)


def decide(catalog: Catalog) -> int:
    """Submit what the deciders propose; returns how many operations are new."""
    fresh = 0
    for decider in DECIDERS:
        for proposal in decider(catalog):
            if not catalog.operations.has_key(proposal.key):
                catalog.operations.submit(proposal.kind, proposal.target, dict(proposal.args), proposal.key)
                fresh += 1
    return fresh
