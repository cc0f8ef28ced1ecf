"""One machine: what is known of it, and what its GPUs do."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from cloudtui.areas.instances.machine import Machine
from cloudtui.areas.instances.rows import state
from cloudtui.areas.tabbed import TabbedDetail
from cloudtui.bridge import Bridge
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.sanitize import clean_line

_HERE = "cloudtui.areas.instances."


class InstanceDetail(TabbedDetail):
    """The tabs of one machine."""

    TABS: ClassVar[dict[str, str]] = {
        "Machine": _HERE + "about:AboutTab",
        "GPUs": _HERE + "gpus:GpusTab",
    }

    def __init__(self, bridge: Bridge, machine_of: Callable[[Instance], Machine]) -> None:
        super().__init__(bridge)
        self._machine_of = machine_of

    def show(self, record: Instance | None) -> None:
        """Show this machine, with what goes on around it."""
        super().show(None if record is None else self._machine_of(record))

    def heading(self, record: Machine, now: float) -> tuple[str, str, str]:
        """Its name, and how it can be reached."""
        return clean_line(record.name, 60), *state(record, now)
