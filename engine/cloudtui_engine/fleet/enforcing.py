"""Deadlines carried out: what is due is ended, what ends soon is told of, a cloud hears of another end."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.fleet import installation, results
from cloudtui_engine.fleet.clock import Clock
from cloudtui_engine.fleet.deadlines import KIND, LATE_S, End, ends, late, to_tell, warned
from cloudtui_engine.fleet.means import ours
from cloudtui_engine.fleet.trusting import settle
from cloudtui_engine.records.instance import Instance, LinkState
from cloudtui_providers import registry
from cloudtui_providers.errors import MachineGone, NotPossibleError, ProviderError

log = logging.getLogger(__name__)

_logged: set[tuple[str, str]] = set()
"""Machines and what was wrong with them: it is looked at every second, and written into the log once."""


def enforce(catalog: Catalog, clock: Clock) -> int:
    """End what is due, and say before what ends; returns how many operations are new. Any number of times.

    Of machines whose cloud has not confirmed our clock nothing is done, and nothing at all in a copied home:
    the other one may have given them more time. What is wrong with one machine keeps no other from its end.
    """
    if installation.is_copy(catalog, catalog.paths):
        return 0
    instances, now = settle(catalog, catalog.instances.list(), clock), clock.now()
    ending = {one.target for one in catalog.operations.open_of(("instance.stop", "instance.terminate"))}
    waiting = {one.target for one in catalog.operations.open_of((KIND,))}
    fresh = 0
    for one in instances:
        try:
            if one.id not in ending:
                fresh += sum(_end(catalog, end, now) for end in ends([one], now, can_be_stopped))
            # One that waits for its host tells what the row says by then: a second would only wait beside it.
            if one.id not in waiting:
                fresh += _have_told(catalog, one, now)
            _note(catalog, one, now)
        except CatalogError:
            raise
        except Exception as error:  # broad: whatever is wrong with one machine, the others have to end, too
            if (one.id, repr(error)) not in _logged:
                _logged.add((one.id, repr(error)))
                log.exception("The end of %s cannot be seen to", one.name)
    return fresh


def _have_told(catalog: Catalog, one: Instance, now: float) -> int:
    for instance_id, key in to_tell([one], now, work_on(catalog, [one])):
        if not catalog.operations.has_key(key):
            catalog.operations.submit(KIND, instance_id, {}, key)
            return 1
    return 0


def _note(catalog: Catalog, one: Instance, now: float) -> None:
    """What a person is told of its end, before and after."""
    if not one.is_rented and one.deadline_at is not None and now - one.deadline_at > LATE_S:
        # It has ended itself, if it could; whoever starts it again has not asked for another end.
        catalog.instances.update(one.id, deadline_at=None)
    if warned([one], now):
        catalog.notices.tell("deadline", _news(one), one.name, _warning(catalog, one))
    if late([one], now):
        catalog.notices.tell("overdue", _news(one), one.name, _lateness(one, now))


def _end(catalog: Catalog, end: End, now: float) -> int:
    """Have it ended, unless somebody gave it more time, or ended it, while it was looked at."""
    if catalog.operations.has_key(end.key):
        return 0
    with catalog.write("instance", "operation", durable=True):
        if end not in ends([catalog.instances.get(end.instance_id)], now, can_be_stopped):
            return 0
        catalog.instances.update(end.instance_id, wanted=end.wanted)
        catalog.operations.submit(f"instance.{end.verb}", end.instance_id, {}, end.key)
    return 1


def can_be_stopped(instance: Instance) -> bool:
    """Whether its cloud keeps its disk; one that the cloud may take back is not kept for anybody.

    Where nobody knows (its library is not installed), nothing is thrown away.
    """
    try:
        return registry.provider(instance.provider).capabilities.stop and not instance.spot
    except ProviderError:
        return True


def idle_limit(catalog: Catalog, instance: Instance) -> int | None:
    """After how much quiet it ends itself, seconds; 0: never. None: it was not launched here.

    One that is paid for when it is off, too, would cost the same and be of no use. And one whose disk goes
    with it waits for its results to be here: at its deadline they are lost, which was said, but not before.
    """
    if not instance.launch_id:
        return None
    try:
        ends = registry.provider(instance.provider).capabilities.power_off_ends
    except ProviderError:
        ends = False
    if not ends or (not can_be_stopped(instance) and results.at_stake(catalog, instance.id)):
        return 0
    return catalog.launches.get(instance.launch_id).wish.idle_s


def work_on(catalog: Catalog, instances: Sequence[Instance]) -> dict[str, str]:
    """Of machines whose disk goes with them: the newest work, and whether something is there alone."""
    found = {}
    for one in instances:
        if one.launch_id and one.link_state is LinkState.UP and not can_be_stopped(one):
            attempts = catalog.runs.on_instance(one.id)
            if attempts:
                _, newest = attempts[-1]
                lost = "keeps" if results.at_stake(catalog, one.id) else "free"
                found[one.id] = f"{lost}:{newest.run_id}:{newest.number}"
    return found


def tell_cloud(instance: Instance, deadline: str, lifetime_s: int) -> bool:
    """Have the cloud end it at another time; False where it keeps no deadline, or no machine.

    Args:
        instance: a rented machine.
        deadline: RFC 3339, UTC; empty: none.
        lifetime_s: the same as seconds from now; 0: none.

    Raises:
        CloudtuiError: it has one, and does not move it.
    """
    try:
        registry.provider(instance.provider).set_deadline(
            instance.region, instance.cloud_id, deadline, lifetime_s
        )
    except (NotPossibleError, MachineGone):
        return False
    except ProviderError as error:
        raise ours(error) from error
    return True


def _news(instance: Instance) -> str:
    return f"{instance.id}:{int(instance.deadline_at or 0)}"


def _warning(catalog: Catalog, instance: Instance) -> str:
    at = time.strftime("%H:%M", time.localtime(instance.deadline_at))
    more = f"More time: cloudtui instance deadline {instance.name} +2h"
    if can_be_stopped(instance):
        return f"It is stopped at {at}, whatever runs on it; its disk stays. {more}"
    lost = ", ".join(str(one) for one in results.at_stake(catalog, instance.id))
    what = f"and with it what was not pulled: {lost}" if lost else "and nothing lies there alone"
    return f"It is terminated at {at}, {what}. {more}"


def _lateness(instance: Instance, now: float) -> str:
    minutes = int((now - (instance.deadline_at or now)) // 60)
    return (
        f"Its deadline was {minutes} minutes ago and it still runs, and costs what it costs. "
        f"See why: cloudtui instance show {instance.name}"
    )
