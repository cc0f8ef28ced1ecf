"""Machines of every home, as text for people and as JSON for scripts."""

from __future__ import annotations

import time
from typing import Any

from cloudtui import format as words
from cloudtui.cli.fleet_texts import orphan_json
from cloudtui.cli.tables import Column, table
from cloudtui_engine.records.survey import Surveyed
from cloudtui_engine.sanitize import clean_line

Lines = list[str]


def everyone(result: Any, cells: int | None) -> Lines:
    """The machines, then what each cloud has said."""
    return [*(_machines(result, cells) if result.found else [_none(result)]), "", *_clouds(result)]


def _machines(result: Any, cells: int | None) -> Lines:
    now = time.time()
    columns = [
        Column("Id"), Column("Name", shrinks=True), Column("Where"), Column("Type"), Column("State"),
        Column("Home"), Column("$/h", right=True), Column("Age", right=True), Column("Deadline"),
        Column("Seen", right=True),
    ]  # fmt: skip
    rows = [
        [
            clean_line(one.machine.cloud_id), clean_line(one.machine.name),
            clean_line(f"{one.machine.provider} {one.machine.region}"), clean_line(one.machine.type),
            clean_line(one.machine.state), result.whose(one) or "not said", words.money(one.machine.price),
            words.since(one.created_at, now), words.moment(one.deadline_at),
            words.since(one.machine.seen_at, now),
        ]
        for one in result.found
    ]  # fmt: skip
    return [
        *table(columns, rows, cells),
        "",
        "None of them is on the list here, and nothing was done to them. One of another home may be a"
        " colleague's: accounts are shared.",
        "Take one up: cloudtui instance orphans adopt ID --everyone --deadline 4h",
        "End one: cloudtui instance orphans terminate ID --everyone --yes",
    ]


def _none(result: Any) -> str:
    if result.silent or all(one.is_unused for one in result.clouds):
        return "No machine of any home was listed, which proves nothing as long as clouds have not answered."
    return "No machine of any home is there but what is on the list here."


def _clouds(result: Any) -> Lines:
    now = time.time()
    said = [line for one in result.clouds if not one.is_unused for line in _said(one, now)]
    unused = [
        clean_line(f"{one.provider}: {one.error.get('message', '')}")
        for one in result.clouds
        if one.is_unused
    ]
    reach = (
        "Asked with the credentials of this machine: another account, project or subscription is not seen."
    )
    return [*said, *(f"○ not asked: {one}" for one in unused), reach]


def _said(one: Surveyed, now: float) -> Lines:
    """Whether a cloud was seen whole; where it was not, how old is what is shown of it."""
    old = f" What is shown of it is {words.since(one.asked_at, now)} old." if one.asked_at is not None else ""
    if one.error:
        text = f"{one.error.get('message', '')} {one.error.get('hint', '')}".strip()
        return [clean_line(f"✗ {one.provider} has not answered: {text}{old}", 300)]
    if one.asked_at is None:
        return [f"◌ {one.provider} has not answered yet."]
    if one.incomplete:
        missing = [
            f"⚠ {one.provider} {region} was not seen whole: {why}" for region, why in one.incomplete.items()
        ]
        return [clean_line(line, 300) for line in missing]
    return [
        f"✓ {one.provider}: all of its {one.regions} regions answered, {words.since(one.asked_at, now)} ago."
    ]


def everyone_json(result: Any) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "machines": [
            {
                **orphan_json(one.machine),
                "owner": one.owner,
                "this_home": bool(one.owner) and one.owner == result.here,
                "created_at": words.rfc3339(one.created_at),
                "deadline_at": words.rfc3339(one.deadline_at),
            }
            for one in result.found
        ],
        "clouds": [
            {
                "provider": one.provider,
                "asked": not one.is_unused,
                "complete": one.is_whole,
                "asked_at": words.rfc3339(one.asked_at),
                "regions": one.regions,
                "incomplete": [{"region": name, "problem": why} for name, why in one.incomplete.items()],
                "error": dict(one.error) or None,
            }
            for one in result.clouds
        ],
    }
