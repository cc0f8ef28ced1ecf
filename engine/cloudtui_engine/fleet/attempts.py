"""What to try next for a machine that is wanted, from the wish and what came of earlier requests. Pure.

The one rule that is never broken: while a machine may have come of a request, no other request is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cloudtui_engine.records.launch import AttemptState, LaunchAttempt, Wish
from cloudtui_providers.base import Offer

MOST_ATTEMPTS = 64
MOST_PATIENT = 2000
"""The same of a launch that waits for capacity."""
MOST_ABSENT = 3
"""Requests whose answer was lost and of which nothing came, before a launch is given up."""
PASSING = frozenset({"throttled", "unreachable"})
"""Nothing was changed by what was sent: the same request goes out again."""
_HERE = frozenset({"capacity"})
_REGION = frozenset({"quota"})
_LOST = frozenset({"", "ambiguous", "withdrawn"}) | PASSING
"""What an attempt that is absent may bear: nothing in it speaks against the same place."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place and a kind of machine to ask for."""

    region: str
    zone: str
    type: str
    spot: bool
    price: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Write down a new request."""

    number: int
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request that was written down and never sent, or that changed nothing."""

    attempt: LaunchAttempt


@dataclass(frozen=True, slots=True)
class Resolve:
    """Find out whether a machine came of this request; nothing else may be done before."""

    attempt: LaunchAttempt


@dataclass(frozen=True, slots=True)
class Adopted:
    """There is a machine."""

    attempt: LaunchAttempt


@dataclass(frozen=True, slots=True)
class End:
    """No machine came, and none will: all requests are dead."""

    error: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Wait:
    """None is to be had now, and the launch has time."""

    why: str


Step = Plan | Send | Resolve | Adopted | End | Wait


def candidates(
    wish: Wish,
    spot: Iterable[Offer],
    on_demand: Iterable[Offer],
    known: Mapping[Offer, float] | None = None,
) -> list[Candidate]:
    """The places to try, in order: as offered; on-demand ones for a wish of spot only below its cap.

    Zones that took such a machine away are left out while there is any other place.

    Args:
        wish: what is wanted.
        spot: offers of spot machines, cheapest first.
        on_demand: the same of others.
        known: what is known here of those without a price. It tells whether they fit, and is no cloud's word.
    """
    known = known or {}
    if not wish.spot:
        return _fitting(wish, on_demand, wish.max_price, known, spot=False)
    found = _fitting(wish, spot, wish.max_price, {}, spot=True)
    others = [place for place in found if place.zone not in wish.avoid]
    if wish.on_demand_cap is not None:
        others += _fitting(wish, on_demand, wish.on_demand_cap, known, spot=False)
    return others or found


def without_offers(wish: Wish) -> list[Candidate]:
    """The places that the wish itself names, for a cloud that cannot say what it has; no price is known.

    Empty where the wish does not name them, or has a price that only an offer could be held against.
    """
    if not wish.type or (wish.max_price is not None and not wish.spot):
        return []
    return [
        Candidate(region, zone, wish.type, wish.spot)
        for region in wish.regions
        for zone in (_zones_in(wish, region) if wish.zones else ("",))
    ]


def matches(wish: Wish, offer: Offer) -> bool:
    """Whether it is what is wanted, whatever it costs."""
    return (
        (not wish.type or offer.type == wish.type)
        and wish.gpu.lower() in offer.gpu.lower()
        and (not wish.regions or offer.region in wish.regions)
        and offer.available is not False
    )


def _fitting(
    wish: Wish, offers: Iterable[Offer], most: float | None, known: Mapping[Offer, float], *, spot: bool
) -> list[Candidate]:
    found: list[Candidate] = []
    for offer in offers:
        price = known.get(offer, offer.price_usd_per_hour)
        if (
            not matches(wish, offer)
            or (most is not None and price is not None and price > most)
            # A bid holds spot below its price; an unknown price of others might be any.
            or (most is not None and price is None and not spot)
        ):
            continue
        zones = (offer.zone,) if offer.zone or not wish.zones else _zones_in(wish, offer.region)
        found += [
            Candidate(offer.region, zone, offer.type, spot, offer.price_usd_per_hour)
            for zone in zones
            if not wish.zones or zone in wish.zones
        ]
    return list(dict.fromkeys(found))


def _zones_in(wish: Wish, region: str) -> list[str]:
    """The wished zones that may be of a region: a zone is named after its region, or by a number."""
    own = [zone for zone in wish.zones if zone.startswith(region)]
    return own or [zone for zone in wish.zones if zone.isdigit()]


def next_step(
    attempts: Sequence[LaunchAttempt],
    places: Sequence[Candidate],
    *,
    too_late: str = "",
    patient_since: float | None = None,
) -> Step:
    """What comes next.

    Args:
        attempts: every request of the launch so far.
        places: the `candidates` of now.
        too_late: why nothing new is to be begun; empty: it may be.
        patient_since: a refusal for want of capacity that is older speaks against nothing any more, and the
            launch waits where nothing is left to try; None: it ends then.
    """
    alive = next((one for one in attempts if not one.state.is_dead), None)
    if alive is not None and alive.state is AttemptState.ADOPTED:
        return Adopted(alive)
    if alive is not None and alive.state.may_live:
        return Resolve(alive)
    if too_late:
        return End({"code": "too_late", "message": too_late, "hint": "Launch it again."})
    if alive is not None:
        return Send(alive)
    most = MOST_ATTEMPTS if patient_since is None else MOST_PATIENT
    return _ended(attempts, most) or _fresh(attempts, places, patient_since)


def _ended(attempts: Sequence[LaunchAttempt], most: int) -> End | None:
    """The end that the newest refusal or too many tries make; None: go on."""
    if not attempts:
        return None
    error = {name: str(value) for name, value in attempts[-1].error.items()}
    if error.get("code", "") not in _HERE | _REGION | _LOST:
        return End(error)
    absent = sum(one.state is AttemptState.ABSENT for one in attempts)
    if absent >= MOST_ABSENT or len(attempts) >= most:
        return End(
            {
                "code": "given_up",
                "message": f"No machine came of {len(attempts)} requests, {absent} of them unanswered.",
                "hint": "Look at the cloud's status page, then launch it again.",
            }
        )
    return None


def _fresh(
    attempts: Sequence[LaunchAttempt], places: Sequence[Candidate], patient_since: float | None
) -> Step:
    heard = [one for one in attempts if not _is_old(one, patient_since)]
    left = [place for place in places if not any(_speaks_against(one, place) for one in heard)]
    if not left:
        error = _nothing_left(attempts)
        return End(error) if patient_since is None or error["code"] in _REGION else Wait(error["message"])
    last = attempts[-1] if attempts else None
    near = [
        one
        for one in left
        if last and (one.region, one.type, one.spot) == (last.region, last.type, last.spot)
    ]
    return Plan((last.number if last else 0) + 1, (near or left)[0])


def _is_old(attempt: LaunchAttempt, patient_since: float | None) -> bool:
    """What was full then may have room by now; a quota is as it was."""
    since = attempt.resolved_at
    return (
        patient_since is not None
        and since is not None
        and since < patient_since
        and attempt.error.get("code") in _HERE
    )


def _speaks_against(attempt: LaunchAttempt, place: Candidate) -> bool:
    """This kind of machine was not to be had there: in that zone, or in the whole region."""
    if (attempt.region, attempt.type, attempt.spot) != (place.region, place.type, place.spot):
        return False
    code = str(attempt.error.get("code", ""))
    return code in _REGION or (code in _HERE and attempt.zone in {"", place.zone})


def _nothing_left(attempts: Sequence[LaunchAttempt]) -> dict[str, str]:
    if not attempts:
        return {
            "code": "no_offer",
            "message": "The cloud offers no such machine for this wish.",
            "hint": "See what it has: cloudtui instance offers. Another region, type or price may help; "
            "what has no price is below no limit.",
        }
    tried = list(dict.fromkeys(f"{one.type} in {one.zone or one.region}" for one in attempts))
    shown = ", ".join(tried[:6]) + (", ..." if len(tried) > 6 else "")
    last = {name: str(value) for name, value in attempts[-1].error.items()}
    return {
        **last,
        "code": last.get("code") or "capacity",
        "message": f"None to be had: {shown}. {last.get('message', '')}".strip(),
        "hint": last.get("hint") or "Try another region, zone or type, or later.",
    }
