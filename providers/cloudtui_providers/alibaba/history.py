"""Which spot machines Alibaba took back: it lists them no more, and CloudMonitor's events say why."""

from __future__ import annotations

from cloudtui_providers.alibaba.service import Api, items

EVENTS = "cms:DescribeSystemEventAttribute"
INTERRUPTED = "Instance:PreemptibleInstanceInterruption"
"""Told some minutes before a machine is released."""
ABOUT = {"Product": "ECS", "EventType": "StatusNotification", "Name": INTERRUPTED}


def taken_back(api: Api, region: str, machine: str) -> bool:
    """Whether the events of the last days have it as interrupted."""
    told = api.ask(region, EVENTS, **ABOUT, SearchKeywords=machine, PageSize=100)
    return any(
        one.get("Name") == INTERRUPTED
        and str(one.get("ResourceId", "")).rpartition("instance/")[2].split("/")[0] == machine
        for one in items(told, "SystemEvents", "SystemEvent")
    )
