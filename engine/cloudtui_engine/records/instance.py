"""A machine: rented, the user's own, or this one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

LOCAL = "local"
"""The name of the instance that is this machine."""
VANISHED = "vanished"
"""The one `cloud_state` that is no cloud's word: it was not in complete listings for a while."""
GONE = frozenset({"terminated", VANISHED})
"""Cloud states that a machine does not come back from."""
PREEMPTED, NOTICED = "preempted", "preemption notice"
"""Why a spot machine does not run, or will not soon: its cloud took it back, or has told it that it will."""
WANTED = ("running", "stopped", "terminated")


class LinkState(StrEnum):
    """What is known of the way to a host."""

    DOWN = "down"
    CONNECTING = "connecting"
    UP = "up"
    SILENT = "silent"
    """Connected, but no answer for a while: what is shown may be old."""
    REFUSED = "refused"
    """The host answers and will not have us (key, password, no python3)."""
    KEY_CHANGED = "key_changed"
    """The host shows another key than the one we know: nothing is done there."""
    NEEDS_YOU = "needs_you"


@dataclass(frozen=True, slots=True)
class Address:
    """Where and as whom an SSH host is reached; all empty for this machine."""

    host: str = ""
    user: str = ""
    port: int = 0
    """0 leaves it to the user's SSH configuration."""
    key_file: str = ""
    via: str = ""
    """`ssh`: by the user's own ssh; empty: by cloudtui itself."""

    def __str__(self) -> str:
        if not self.host:
            return "this machine"
        host = f"[{self.host}]" if ":" in self.host else self.host
        text = f"{self.user}@{host}" if self.user else host
        return text if self.port in {0, 22} else f"{text}:{self.port}"


@dataclass(frozen=True, slots=True)
class Told:
    """Whether one of those who end a machine knows of its deadline as it is now."""

    who: str
    """`engine`, `cloud`, or `machine`: the switch on itself."""
    knows: bool
    text: str


@dataclass(frozen=True, slots=True)
class Instance:
    """One machine and the last that is known of it."""

    id: str
    name: str
    provider: str
    """`local`, `ssh` or a cloud."""
    address: Address = Address()
    root: str = ""
    """The folder on the host that is ours; empty for the default."""
    wanted: str = "running"
    """What the person wants of it: one of `WANTED`."""
    cloud_state: str | None = None
    """What the cloud said last, or `vanished`; None before its first word, and where there is no cloud."""
    link_state: LinkState = LinkState.DOWN
    link_detail: str = ""
    """One line: what, why, what to do."""
    link_since: float | None = None
    price_usd_per_hour: float | None = None
    cost_usd: float | None = None
    """What it has cost so far, where somebody asked; no column."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What `probe` found; see engine/DESIGN.md."""
    gpus: tuple[Mapping[str, Any], ...] = ()
    """The newest sample of each GPU."""
    machine_id: str = ""
    clock_offset_s: float = 0.0
    """Host clock + this = our clock."""
    seen_at: float | None = None
    created_at: float = 0.0
    forgotten_at: float | None = None
    cloud_id: str = ""
    """The cloud's id of it; empty before the cloud has answered."""
    region: str = ""
    zone: str = ""
    machine_type: str = ""
    spot: bool = False
    launch_id: str = ""
    """The launch that made it; empty where we did not rent it."""
    deadline_at: float | None = None
    """When it has to be gone."""
    told: tuple[Told, ...] = ()
    """Who knows that, where somebody asked; no column."""
    cloud_seen_at: float | None = None
    """When a cloud last listed it."""
    cloud_reason: str = ""
    """Why it is not running, in the cloud's word: `PREEMPTED`, for instance; or `NOTICED` while it is."""
    missing_since: float | None = None
    """Since when complete listings have not had it."""
    host_key: str = ""
    """The host key that is pinned to it, a line of known_hosts without the name."""

    idle_since: float | None = None
    """Since when each look found no job of ours and quiet GPUs there; None: at work, or not known."""
    looked_at: float | None = None
    """When the engine looked last: what is idle is known for that moment."""

    @property
    def is_rented(self) -> bool:
        """It is a cloud's, and costs money while it lives."""
        return bool(self.launch_id or self.cloud_id)

    @property
    def is_gone(self) -> bool:
        """The cloud's machine is no more."""
        return self.cloud_state in GONE
