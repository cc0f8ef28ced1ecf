"""Clouds before anything is rented: which there are, what they can do and offer, what is missing."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, NotFoundError, RefusedError, UnreachableError
from cloudtui_engine.fleet import whose
from cloudtui_engine.fleet.means import as_row, ours
from cloudtui_engine.money.amounts import dollars
from cloudtui_engine.money.prices import Price, look_up, rate_of
from cloudtui_engine.records.cloud import Cloud, CloudCheck, CloudOffer
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.sanitize import clean_line
from cloudtui_providers import base, registry
from cloudtui_providers.errors import ProviderError

Answer = TypeVar("Answer")
MOST = 2000
"""So many offers are kept of an answer; who wants a dearer one says more of what he wants."""


def clouds() -> list[Cloud]:
    """All providers that are installed, and what each can do. None of them is asked anything."""
    return [cloud(name) for name in registry.names()]


def cloud(name: str) -> Cloud:
    """One of them; where it cannot be used, why."""
    try:
        found = registry.provider(name)
    except ProviderError as error:
        row = as_row(error)
        return Cloud(name, name, problem=row["message"], hint=row["hint"])
    can = dataclasses.asdict(found.capabilities)
    token = str(can.pop("token"))
    return Cloud(name, clean_line(found.title, 60), can, token)


def require(name: str) -> None:
    """See that a provider is installed.

    Raises:
        NotFoundError: there is none of this name.
    """
    names = registry.names()
    if name not in names:
        raise NotFoundError(
            f"There is no provider '{clean_line(name, 40)}'.",
            f"Providers: {', '.join(names) or 'none is installed'}.",
        )


def claim(catalog: Catalog, name: str) -> None:
    """Say that the account which a cloud is asked in next is the one that our machines there are in.

    Raises:
        NotFoundError: there is none of this name.
    """
    require(name)
    whose.claim(catalog, name)


def require_stop(instances: Sequence[Instance]) -> None:
    """See that one of these machines at least has a cloud that can stop it and keep its disk.

    Where nobody here knows (its library is not installed), the engine says so.

    Raises:
        RefusedError: none of them has.
    """
    cannot = [(one.name, why) for one in instances if (why := _stops_none(one))]
    if cannot and len(cannot) == len(instances):
        name, why = cannot[0]
        raise RefusedError(
            why,
            "Have its results here first (cloudtui run pull NAME), then end it: "
            f"cloudtui instance terminate {name}",
            code="not_possible",
        )


def _stops_none(instance: Instance) -> str:
    """Why its cloud cannot; empty where it can."""
    try:
        found = registry.provider(instance.provider)
    except ProviderError:
        return ""
    can, who = found.capabilities, f"{clean_line(found.title, 60)} cannot stop {instance.name}"
    if not can.stop:
        return f"{who}: it keeps neither a machine that is off nor its disk."
    if instance.spot and not can.stop_spot:
        return f"{who}: it keeps no spot machine that is off, nor its disk."
    return ""


def offers(catalog: Catalog, name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Ask one cloud, or with an empty name all of them; their prices are kept.

    Returns:
        `{"offers", "problems", "left_out"}`: see `records.cloud.Offers`.

    Raises:
        CloudtuiError: the one that was asked, or every one, has not answered.
    """
    question = base.Wanted(**{**wanted, "regions": tuple(wanted.get("regions", ()))})
    found: list[base.Offer] = []
    problems: list[tuple[str, ProviderError]] = []
    for one, answered in _at_once([name] if name else registry.names(), lambda cloud: cloud.offers(question)):
        if isinstance(answered, ProviderError):
            problems.append((one, answered))
        else:
            _keep_prices(catalog, answered)
            found += (_priced(catalog, one) for one in answered)
    if problems and not found:
        raise _silence(problems)
    found.sort(key=_cheapest_first)
    kinds = _by_region(found)
    return {
        "offers": [one.as_dict() for one in kinds[:MOST]],
        "problems": [{"provider": one, **as_row(error)} for one, error in problems],
        "left_out": max(0, len(kinds) - MOST),
    }


def _silence(problems: Sequence[tuple[str, ProviderError]]) -> CloudtuiError:
    """No cloud has said what it has: what was known before stays the newest answer."""
    first = ours(problems[0][1])
    if len(problems) == 1:
        return first
    told = " ".join(f"{name}: {as_row(error)['message']}" for name, error in problems)
    return UnreachableError(f"No cloud has said what it offers. {told}", first.hint, code=first.code)


def check(name: str) -> list[CloudCheck]:
    """What is missing on this machine or in the account; changes nothing there.

    Raises:
        CloudtuiError: the provider cannot be used, or its cloud does not answer.
    """
    found = check_all([name])[name]
    if isinstance(found, CloudtuiError):
        raise found
    return found


def check_all(names: Sequence[str]) -> dict[str, list[CloudCheck] | CloudtuiError]:
    """The same of several clouds, asked at the same time; for each that cannot be asked why."""
    return {
        name: ours(found) if isinstance(found, ProviderError) else [_checked(one) for one in found]
        for name, found in _at_once(names, lambda cloud: cloud.check())
    }


def _checked(one: base.Check) -> CloudCheck:
    return CloudCheck(clean_line(one.name, 80), one.ok, clean_line(one.text, 300), clean_line(one.hint, 300))


def _at_once(
    names: Sequence[str], question: Callable[[base.Provider], list[Answer]]
) -> list[tuple[str, list[Answer] | ProviderError]]:
    """What each cloud answers, or why it does not, in the order of the names: none waits for another."""

    def ask(name: str) -> tuple[str, list[Answer] | ProviderError]:
        try:
            return name, question(registry.provider(name))
        except ProviderError as error:
            return name, error

    with ThreadPoolExecutor(max(1, len(names))) as threads:
        return list(threads.map(ask, names))


def _by_region(found: Iterable[base.Offer]) -> list[CloudOffer]:
    """One for each type in each region, by its cheapest zone that has any: a launch tries the others, too."""
    alike: dict[tuple[str, str, str, bool], list[base.Offer]] = {}
    for one in found:
        alike.setdefault((one.provider, one.region, one.type, one.spot), []).append(one)
    kept = []
    for offered in alike.values():
        there = [one for one in offered if one.available is not False] or offered
        zones = tuple(clean_line(one.zone, 60) for one in there if one.zone)
        kept.append(dataclasses.replace(_plain(there[0]), zones=zones))
    return sorted(kept, key=_cheapest_first)


def _cheapest_first(one: base.Offer | CloudOffer) -> float:
    return math.inf if one.price_usd_per_hour is None else one.price_usd_per_hour


def _plain(one: base.Offer) -> CloudOffer:
    return CloudOffer(
        provider=one.provider, region=clean_line(one.region, 60), zone=clean_line(one.zone, 60),
        type=clean_line(one.type, 80), gpu=clean_line(one.gpu, 60), gpus=one.gpus,
        gpu_memory_bytes=one.gpu_memory_bytes, cpus=one.cpus, memory_bytes=one.memory_bytes,
        price_usd_per_hour=one.price_usd_per_hour, spot=one.spot, as_of=one.as_of, available=one.available,
    )  # fmt: skip


def _priced(catalog: Catalog, one: base.Offer) -> base.Offer:
    """A cloud that does not say its price now has said it before, or the bundled list knows it."""
    if one.price_usd_per_hour is not None:
        return one
    said = catalog.prices.find(one.provider, one.region, one.type, spot=one.spot)
    known = look_up(one.provider, one.region, one.type, one.spot, None, said)
    if known is None:
        return one
    return dataclasses.replace(one, price_usd_per_hour=dollars(known.rate), as_of=known.as_of)


def _keep_prices(catalog: Catalog, offered: Sequence[base.Offer]) -> None:
    """The newest word on each type in each region; where zones differ the dearest."""
    today = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    dearest: dict[tuple[str, str, str, bool], Price] = {}
    for price in _prices(offered, today):
        key = (price.provider, price.region, price.type, price.spot)
        if key not in dearest or dearest[key].rate < price.rate:
            dearest[key] = price
    catalog.prices.refresh(dearest.values())


def _prices(offered: Sequence[base.Offer], today: str) -> Iterable[Price]:
    for one in offered:
        rate = rate_of(one.price_usd_per_hour)
        if rate is not None:
            yield Price(one.provider, one.region, one.type, one.spot, rate, one.as_of or today, one.provider)
