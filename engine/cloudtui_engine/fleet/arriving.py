"""From a machine that the cloud has made to one that can be reached; and what comes of one that never is."""

from __future__ import annotations

from cloudtui_engine.fleet import adoption, closing, ending, stopped
from cloudtui_engine.fleet.means import Means
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Launch, LaunchState
from cloudtui_providers.base import CloudState

STANDS_S = 120.0
"""So long a machine that has never run may stand still: some do for a moment while they are made."""
COMES_S = 3600.0
"""So long an engine waits for a machine to run and to have an address."""
_VANISHED = {
    "code": "vanished",
    "message": "The cloud does not list the machine any more.",
    "hint": "Look at the cloud's own page; then launch another.",
}
_AGAIN = "Launch another."


class Arriving:
    """One machine on its way; what is next is read from the rows, and from how long it was looked on."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._since: float | None = None
        """When this engine first looked."""
        self._stands_since: float | None = None

    def step(self, row: Launch, instance: Instance, too_late: str) -> bool:
        """Take the launch a step on; reconciling says in the row what the machine is.

        Args:
            row: a launch with a machine.
            instance: the machine's row.
            too_late: why nothing new is begun for it; empty: it may be.

        Returns:
            False where there is nothing to be done but to wait.
        """
        now, state = self._means.clock.now(), instance.cloud_state
        self._since = self._since or now
        if state != CloudState.STOPPED:
            self._stands_since = None
        if instance.wanted == "terminated":
            closing.over(self._means, row, LaunchState.CANCELLED)
        elif state == CloudState.TERMINATED:
            self._ended_early(row, instance, too_late)
        elif state == CloudState.RUNNING and instance.address.host:
            closing.over(self._means, row, LaunchState.READY)
        elif state == CloudState.STOPPED:
            return self._stands(row, instance, too_late)
        elif instance.is_gone:
            closing.fail(self._means, row, _VANISHED)
        elif instance.wanted == "running" and self._means.clock.passed(self._since) >= COMES_S:
            self._give_up(row, instance)
        else:
            return False
        return True

    def _stands(self, row: Launch, instance: Instance, too_late: str) -> bool:
        """It was told to, or ended its day while nobody looked; or the cloud could not get it to run."""
        if instance.wanted == "stopped" or too_late:
            with self._means.catalog.write("instance", durable=True):
                stopped.settle(self._means.catalog, instance)
                closing.over(self._means, row, LaunchState.READY)
            return True
        self._stands_since = self._stands_since or self._means.clock.now()
        if self._means.clock.passed(self._stands_since) < STANDS_S:
            return False
        self._stands_since = None  # told again only after as long
        why = f"The cloud did not get it to run: {instance.cloud_reason or 'no reason given'}."
        self._means.say(f"{why} It is ended")
        # What is left of it costs money, and holds nothing of anybody.
        ended = ending.end_quietly(self._means, instance.provider, instance.region, instance.cloud_id)
        return ended and self._goes_elsewhere(row, instance, why)

    def _ended_early(self, row: Launch, instance: Instance, too_late: str) -> None:
        """The cloud made it and took it away before it was reached: as if there had been none."""
        reason = instance.cloud_reason or "no reason given"
        if too_late or not self._goes_elsewhere(row, instance, f"The cloud ended it at once: {reason}."):
            ended = f"The machine was made, and has ended before it was reached: {reason}."
            closing.fail(self._means, row, {"code": "gone", "message": ended, "hint": _AGAIN})

    def _goes_elsewhere(self, row: Launch, instance: Instance, message: str) -> bool:
        """Its request counts as refused, and the launch asks in the next place; False where it cannot."""
        catalog = self._means.catalog
        made = [one for one in catalog.launches.attempts(row.id) if one.machine_id == instance.cloud_id]
        error = {"code": "capacity", "message": message, "hint": ""}
        return bool(made) and adoption.give_back(catalog, made[-1], error, self._means.clock.now())

    def _give_up(self, row: Launch, instance: Instance) -> None:
        """Nobody could ever reach it, so nothing of anybody lies there: it is ended."""
        catalog = self._means.catalog
        with catalog.write("instance", "operation", durable=True):
            catalog.instances.update(instance.id, wanted="terminated")
            catalog.operations.submit(
                "instance.terminate", instance.id, {}, f"instance.terminate:{instance.id}:never-there"
            )
            ended = f"It was made, but did not come up within {COMES_S / 60:.0f} minutes; it is ended."
            closing.fail(self._means, row, {"code": "not_up", "message": ended, "hint": _AGAIN})
