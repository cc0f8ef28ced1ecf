"""What a person is told of the fleet, wherever they are: each in the transaction of what it tells of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.fleet import results
from cloudtui_engine.records.instance import GONE, VANISHED, Instance
from cloudtui_engine.records.launch import Launch, Orphan

_CAME = frozenset({"running", "stopping", "stopped"})
_SHOWN = 6


def launch_failed(catalog: Catalog, launch: Launch, name: str, error: Mapping[str, Any]) -> None:
    """No machine came of a launch."""
    why = f"{error.get('message', '')} {error.get('hint', '')}".strip()
    catalog.notices.tell("launch", launch.id, name, why)


def taken(catalog: Catalog, before: Instance, fields: Mapping[str, Any]) -> None:
    """A machine that somebody wants is gone: why, and what was there alone. What was asked for is no news."""
    state = fields.get("cloud_state")
    was_there = before.cloud_state in _CAME or (before.cloud_state == VANISHED and state != VANISHED)
    if state not in GONE or before.wanted != "running" or not was_there:
        return
    if state == VANISHED:
        why = "The cloud does not list it any more."
    else:
        reason = fields.get("cloud_reason") or before.cloud_reason
        why = f"The cloud ended it: {reason}." if reason else "It was ended, and not from here."
    names = [one.name for one in results.at_stake(catalog, before.id)]
    if names:
        why += f" What lay there alone: {', '.join(names[:_SHOWN])}{', ...' if names[_SHOWN:] else ''}."
    catalog.notices.tell("taken", f"{before.id}:{before.cloud_id}:{state}", before.name, why)


def orphan(catalog: Catalog, found: Orphan) -> None:
    """A machine of ours that no row speaks of was seen; told once."""
    where = f"{found.type or 'It'} runs at {found.provider} in {found.region} and costs money."
    catalog.notices.tell(
        "orphan", f"{found.provider}:{found.cloud_id}", found.name or found.cloud_id,
        f"{where} Adopt it, or terminate it.",
    )  # fmt: skip
