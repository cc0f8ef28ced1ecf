"""What the launch form knows: clouds, what they offer, the money; and what follows from a choice. Pure."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cloudtui import format as fmt
from cloudtui.dialogs.form_field import Option
from cloudtui.handlers import moments
from cloudtui.handlers.provider import question
from cloudtui_engine.errors import UsageError
from cloudtui_engine.money.amounts import dollars
from cloudtui_engine.money.prices import disk_rate
from cloudtui_engine.records.cloud import OFFERS, Cloud, CloudOffer, Offers
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui_engine.accounts import Money
    from cloudtui_engine.catalog import Catalog

SHOWN = 200
"""So many offers are listed; who wants a dearer one says more of what he wants."""
STALE_S = 600.0
"""Older offers are asked for anew when somebody looks."""
Line = tuple[str, str]
"""A text and the name of its style."""


@dataclass(frozen=True, slots=True)
class Market:
    """What there is to rent, as far as it is known."""

    clouds: Mapping[str, Cloud] = field(default_factory=dict)
    offers: Offers = field(default_factory=Offers)
    asking: bool = False
    """The clouds are being asked."""
    error: Mapping[str, Any] = field(default_factory=dict)
    """Why the newest question has no answer."""
    money: Money | None = None

    def is_stale(self, now: float) -> bool:
        """It should be asked for anew."""
        return not self.asking and now - self.offers.asked_at > STALE_S


def read(catalog: Catalog, now: float, *, spot: bool) -> Market:
    """Read it. Runs in a thread; no cloud is asked."""
    from cloudtui_engine.accounts import money
    from cloudtui_engine.fleet import market

    asked = question(spot=spot)
    newest = catalog.operations.newest(OFFERS, "", asked, done=False)
    done = catalog.operations.newest(OFFERS, "", asked)
    failed = newest is not None and newest.state == "failed"
    return Market(
        {one.name: one for one in market.clouds()},
        Offers.of(done.result, done.ended_at or 0.0) if done is not None else Offers(),
        newest is not None and not newest.state.is_finished,
        newest.error if newest is not None and failed else {},
        money(catalog, now),
    )


def key(offer: CloudOffer) -> str:
    """What an offer is chosen by."""
    return "|".join((offer.provider, offer.region, offer.type))


def options(market: Market, text: str) -> list[Option]:
    """The offers in which every word stands, the cheapest first."""
    words = text.lower().split()
    fitting = [one for one in market.offers.offers if all(word in _searched(one) for word in words)]
    return [Option(key(one), offer_text(one)) for one in fitting[:SHOWN]]


def _searched(one: CloudOffer) -> str:
    return f"{one.gpu} {one.type} {one.provider} {one.region} {' '.join(one.zones) or one.zone}".lower()


def offer_text(one: CloudOffer) -> str:
    """`  32.77  A100 x8 · p4d.24xlarge · aws us-east-1b`."""
    gpu = f"{one.gpu} x{one.gpus}" if one.gpus > 1 else one.gpu or f"{one.cpus} CPUs"
    gone = " · none left" if one.available is False else ""
    about = clean_line(f"{gpu} · {one.type} · {one.provider} {one.region or one.zone}{gone}", 120)
    return f"{fmt.money(one.price_usd_per_hour):>7}  {about}"


def chosen(market: Market, value: str) -> CloudOffer | None:
    """The offer of a key."""
    return next((one for one in market.offers.offers if key(one) == value), None)


def begin(market: Market, keys: Sequence[str]) -> str:
    """The offer to begin with: the cheapest that has a GPU, else the cheapest."""
    with_gpu = {key(one) for one in market.offers.offers if one.gpus}
    return next((one for one in keys if one in with_gpu), keys[0])


def arguments(offer: CloudOffer) -> dict[str, Any]:
    """What it is asked for by: all zones of its region, the cheapest first."""
    found: dict[str, Any] = {"provider": offer.provider, "type": offer.type}
    if offer.region:
        found["region"] = [offer.region]
    return {**found, "spot": True} if offer.spot else found


def said(market: Market, offer: CloudOffer | None, values: Mapping[str, str], now: float) -> list[Line]:
    """What the form says below its lines: cost, end, what the cloud cannot, budget, and the market."""
    lines: list[Line] = []
    if offer is not None:
        try:
            lifetime = moments.lifetime(values.get("deadline", "") or "none", now)
        except UsageError:
            return _market(market, now)  # the form says it in place of the command
        count = _count(values)
        cost = None if offer.price_usd_per_hour is None else offer.price_usd_per_hour * count
        lines += _cost(cost, count, lifetime, now)
        lines += _end(market.clouds.get(offer.provider), offer, lifetime, now)
        lines += _budgets(market.money, cost, lifetime)
    return lines + _market(market, now)


def _count(values: Mapping[str, str]) -> int:
    """What cannot be one is told beside its field."""
    try:
        return max(1, int(values.get("count", "") or 1))
    except ValueError:
        return 1


def _cost(cost: float | None, count: int, lifetime: int, now: float) -> list[Line]:
    if cost is None:
        return [("What it costs is not known.", "warn")]
    machines = f" for {count} machines" if count > 1 else ""
    if not lifetime:
        return [(f"${fmt.money(cost)} an hour{machines}, without an end.", "warn")]
    whole = fmt.money(cost * lifetime / 3600)
    until = _clock(now + lifetime, now)
    return [(f"${fmt.money(cost)} an hour{machines} · ${whole} until {until}, disk not included", "")]


def _clock(at: float, now: float) -> str:
    near = at - now < 20 * 3600
    return time.strftime("%H:%M", time.localtime(at)) if near else fmt.moment(at)


def _end(cloud: Cloud | None, offer: CloudOffer, lifetime: int, now: float) -> list[Line]:
    """What becomes of it, and of what lies on it."""
    can = cloud.can if cloud is not None else {}
    lines: list[Line] = []
    at = _clock(now + lifetime, now)
    if not lifetime:
        lines.append(("It runs until somebody ends it: give it a deadline.", "warn"))
    elif can.get("stop") and not offer.spot:
        unknown = disk_rate(offer.provider, 1, stopped=True) is None
        price = ", at a price that is not known here" if unknown else ""
        lines.append((f"At {at} it is stopped, even at work; its disk stays, and is paid for{price}.", ""))
    else:
        lines.append((f"At {at} it is terminated: unpulled results are lost at {at}.", "warn"))
    if lifetime and not can.get("power_off_ends") and not can.get("cloud_deadline"):
        text = f"{offer.provider} cannot end it by itself: an engine of yours has to run then."
        lines.append((text, "warn"))
    if offer.spot:
        lines.append(("The cloud may take it back at any time; runs go on from their checkpoints.", ""))
    if can.get("containers"):
        lines.append(("It is a container: no systemd, no power-off.", ""))
    return lines


def _budgets(money: Money | None, cost: float | None, lifetime: int) -> list[Line]:
    if money is None:
        return []
    lines: list[Line] = []
    asked = None if cost is None or not lifetime else cost * lifetime / 3600
    spent = {"launch": 0, "day": money.today, "month": money.month}
    for period, so_far in spent.items():
        limit = {"launch": money.budgets.launch, "day": money.budgets.day, "month": money.budgets.month}[
            period
        ]
        if limit is None:
            continue
        left = max(0.0, dollars(limit - so_far))
        over = asked is None or asked > left
        text = f"Budget: ${fmt.money(left)} of ${fmt.money(dollars(limit))} a {period} left"
        lines.append((text + (" · that is not enough" if over else ""), "bad" if over else ""))
    return lines


def _market(market: Market, now: float) -> list[Line]:
    """Where the offers come from, how old they are, and who has not answered."""
    if not market.clouds:
        return [
            ("No cloud is installed.", "warn"),
            ("For AWS: pip install 'cloudtui[aws]'. Others: cloudtui provider list", ""),
        ]
    lines: list[Line] = []
    found = len(market.offers.offers)
    names = ", ".join(market.clouds)
    if market.asking:
        lines.append((f"Asking {names} for offers…", "busy"))
    if market.error and not market.asking:
        text = f"{market.error.get('message', '')} {market.error.get('hint', '')}"
        lines.append((clean_line(text, 300), "bad"))
    if found:
        asked_at = market.offers.asked_at
        old = now - asked_at > STALE_S
        lines.append(
            (f"{fmt.count(found)} offers, {fmt.since(asked_at, now)} old", "warn" if old else "muted")
        )
    elif market.offers.asked_at and not market.asking and not market.error:
        lines.append(("No cloud offers such a machine. Spot or not may help.", "warn"))
    problems = market.offers.problems
    if problems and found:
        names = ", ".join(one.provider for one in problems)
        lines.append((f"Not among them: {names}. Why: cloudtui doctor", "muted"))
    elif problems:
        lines += [(clean_line(f"{one.provider}: {one.message} {one.hint}", 240), "warn") for one in problems]
    return lines
