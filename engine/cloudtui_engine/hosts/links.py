"""All links of the engine, one a host, made when first needed."""

from __future__ import annotations

import threading
import time

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.hosts.crew import Crew
from cloudtui_engine.hosts.keeper import Connect
from cloudtui_engine.hosts.link import HostLink
from cloudtui_engine.hosts.seen import Seen


class Links:
    """The host links by instance id."""

    def __init__(self, catalog: Catalog, connect: Connect) -> None:
        self._catalog = catalog
        self._connect = connect
        self._seen = Seen(catalog)
        self._crew = Crew("links")
        self._links: dict[str, HostLink] = {}
        self._lock = threading.Lock()

    def to(self, instance_id: str) -> HostLink:
        """The link to an instance; it connects when it is used."""
        with self._lock:
            if instance_id not in self._links:
                self._links[instance_id] = HostLink(
                    self._catalog, instance_id, self._connect, self._seen, self._crew
                )
            return self._links[instance_id]

    def has(self, instance_id: str) -> bool:
        """There is a link to it, up or not: it was used."""
        with self._lock:
            return instance_id in self._links

    def needed(self) -> int:
        """How many links someone uses or an attempt is followed over."""
        with self._lock:
            return sum(link.is_needed for link in self._links.values())

    def close(self) -> None:
        """End all links; nothing on the hosts is touched."""
        with self._lock:
            links = list(self._links.values())
        deadline = time.monotonic() + 5
        threads = [threading.Thread(target=link.close, daemon=True) for link in links]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
