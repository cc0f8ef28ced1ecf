"""Every home's machines in the clouds that this machine has credentials of: for who has lost a home.

An answer is the result of an operation and nothing else: no row is written, nobody here watches what is
listed, and nothing is ended by it. What a person takes up or ends gets a row by `orphans`, as any orphan.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import NotFoundError, RefusedError, UnreachableError
from cloudtui_engine.fleet.listing import listings
from cloudtui_engine.fleet.means import Interrupted, Means, ours
from cloudtui_engine.fleet.reconcile import address_of
from cloudtui_engine.records.instance import Address
from cloudtui_engine.records.launch import Orphan
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.records.survey import SURVEY, Stranger, Surveyed
from cloudtui_engine.sanitize import clean_line
from cloudtui_providers import base, registry
from cloudtui_providers.errors import ProviderError

Report = Callable[[str, int | None, int | None], None]


def submit(catalog: Catalog) -> list[Operation]:
    """Have every cloud that is installed asked, each by an operation of its own: none waits for another."""
    asked = []
    for name in registry.names():
        newest = catalog.operations.newest(SURVEY, name, {}, done=False)
        is_open = newest is not None and not newest.state.is_finished
        asked.append(newest if newest and is_open else catalog.operations.submit(SURVEY, name, {}))
    return asked


def ask(means: Means, name: str, report: Report) -> dict[str, object]:
    """Ask all regions of a cloud for machines with anybody's mark; nothing is changed there or here.

    Returns:
        See `records.survey.Surveyed`. Of a region that is not seen whole, what it listed before stays.

    Raises:
        CloudtuiError: the cloud, or every one of its regions, has not answered: the answer before stays.
    """
    cloud, now = means.cloud(name), means.clock.now()
    try:
        cloud.account()  # without credentials every region would fail, as if the cloud did not answer
        regions = sorted(set(cloud.regions()))
    except ProviderError as error:
        raise ours(error) from error
    found: list[Stranger] = []
    incomplete: dict[str, str] = {}
    for number, listing in enumerate(listings(cloud, regions, "", closing=means.closing), 1):
        if means.closing.is_set():
            raise Interrupted
        found += _strangers(name, listing, now)
        if not listing.complete:
            incomplete[listing.region] = clean_line(listing.problem, 300)
        machines = f"{len(found)} machine{'' if len(found) == 1 else 's'}"
        report(f"{name}: {number} of {len(regions)} regions, {machines}", number, len(regions))
    if incomplete and len(incomplete) == len(regions) and not found:
        why = next(iter(incomplete.values()))
        raise UnreachableError(f"No region of {name} has answered. {why}", "Ask again later.")
    found += _not_seen(_answer(means.catalog, name), found, incomplete)
    found.sort(key=lambda one: (one.machine.region, one.machine.cloud_id))
    kept = [one.as_dict() for one in found]
    return {"found": kept, "regions": len(regions), "incomplete": incomplete, "asked_at": now}


def newest(catalog: Catalog) -> list[Surveyed]:
    """What each cloud that is installed said last; machines that are on the list here are left out."""
    return [_newest(catalog, name) for name in registry.names()]


def find(catalog: Catalog, text: str) -> Stranger:
    """The one with this id of its cloud's, or whose id alone begins so, by the newest answers.

    Raises:
        NotFoundError: none was listed.
        RefusedError: there are several.
    """
    all_ = [one for cloud in newest(catalog) for one in cloud.found]
    found = [one for one in all_ if text and one.machine.cloud_id.startswith(text)]
    found = [one for one in found if one.machine.cloud_id == text] or found
    if not found:
        raise NotFoundError(
            f"No machine of any home was listed as {clean_line(text, 60)!r}.",
            "Ask the clouds: cloudtui instance orphans --everyone",
        )
    if len(found) > 1:
        named = ", ".join(f"{one.machine.cloud_id} ({one.machine.provider})" for one in found[:5])
        raise RefusedError(
            f"{text!r} names more than one machine: {named}.", "Give the whole id.", code="ambiguous"
        )
    return found[0]


# -- parts


def _strangers(name: str, listing: base.Listing, now: float) -> Iterable[Stranger]:
    for machine in listing.machines:
        if machine.state is not base.CloudState.TERMINATED:
            yield _stranger(name, listing.region, machine, now)


def _stranger(name: str, region: str, machine: base.Machine, now: float) -> Stranger:
    orphan = Orphan(
        provider=name,
        region=region,
        cloud_id=machine.id,
        token=clean_line(machine.token, 80),
        name=clean_line(machine.tags.get(base.NAME_TAG, ""), 80),
        type=clean_line(machine.type, 80),
        spot=machine.spot,
        state=str(machine.state),
        address=address_of(machine, Address()),
        price=None,
        first_seen_at=now,
        seen_at=now,
    )
    owner = clean_line(machine.tags.get(base.OWNER_TAG, ""), 80)
    return Stranger(orphan, owner, machine.created_at, _moment(machine.tags.get(base.DEADLINE_TAG, "")))


def _moment(text: str) -> float | None:
    """A tag is data: what is no time says nothing."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return None


def _not_seen(before: Surveyed, found: Collection[Stranger], incomplete: Collection[str]) -> list[Stranger]:
    """What regions listed before that are not seen whole now: it may still be there."""
    seen = {one.machine.cloud_id for one in found}
    return [
        one for one in before.found if one.machine.region in incomplete and one.machine.cloud_id not in seen
    ]


def _answer(catalog: Catalog, name: str) -> Surveyed:
    done = catalog.operations.newest(SURVEY, name, {})
    return Surveyed.of(name, done.result) if done is not None else Surveyed(name)


def _newest(catalog: Catalog, name: str) -> Surveyed:
    answer = _answer(catalog, name)
    asked = catalog.operations.newest(SURVEY, name, {}, done=False)
    is_open = asked is not None and not asked.state.is_finished
    known = _known(catalog, answer)
    return replace(
        answer,
        found=tuple(one for one in answer.found if one.machine.cloud_id not in known),
        asking=str(asked.progress.get("text") or f"{name} is asked") if asked and is_open else "",
        error=asked.error if asked is not None and asked.state == "failed" else {},
    )


def _known(catalog: Catalog, answer: Surveyed) -> set[str]:
    """The ids that are no stranger's: on the list here, ended by us, or of a launch that is under way."""
    rows = [
        one
        for one in catalog.instances.list(include_forgotten=True)
        if one.provider == answer.provider and one.cloud_id
    ]
    listed = {one.cloud_id for one in rows if one.forgotten_at is None or one.cloud_state == "terminated"}
    attempts = catalog.launches.by_tokens([one.machine.token for one in answer.found if one.machine.token])
    open_ = {one.id for one in catalog.launches.open()}
    coming = {token for token, attempt in attempts.items() if attempt.launch_id in open_}
    return listed | {one.machine.cloud_id for one in answer.found if one.machine.token in coming}
