"""Which spot machines Azure took back: it deletes them, and its activity log says so some minutes later."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from cloudtui_providers.azure.machines import VMS
from cloudtui_providers.azure.service import Resources

VERSION = "2015-04-01"
EVENTS = "/providers/Microsoft.Insights/eventtypes/management/values"
EVICTED = "evictspotvm"
SINCE_S = 7 * 86_400.0


def taken_back(resources: Resources, machine: str) -> bool:
    """Whether the log of the last week has it as evicted."""
    since = datetime.fromtimestamp(time.time() - SINCE_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    wanted = f"eventTimestamp ge '{since}' and resourceUri eq '{resources.ours(f'{VMS}/{machine}')}'"
    found = resources.items(resources.path(EVENTS), VERSION, **{"$filter": wanted})
    return any(EVICTED in _value(one, "operationName") and _value(one, "status") != "failed" for one in found)


def _value(event: dict[str, object], name: str) -> str:
    told = event.get(name)
    return str(told.get("value", "")).lower() if isinstance(told, dict) else ""
