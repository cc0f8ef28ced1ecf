"""When hosts were last heard from, written for all of them together."""

from __future__ import annotations

import threading
import time

from cloudtui_engine.catalog import Catalog

SEEN_EVERY_S = 5.0


class Seen:
    """One transaction for all hosts: one for each would have every reader look again many times a second."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._heard: dict[str, float] = {}
        self._written = 0.0

    def heard(self, instance_id: str, at: float) -> None:
        """It said something then; written within `SEEN_EVERY_S` as long as any host says something.

        Raises:
            CatalogError: it cannot be written.
        """
        with self._lock:
            self._heard[instance_id] = at
            if time.monotonic() - self._written < SEEN_EVERY_S:
                return
            self._written = time.monotonic()
            heard, self._heard = self._heard, {}
        with self._catalog.write("instance"):
            for one, moment in heard.items():
                self._catalog.instances.update(one, seen_at=moment)
