"""One look at a cloud: a listing a region, held against what is known, and written down."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.fleet import adoption, installation, losing, news, reconcile, stopped
from cloudtui_engine.fleet.listing import listings
from cloudtui_engine.fleet.means import Interrupted, Means, ours
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Listing
from cloudtui_engine.sanitize import clean_line
from cloudtui_providers import base
from cloudtui_providers.base import Provider
from cloudtui_providers.errors import ProviderError

log = logging.getLogger(__name__)


def look(means: Means, name: str, *, everywhere: bool = False) -> Mapping[str, Any]:
    """Look at every region where something of ours lives or may live.

    Args:
        means: the engine.
        name: the provider.
        everywhere: in all regions of the account: for machines that nothing here speaks of.

    Returns:
        `{"machines": seen, "orphans": now, "incomplete": [regions]}`.
    """
    owner = installation.owner(means.catalog)
    if not owner:
        return {"machines": 0, "orphans": 0, "incomplete": []}
    seen, incomplete = 0, []
    cloud = _cloud(means, name)
    taken_up = _taken_up(means, name)
    regions = _regions(means, cloud, name, everywhere=everywhere)
    everyones = {region for region, _ in taken_up}
    for answer in listings(cloud, regions, owner, everyones, closing=means.closing):
        if means.closing.is_set():
            raise Interrupted
        listing = _without_strangers(answer, owner, taken_up)
        _apply(means, cloud, name, listing)
        seen += len(listing.machines)
        if not listing.complete:
            incomplete.append(listing.region)
    return {"machines": seen, "orphans": len(means.catalog.orphans.list(name)), "incomplete": incomplete}


def _cloud(means: Means, name: str) -> Provider:
    """The provider; where it cannot be asked, that is what the regions' looks say."""
    try:
        return means.cloud(name)
    except CloudtuiError as error:
        problem = clean_line(f"{error.message} {error.hint}", 300)
        for region in live_regions(means, name):
            looked = Listing(name, region, means.clock.now(), complete=False, problem=problem)
            means.catalog.listings.save(looked)
        raise


def _taken_up(means: Means, name: str) -> set[tuple[str, str]]:
    """Region and id of machines that were taken up, not launched: they may bear another home's mark."""
    now = means.clock.now()
    return {
        (one.region, one.cloud_id)
        for one in means.catalog.instances.rented()
        if one.provider == name
        and one.cloud_id
        and not one.launch_id
        and (not one.is_gone or reconcile.may_return(one, now))
    }


def _without_strangers(
    listing: base.Listing, owner: str, taken_up: Collection[tuple[str, str]]
) -> base.Listing:
    """What a region lists, without what is neither ours nor taken up by us where it lists everyone's."""
    if listing.region not in {region for region, _ in taken_up}:
        return listing
    kept = [
        one
        for one in listing.machines
        if one.tags.get(base.OWNER_TAG) == owner or (listing.region, one.id) in taken_up
    ]
    return replace(listing, machines=kept)


def live_regions(means: Means, name: str) -> set[str]:
    """Where something of ours lives or may live, or has vanished and may be explained."""
    catalog = means.catalog
    now = means.clock.now()
    rows = {
        one.region
        for one in catalog.instances.rented()
        if one.provider == name
        and one.cloud_id
        and (not one.is_gone or reconcile.may_return(one, now) or reconcile.is_unexplained(one, now))
    }
    asked = {one.region for one in catalog.launches.may_live(name)}
    return rows | asked | {one.region for one in catalog.orphans.list(name)}


def _regions(means: Means, cloud: Provider, name: str, *, everywhere: bool) -> list[str]:
    """Where something lives is asked first."""
    live = live_regions(means, name)
    found = set(live)
    if everywhere:
        try:
            found |= set(cloud.regions())
        except ProviderError as error:
            # The regions that are known are looked at all the same.
            log.warning("%s: %s", name, ours(error).message)
            if not found:
                raise ours(error) from error
    return sorted(found, key=lambda region: (region not in live, region))


def _apply(means: Means, cloud: Provider, name: str, listing: base.Listing) -> None:
    """Write down what is new, in one transaction with what it was held against."""
    catalog, now = means.catalog, means.clock.now()
    taken = _taken_back(means, cloud, name, listing)
    with catalog.write("instance", durable=True):
        known = _known(means, name, listing, taken)
        changes = reconcile.compare(name, known, listing, now, means.clock.passed)
        rows = {one.id: one for one in known.instances}
        for instance_id, fields in changes.updates.items():
            news.taken(catalog, rows[instance_id], fields)
            catalog.instances.update(instance_id, **fields)
            _lose(catalog, rows[instance_id], now)
            stopped.look(catalog, catalog.instances.get(instance_id))
        for attempt, machine in changes.adoptions:
            adoption.adopt(catalog, attempt, machine, now)
        for orphan in changes.orphans:
            news.orphan(catalog, orphan)
            catalog.orphans.save(orphan)
        catalog.orphans.drop(name, changes.orphans_gone)
        catalog.listings.save(
            Listing(name, listing.region, now, listing.complete, clean_line(listing.problem, 300))
        )
    if not installation.is_copy(catalog, means.paths):
        _end(cloud, name, changes.doubles, listing.region)


def _taken_back(means: Means, cloud: Provider, name: str, listing: base.Listing) -> frozenset[str]:
    """The spot machines that are listed no more and that the cloud's own history has as taken back."""
    rows = [one for one in means.catalog.instances.rented() if one.provider == name]
    found: set[str] = set()
    for row in reconcile.unexplained(rows, listing, means.clock.now()):
        try:
            found |= {row.id} if cloud.taken_back(row.region, row.cloud_id) else set()
        except ProviderError as error:
            # It is told as one that vanished, if nobody says more of it in time.
            log.warning("%s: why %s is gone is not known: %s", name, row.cloud_id, ours(error).message)
    return frozenset(found)


def _lose(catalog: Catalog, before: Instance, now: float) -> None:
    """What lived on a machine that is gone, by its cloud's word, ends with it."""
    machine = catalog.instances.get(before.id)
    if reconcile.is_proven(machine) and not reconcile.is_proven(before):
        losing.lose(catalog, machine.id, machine.cloud_reason or str(machine.cloud_state), now)


def _known(means: Means, name: str, listing: base.Listing, taken: frozenset[str]) -> reconcile.Known:
    catalog = means.catalog
    attempts = catalog.launches.by_tokens([one.token for one in listing.machines if one.token])
    ids = {one.launch_id for one in attempts.values()}
    return reconcile.Known(
        instances=[one for one in catalog.instances.rented() if one.provider == name],
        attempts=attempts,
        launches={one: catalog.launches.get(one) for one in ids},
        newest={one: catalog.launches.attempts(one)[-1].number for one in ids},
        orphans=catalog.orphans.list(name),
        taken=taken,
    )


def _end(cloud: Provider, name: str, doubles: Iterable[base.Machine], region: str) -> None:
    """End machines that came of requests which count as dead; what fails is seen again at the next look."""
    for machine in doubles:
        log.warning("%s: %s came of a request that was given up, and is ended.", name, machine.id)
        try:
            cloud.terminate(region, machine.id)
        except ProviderError as error:
            problem: CloudtuiError = ours(error)
            log.warning("%s: %s is not ended: %s", name, machine.id, problem.message)
