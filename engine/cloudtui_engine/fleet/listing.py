"""Regions asked for their machines, several at a time: there are twenty, and each takes half a second."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence

from cloudtui_engine.fleet.means import Interrupted, as_row
from cloudtui_providers.base import Listing, Provider
from cloudtui_providers.errors import ProviderError

log = logging.getLogger(__name__)

AT_ONCE = 8
REGION_S = 180.0
"""A region that has said nothing for so long is looked at next time: the others have waited long enough."""
POLL_S = 0.2
Answers = queue.SimpleQueue[tuple[str, Listing]]

_hung: dict[tuple[str, str], threading.Thread] = {}
"""By cloud and region: who asked there and was given up. While one lives that region is not asked again."""


def listings(
    cloud: Provider,
    regions: Sequence[str],
    owner: str,
    everyones: Collection[str] = (),
    *,
    closing: threading.Event | None = None,
) -> Iterator[Listing]:
    """What each region lists, as it comes; one that does not answer lists nothing, and is not complete.

    The threads are daemons: neither a look nor an engine that ends waits for a cloud for ever.

    Args:
        cloud: the provider.
        regions: which are asked.
        owner: whose machines; empty: everyone's.
        everyones: the regions that are asked for everyone's all the same.
        closing: set when the engine ends.

    Raises:
        Interrupted: the engine ends.
    """
    left, asked = deque(regions), dict[str, tuple[threading.Thread, float]]()
    answers: Answers = queue.SimpleQueue()
    while left or asked:
        while left and len(asked) < AT_ONCE:
            region = left.popleft()
            if (before := _hung.get((cloud.name, region))) is not None and before.is_alive():
                yield _silent(region, "It has not answered the question before.")
                continue
            whose = "" if region in everyones else owner
            thread = threading.Thread(
                target=_ask, args=(cloud, region, whose, answers), name="fleet.listing", daemon=True
            )
            asked[region] = thread, time.monotonic() + REGION_S
            thread.start()
        try:
            region, listing = answers.get(timeout=POLL_S)
        except queue.Empty:
            if closing is not None and closing.is_set():
                raise Interrupted from None
            for region in [one for one, (_, last) in asked.items() if time.monotonic() > last]:
                _hung[cloud.name, region] = asked.pop(region)[0]
                yield _silent(region, f"It has not answered within {REGION_S / 60:.0f} minutes.")
            continue
        if asked.pop(region, None) is not None:  # else it comes too late, and was told as silent
            yield listing


def _ask(cloud: Provider, region: str, owner: str, answers: Answers) -> None:
    listing = _silent(region, f"A defect in the provider {cloud.name}: see the engine's log.")
    try:
        listing = _one(cloud, region, owner)
    except Exception:  # broad: what is wrong in one region must not be the end of the look at the others
        log.exception("%s in %s", cloud.name, region)
    finally:
        answers.put((region, listing))


def _silent(region: str, problem: str) -> Listing:
    return Listing(region, (), complete=False, problem=problem)


def _one(cloud: Provider, region: str, owner: str) -> Listing:
    try:
        return cloud.machines(region, owner)
    except ProviderError as error:
        row = as_row(error)
        return _silent(region, f"{row['message']} {row['hint']}".strip())
