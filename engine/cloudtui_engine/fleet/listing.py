"""Regions asked for their machines, several at a time: there are twenty, and each takes half a second."""

from __future__ import annotations

import queue
import threading
from collections.abc import Collection, Iterator, Sequence

from cloudtui_engine.errors import FailedError
from cloudtui_engine.fleet.means import as_row
from cloudtui_providers.base import Listing, Provider
from cloudtui_providers.errors import ProviderError

AT_ONCE = 8
Questions = queue.SimpleQueue[tuple[str, str]]
"""Regions, and whose machines are asked for there."""
Answers = queue.SimpleQueue[tuple[str, Listing | None]]


def listings(
    cloud: Provider, regions: Sequence[str], owner: str, everyones: Collection[str] = ()
) -> Iterator[Listing]:
    """What each region lists, as it comes; one that does not answer lists nothing, and is not complete.

    The threads are daemons: an engine that ends does not wait for a cloud.

    Args:
        cloud: the provider.
        regions: which are asked.
        owner: whose machines; empty: everyone's.
        everyones: the regions that are asked for everyone's all the same.

    Raises:
        FailedError: the provider failed as none may.
    """
    left: Questions = queue.SimpleQueue()
    answers: Answers = queue.SimpleQueue()
    for region in regions:
        left.put((region, "" if region in everyones else owner))
    for _ in range(min(AT_ONCE, len(regions))):
        threading.Thread(target=_ask, args=(cloud, left, answers), name="fleet.listing", daemon=True).start()
    for _ in regions:
        region, listing = answers.get()
        if listing is None:
            raise FailedError(f"A defect in the provider {cloud.name}, in {region}.", "See the engine's log.")
        yield listing


def _ask(cloud: Provider, left: Questions, answers: Answers) -> None:
    while True:
        try:
            region, owner = left.get_nowait()
        except queue.Empty:
            return
        listing = None
        try:
            listing = _one(cloud, region, owner)
        finally:
            answers.put((region, listing))


def _one(cloud: Provider, region: str, owner: str) -> Listing:
    try:
        return cloud.machines(region, owner)
    except ProviderError as error:
        row = as_row(error)
        return Listing(region, (), complete=False, problem=f"{row['message']} {row['hint']}".strip())
