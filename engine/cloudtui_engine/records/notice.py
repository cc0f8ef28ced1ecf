"""Something that a person wants to be told of, wherever they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = (
    "finished", "failed", "lost", "stopped", "stalled", "nan", "budget", "deadline", "overdue", "idle",
    "launch", "leaving", "taken", "orphan", "clock", "standstill",
)  # fmt: skip
"""Succeeded, failed, gone with its host, stopped by somebody, not confirmed for a while, not finite; and what
is of no run: most of a budget is spent, a machine ends soon, or should have and runs; or it does
nothing, or stopped unasked."""
TOLD_BY_DEFAULT = tuple(kind for kind in KINDS if kind != "stopped")
ABOUT, COMMAND, WEBHOOK = "notify.about", "notify.command", "notify.webhook"
"""The settings that the engine reads: of which kinds it tells, and how."""
IDLE_AFTER, IDLE_MINUTES = "notify.idle_minutes", 30
"""After how many idle minutes a machine is told of: the setting, and what it is without; 0 is never."""
_WORDS: Mapping[str, str] = {
    "finished": "finished",
    "failed": "failed",
    "lost": "is lost",
    "stopped": "was stopped",
    "stalled": "is not confirmed any more",
    "nan": "computes what is no number",
    "budget": "is nearly spent",
    "idle": "has been idle",
    "deadline": "ends soon",
    "overdue": "is past its deadline",
    "launch": "could not be rented",
    "leaving": "is taken back soon",
    "taken": "was taken away",
    "orphan": "is in no list here",
    "clock": "was set",
    "standstill": "has stopped",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that happened, mostly to a run. Its texts are safe to show."""

    id: int
    """Grows: what is told after another one has a greater id."""
    t: float
    """When this machine learned of it."""
    kind: str
    """One of `KINDS`."""
    run_id: str
    """Empty for what is of no run."""
    attempt: int
    run: str
    """The run's name, as it was called then, or what else it is about."""
    run_kind: str
    detail: str
    """Why, where something is known of it."""
    onset: int | None = None
    """Since when, of what can happen to one attempt again and again; else None."""
    own_key: str = ""
    """Which one it is, of what is of no run."""

    @property
    def key(self) -> str:
        """The same for the same news, also where it is found anew after an older catalog was restored."""
        if not self.run_id:
            return f"{self.kind}-{self.own_key}"
        since = "" if self.onset is None else f"-{self.onset}"
        return f"{self.run_id}-{self.attempt}-{self.kind}{since}"

    @property
    def title(self) -> str:
        """Who and what: `resnet-3 failed`."""
        return f"{self.run} {_WORDS.get(self.kind, self.kind)}"

    @property
    def sentence(self) -> str:
        """All of it on one line."""
        between = " " if self.kind == "idle" else ": "  # `box-2 has been idle for 41 min.`
        return f"{self.title}{between}{self.detail}" if self.detail else f"{self.title}."

    def as_dict(self) -> dict[str, Any]:
        """What commands and webhooks are given."""
        return {
            "id": self.id, "key": self.key, "time": self.t, "kind": self.kind, "run": self.run,
            "run_id": self.run_id, "attempt": self.attempt, "run_kind": self.run_kind,
            "text": self.sentence, "detail": self.detail,
        }  # fmt: skip
