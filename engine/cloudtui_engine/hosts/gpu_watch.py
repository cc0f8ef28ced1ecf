"""Looks at the GPUs of machines again and again while the engine lives: who uses them, and which are idle.

A machine is looked at over the link that is there anyway, and looking keeps that link: nothing that was not
used is connected to. A rented machine costs money whether it is used or not: it is connected to for a look.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CatalogError, CloudtuiError
from cloudtui_engine.hosts.facts import checked_gpus
from cloudtui_engine.hosts.links import Links
from cloudtui_engine.records.instance import Instance

STEP_S = 5.0
IDLE_EVERY_S = 15.0
"""Sooner than a link that nothing needs is closed."""
BUSY_EVERY_S = 60.0
"""A job's own samples tell of its GPUs meanwhile; a look adds who else is there."""
DIAL_EVERY_S = 60.0
MOST = 16
"""Looks at once at hosts that are there, and as many at others: a dead one holds up a look for as long as a
request may take, and must not take a living one's turn."""
_TIMEOUT_S = 30.0

log = logging.getLogger(__name__)


class GpuWatch:
    """`step` belongs to one thread, the engine's; each look has a thread of its own."""

    def __init__(self, catalog: Catalog, links: Links, clock: Callable[[], float] = time.monotonic) -> None:
        self._catalog = catalog
        self._links = links
        self._clock = clock
        self._stepped = -STEP_S
        self._next: dict[str, float] = {}
        self._looking: dict[str, threading.Thread] = {}
        self._dialling: dict[str, threading.Thread] = {}

    def step(self) -> None:
        """Begin the looks that are due."""
        now = self._clock()
        if now - self._stepped < STEP_S:
            return
        self._stepped = now
        self._looking, self._dialling = _alive(self._looking), _alive(self._dialling)
        working = self.working()
        # Those that wait longest first: no number of dead hosts keeps a living one from its turn.
        for instance in sorted(self._catalog.instances.list(), key=lambda one: self._next.get(one.id, 0.0)):
            if instance.id in self._looking | self._dialling or self._next.get(instance.id, 0.0) > now:
                continue
            up = self._links.to(instance.id).is_up if self._links.has(instance.id) else False
            if not _has_gpus(instance) or not (up or _costs_money(instance)):
                continue
            begun = self._looking if up else self._dialling
            if len(begun) >= MOST:
                continue
            busy = instance.id in working
            self._next[instance.id] = now + (BUSY_EVERY_S if busy else IDLE_EVERY_S if up else DIAL_EVERY_S)
            thread = threading.Thread(
                target=self.look, args=(instance.id, busy), name=f"look-{instance.id}", daemon=True
            )
            begun[instance.id] = thread
            thread.start()

    def working(self) -> frozenset[str]:
        """The machines on which a job of ours is, or for which one waits."""
        return frozenset(attempt.instance_id for attempt in self._catalog.runs.open_attempts())

    def look(self, instance_id: str, busy: bool) -> None:
        """Ask a machine for its GPUs and keep the answer; of a link that breaks the link itself tells."""
        try:
            with self._links.to(instance_id).session(_TIMEOUT_S) as session:
                gpus = checked_gpus(session.request("gpus", {}, timeout=_TIMEOUT_S).get("gpus"))
            self._catalog.gpu_use.looked(instance_id, gpus, time.time(), working=busy)
        except CatalogError as error:
            log.error("%s %s", error.message, error.hint)  # noqa: TRY400 - a sentence, not a traceback
        except CloudtuiError as error:
            log.info("no look at %s: %s", instance_id, error.message)


def _alive(threads: dict[str, threading.Thread]) -> dict[str, threading.Thread]:
    return {name: one for name, one in threads.items() if one.is_alive()}


def _has_gpus(instance: Instance) -> bool:
    return bool(instance.gpus or instance.facts.get("gpus"))


def _costs_money(instance: Instance) -> bool:
    """It is rented, runs, and was reached before: so its key is known and it is set up."""
    return instance.is_rented and instance.cloud_state == "running" and instance.seen_at is not None
