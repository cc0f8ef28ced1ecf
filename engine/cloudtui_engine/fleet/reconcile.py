"""What a listing means for what is known here. Pure.

Complete and incomplete listings are told apart: what is not in an incomplete one may still be there. What is
not in complete ones for five minutes, seen at two of them, has vanished; it is not called terminated, for no
cloud said so. A machine that was told to end, and was heard, needs no more than two listings without it. One
whose cloud had said that it takes it back needs two a minute apart; where its history says so, one will do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cloudtui_engine.records.instance import NOTICED, PREEMPTED, VANISHED, Address, Instance
from cloudtui_engine.records.launch import AttemptState, Launch, LaunchAttempt, LaunchState, Orphan
from cloudtui_engine.sanitize import clean_line
from cloudtui_providers.base import NAME_TAG, CloudState, Listing, Machine

GRACE_S = 300.0
"""So long complete listings must have been without a machine before it counts as vanished."""
ENDING_GRACE_S = 15.0
"""The same of one whose end the cloud has accepted."""
TAKEN_GRACE_S = 60.0
"""The same of one that its cloud had told that it takes it back."""
UNEXPLAINED_S = 3600.0
"""So long its cloud's history is asked about a spot machine that has vanished: some are written late."""
RETURNS_S = 3600.0
"""So long after its deadline one that has vanished is looked for: a wrong list ends nothing."""
DOUBLE_S = 3600.0
"""So long after it was sent a request may have made a machine; what came later is not ended by us."""
ENDED = frozenset({CloudState.TERMINATING, CloudState.TERMINATED})
Passed = Callable[[float], float]
"""How many seconds ago a moment was."""
_NOWHERE = frozenset({CloudState.STOPPED, CloudState.TERMINATED})
_ADOPTABLE = frozenset(
    {AttemptState.PLANNED, AttemptState.SENT, AttemptState.UNRESOLVED, AttemptState.ABSENT}
)


@dataclass(frozen=True, slots=True)
class Known:
    """What this catalog knows, as far as a listing is held against it."""

    instances: Sequence[Instance] = ()
    """Of this provider, not forgotten."""
    attempts: Mapping[str, LaunchAttempt] = field(default_factory=dict)
    """By token, of the tokens that were listed."""
    launches: Mapping[str, Launch] = field(default_factory=dict)
    """Of those attempts."""
    newest: Mapping[str, int] = field(default_factory=dict)
    """The number of the newest attempt of each of those launches."""
    orphans: Sequence[Orphan] = ()
    """Of this provider."""
    taken: frozenset[str] = frozenset()
    """The ids of rows whose machines the cloud took back, by its own history."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be written, and what is to be ended."""

    updates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Fields by instance id."""
    adoptions: Sequence[tuple[LaunchAttempt, Machine]] = ()
    """Machines of requests whose answer was lost."""
    doubles: Sequence[Machine] = ()
    """Machines of requests that count as dead, or of launches that have another one: nobody's, and ours."""
    orphans: Sequence[Orphan] = ()
    """As they are now."""
    orphans_gone: Sequence[str] = ()


def compare(
    provider: str,
    known: Known,
    listing: Listing,
    now: float,
    passed: Passed | None = None,
) -> Changes:
    """What a look at one region changes.

    Args:
        provider: whose.
        known: what is known here.
        listing: what the cloud lists of ours.
        now: when it was asked.
        passed: how long ago a moment was, which a clock that is set says wrong (`Clock.passed`); default: by
            `now`.
    """
    passed = passed or (lambda since: now - since)
    rows = {one.cloud_id: one for one in known.instances if one.cloud_id}
    updates: dict[str, Mapping[str, Any]] = {}
    adoptions: list[tuple[LaunchAttempt, Machine]] = []
    doubles: list[Machine] = []
    strays: list[Machine] = []
    for machine in listing.machines:
        row = rows.get(machine.id)
        if row is not None:
            updates[row.id] = seen(row, machine, now)
            continue
        attempt = known.attempts.get(machine.token)
        meaning = _meaning(attempt, known, machine, now)
        if meaning == "adopt" and attempt is not None:
            adoptions.append((attempt, machine))
        elif meaning == "double":
            doubles.append(machine)
        elif meaning == "stray":
            strays.append(machine)
    if listing.complete:
        for row in _unlisted(known.instances, listing):
            if row.id in known.taken and (not row.is_gone or is_unexplained(row)):
                updates[row.id] = _ended(row, PREEMPTED) | {"missing_since": row.missing_since or now}
            elif not row.is_gone and (fields := _missing(row, now, passed)):
                updates[row.id] = fields
    kept, gone = _orphans(provider, known.orphans, strays, listing, now, passed)
    return Changes(updates, adoptions, doubles, kept, gone)


def unexplained(instances: Iterable[Instance], listing: Listing, now: float) -> list[Instance]:
    """The spot machines that a complete listing lacks, and of which nobody here knows why.

    Args:
        instances: what is known of this provider.
        listing: what the cloud lists of ours.
        now: when it was asked.
    """
    if not listing.complete:
        return []
    return [
        row
        for row in _unlisted(instances, listing)
        if row.spot and row.wanted == "running" and (not row.is_gone or is_unexplained(row, now))
    ]


def is_unexplained(row: Instance, now: float | None = None) -> bool:
    """Whether its cloud's history may still say why a spot machine is listed no more."""
    since = row.missing_since
    return (
        row.spot
        and row.is_gone
        and row.wanted == "running"
        and not row.cloud_reason
        and since is not None
        and (now is None or 0 <= now - since <= UNEXPLAINED_S)
    )


def may_return(row: Instance, now: float) -> bool:
    """Whether one that has vanished, by no word of its cloud, is still looked for: it may live, unlisted."""
    last = row.missing_since if row.deadline_at is None else row.deadline_at
    return row.cloud_state == VANISHED and not is_proven(row) and now < (last or 0.0) + RETURNS_S


def is_proven(row: Instance) -> bool:
    """Its machine is no more, by its cloud's word; that it is not listed is none, without a word before."""
    return row.is_gone and (row.cloud_state != VANISHED or row.cloud_reason in {NOTICED, PREEMPTED})


def _unlisted(instances: Iterable[Instance], listing: Listing) -> list[Instance]:
    there = {machine.id for machine in listing.machines}
    return [
        row
        for row in instances
        if row.cloud_id and row.region == listing.region and row.cloud_id not in there
    ]


def seen(row: Instance, machine: Machine, now: float) -> dict[str, Any]:
    """The fields of a row after its machine was seen."""
    if row.cloud_state == CloudState.TERMINATED and row.missing_since is None:
        return {"cloud_seen_at": now}  # a list that lags brings nothing back
    return {
        "cloud_state": str(machine.state),
        "cloud_seen_at": now,
        "cloud_reason": _reason(row, machine),
        "missing_since": None,
        "address": address_of(machine, row.address),
        "zone": clean_line(machine.zone, 80) or row.zone,
        "machine_type": clean_line(machine.type, 80) or row.machine_type,
        "spot": machine.spot or row.spot,
    }


def _reason(row: Instance, machine: Machine) -> str:
    """The cloud's word; where it has none, that of the machine, which was told before."""
    if machine.reason or row.cloud_reason not in {NOTICED, PREEMPTED}:
        return clean_line(machine.reason, 200)
    return PREEMPTED if machine.state in ENDED else row.cloud_reason


def address_of(machine: Machine, before: Address) -> Address:
    """Where it is reached now. One that does not run has no address: its old one may be a stranger's."""
    if machine.address:
        user = clean_line(machine.user, 64) or before.user
        return Address(clean_line(machine.address, 255), user, machine.port, before.key_file)
    return replace(before, host="") if machine.state in _NOWHERE else before


def _meaning(attempt: LaunchAttempt | None, known: Known, machine: Machine, now: float) -> str:
    """What a machine without a row is: to be adopted, a double of ours, a stray, or nothing any more."""
    launch = known.launches.get(attempt.launch_id) if attempt is not None else None
    if attempt is None or launch is None:
        return "" if machine.state is CloudState.TERMINATED else "stray"
    is_newest = attempt.number == known.newest.get(launch.id)
    if launch.state is LaunchState.OPEN and attempt.state in _ADOPTABLE and is_newest:
        return "adopt"
    if machine.state in ENDED:
        return ""
    if attempt.state is AttemptState.ADOPTED:
        return "stray"  # its row was forgotten while it lives, or somebody copied the tags with the machine
    born = now if machine.created_at is None else machine.created_at
    # Made much later it was made by somebody who copied the tags with the machine, not by a request of ours.
    return "double" if born <= (attempt.sent_at or 0.0) + DOUBLE_S else "stray"


def _missing(row: Instance, now: float, passed: Passed) -> dict[str, Any]:
    if row.missing_since is None or row.missing_since > now:
        passed(now)  # from here on it is seen to go by
        return {"missing_since": now}
    ending, told = row.cloud_state == CloudState.TERMINATING, row.cloud_reason in {NOTICED, PREEMPTED}
    if passed(row.missing_since) < (ENDING_GRACE_S if ending else TAKEN_GRACE_S if told else GRACE_S):
        return {}
    if ending or told:
        return _ended(row, PREEMPTED if told else row.cloud_reason)
    return {"cloud_state": VANISHED, "address": replace(row.address, host="")}


def _ended(row: Instance, reason: str) -> dict[str, Any]:
    """Its cloud has said it, before or in its history."""
    return {
        "cloud_state": str(CloudState.TERMINATED),
        "cloud_reason": reason,
        "address": replace(row.address, host=""),
    }


def _orphans(  # noqa: PLR0917 - as `compare` has them
    provider: str,
    known: Iterable[Orphan],
    strays: Iterable[Machine],
    listing: Listing,
    now: float,
    passed: Passed,
) -> tuple[list[Orphan], list[str]]:
    """The orphans of this region as they are now, and the ids of those that are none any more."""
    before = {one.cloud_id: one for one in known if one.region == listing.region}
    kept = [_orphan(provider, listing.region, one, before.pop(one.id, None), now) for one in strays]
    listed = {machine.id: machine for machine in listing.machines}
    gone: list[str] = []
    for orphan in before.values():
        if orphan.cloud_id in listed:
            gone.append(orphan.cloud_id)  # it has a row now, or has ended
        elif listing.complete and orphan.missing_since is None:
            passed(now)
            kept.append(replace(orphan, missing_since=now))
        elif listing.complete and passed(orphan.missing_since or now) >= GRACE_S:
            gone.append(orphan.cloud_id)
    return kept, gone


def _orphan(provider: str, region: str, machine: Machine, before: Orphan | None, now: float) -> Orphan:
    return Orphan(
        provider=provider,
        region=region,
        cloud_id=machine.id,
        token=clean_line(machine.token, 80),
        name=clean_line(machine.tags.get(NAME_TAG, ""), 80),
        type=clean_line(machine.type, 80),
        spot=machine.spot,
        state=str(machine.state),
        address=address_of(machine, Address()),
        price=before.price if before else None,
        first_seen_at=before.first_seen_at if before else now,
        seen_at=now,
    )
