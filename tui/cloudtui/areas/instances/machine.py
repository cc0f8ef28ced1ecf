"""A machine as the area shows it: its record, the live runs on it, and whether an engine watches it."""

from __future__ import annotations

from dataclasses import dataclass

from cloudtui.areas.tab import Tab
from cloudtui_engine.records.instance import Instance, LinkState
from cloudtui_engine.records.launch import Launch, LaunchAttempt
from cloudtui_engine.records.run import Run

LOOKED_AT_S = 180.0
"""What a look found is shown for so long."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine, and what goes on around it."""

    instance: Instance
    runs: tuple[Run, ...] = ()
    """Live ones that are there or wait for it."""
    watched: bool = True
    launch: Launch | None = None
    """What makes it, or failed to: none where it is there and nothing is under way."""
    attempt: LaunchAttempt | None = None
    """The newest request of that."""
    today_usd: float | None = None
    """What it has cost today; None where it costs nothing that is known."""

    @property
    def id(self) -> str:
        """Its id."""
        return self.instance.id

    @property
    def name(self) -> str:
        """Its name."""
        return self.instance.name

    def idle_since(self, now: float) -> float | None:
        """Since when nothing is done there; None where something is, or where nobody just looked."""
        one = self.instance
        looked = one.looked_at is not None and now - one.looked_at <= LOOKED_AT_S
        known = self.watched and looked and one.link_state is LinkState.UP and not self.runs
        return one.idle_since if known else None


class MachineTab(Tab):
    """A view of one machine."""

    @property
    def machine(self) -> Machine | None:
        """The machine."""
        return self.record if isinstance(self.record, Machine) else None
