"""A rented machine as a sheet of facts: what its cloud says, when it ends, how it came to be."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from cloudtui import format as fmt
from cloudtui import standing
from cloudtui.areas.instances.machine import Machine
from cloudtui.widgets.facts import Fact
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.instance import Instance, Told
from cloudtui_engine.records.launch import AttemptState, Launch, LaunchAttempt, LaunchState, Listing
from cloudtui_engine.records.operation import Operation, OperationState
from cloudtui_engine.sanitize import clean_line

_SHOWN = 6
_CAME_TO = {
    AttemptState.PLANNED: "about to be asked for",
    AttemptState.SENT: "asked for, no answer yet",
    AttemptState.UNRESOLVED: "the answer is lost: whether a machine came of it is being found out",
    AttemptState.ADOPTED: "rented",
    AttemptState.REFUSED: "refused",
    AttemptState.ABSENT: "nothing came of it",
}


@dataclass(frozen=True, slots=True)
class Story:
    """What is read of a rented machine beside its row."""

    launch: Launch | None = None
    attempts: tuple[LaunchAttempt, ...] = ()
    at_stake: tuple[str, ...] = ()
    """Runs of which something lies on it alone."""
    told: tuple[Told, ...] = ()
    """Who knows of its deadline."""
    keeps_disk: bool = True
    """At its deadline it is stopped; else it is terminated."""
    has_firewall: bool = False
    """It is open to some networks alone."""
    listing: Listing | None = None
    """The newest look at its region."""
    doing: str = ""
    """How far its launch is, as the engine says."""
    problem: str = ""
    """Why the engine does not go on with it."""


def read(catalog: Catalog, instance: Instance) -> Story:
    """Read it. Runs in a thread."""
    from cloudtui_engine.fleet import commands, market
    from cloudtui_engine.fleet.told import told

    launch = catalog.launches.get(instance.launch_id) if instance.launch_id else None
    listings = [one for one in catalog.listings.list(instance.provider) if one.region == instance.region]
    work = None if launch is None else _work(catalog, launch)
    failed = work is not None and work.state is OperationState.FAILED
    can = market.cloud(instance.provider).can
    return Story(
        launch,
        tuple(catalog.launches.attempts(launch.id)) if launch is not None else (),
        tuple(str(one) for one in commands.at_stake(catalog, instance.id)),
        told(catalog, instance),
        can.get("stop", True) and not instance.spot,
        can.get("firewall", False),
        listings[0] if listings else None,
        "" if work is None or work.state.is_finished else str(work.progress.get("text", "")),
        f"{work.error.get('message', '')} {work.error.get('hint', '')}"
        if work is not None and failed
        else "",
    )


def _work(catalog: Catalog, launch: Launch) -> Operation | None:
    """What the engine does for a launch that is not over."""
    if launch.ended_at is not None:
        return None
    return catalog.operations.newest("instance.launch", launch.instance_id, {"launch": launch.id}, done=False)


def facts(machine: Machine, story: Story, now: float) -> list[Fact]:
    """The sheet's lines."""
    instance = machine.instance
    found = [Fact("Rented", style="heading")]
    if story.launch is not None and story.launch.state is LaunchState.FAILED:
        found += _failure(story.launch, now)
    about = (instance.machine_type, "spot" if instance.spot else "", instance.cloud_id)
    parts = (standing.place(instance), *about)
    found.append(Fact("cloud", clean_line(" · ".join(part for part in parts if part), 200)))
    found += _said(instance, story, now)
    if story.has_firewall and (hint := standing.shut_out(instance)):
        found.append(Fact("not reached", clean_line(hint, 200), "warn"))
    if not instance.is_gone and instance.forgotten_at is None:
        found.append(_deadline(instance, story, now))
        found += [_told(one) for one in story.told if not one.knows]
    found += _at_stake(instance, story.at_stake)
    price = instance.price_usd_per_hour
    found.append(Fact("price", "not known" if price is None else f"${fmt.money(price)} an hour"))
    if machine.today_usd is not None:
        found.append(Fact("today", f"${fmt.money(machine.today_usd)}"))
    if story.launch is None:
        return found
    found += _launched(story.launch, story.attempts, now)
    if story.problem:
        found.append(Fact("problem", clean_line(f"{story.problem} It is tried again.", 400), "bad"))
    return [*found, Fact("now", clean_line(story.doing, 300))] if story.doing else found


def _failure(launch: Launch, now: float) -> list[Fact]:
    error = launch.error
    ago = f"{fmt.since(launch.ended_at, now)} ago: " if launch.ended_at is not None else ""
    found = [Fact("failed", clean_line(f"{ago}{error.get('message', '')}", 400), "bad")]
    hint = clean_line(str(error.get("hint", "")), 300)
    return [*found, Fact("what to do", hint)] if hint else found


def _said(instance: Instance, story: Story, now: float) -> list[Fact]:
    """What the cloud said last, how old that is, and why it is not newer."""
    if instance.cloud_state is None:
        return []
    why = f" ({instance.cloud_reason})" if instance.cloud_reason else ""
    seen = f", {fmt.since(instance.cloud_seen_at, now)} ago" if instance.cloud_seen_at else ""
    old = standing.is_old(instance, now)
    found = [Fact("cloud says", clean_line(f"{instance.cloud_state}{why}{seen}"), "warn" if old else "")]
    if instance.wanted != "running" and not instance.is_gone:
        found.append(Fact("wanted", instance.wanted))
    listing = story.listing
    if listing is not None and not listing.complete and not instance.is_gone:
        text = f"Not seen whole {fmt.since(listing.asked_at, now)} ago. {listing.problem}"
        found.append(Fact("", clean_line(text, 300), "warn"))
    elif old:
        found.append(Fact("", "Nobody has asked it since: this is the last that is known.", "warn"))
    return found


def _deadline(instance: Instance, story: Story, now: float) -> Fact:
    at = instance.deadline_at
    if at is None:
        return Fact("deadline", "none: it runs until somebody ends it (e gives it one)", "warn")
    clock = time.strftime("%H:%M", time.localtime(at))
    what = "stopped then, the disk stays" if story.keeps_disk else f"unpulled results are lost at {clock}"
    over = at <= now
    text = f"{fmt.moment(at)}, {standing.deadline(instance, now)}; {what}"
    return Fact("deadline", text, "warn" if over or at - now < 900 or not story.keeps_disk else "")


def _told(one: Told) -> Fact:
    """Who does not know of it; that all of them do is the usual."""
    return Fact("", clean_line(f"… {standing.TELLING[one.who]}: {one.text}", 300), "warn")


def _at_stake(instance: Instance, names: Sequence[str]) -> list[Fact]:
    if not names:
        return []
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    text = clean_line(f"{', '.join(names[:_SHOWN])}{more}", 300)
    return [Fact("was lost" if instance.is_gone else "only there", text, "warn")]


def _launched(launch: Launch, attempts: Sequence[LaunchAttempt], now: float) -> list[Fact]:
    """How it was asked for, request by request."""
    found = [
        Fact(f"Launch, asked for {fmt.since(launch.created_at, now)} ago", style="heading"),
    ]
    for one in attempts:
        place = f"{one.type} in {one.zone or one.region}{', spot' if one.spot else ''}"
        at = one.resolved_at or one.sent_at or one.planned_at
        refused = one.state is AttemptState.REFUSED
        why = str(one.error.get("message", "")) if refused else ""
        text = f"{place}: {_CAME_TO[one.state]} {fmt.since(at, now)} ago. {why}".strip()
        found.append(Fact(str(one.number), clean_line(text, 400), "warn" if refused else ""))
    return found
