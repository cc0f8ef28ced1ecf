"""The books of a home: what machines cost now and will cost, and whether one more may be rented."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cloudtui_engine.bookkeeping import account, disk_gb, price_of, running
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.money import budget, prices
from cloudtui_engine.money.accrual import OVERTIME_MS, owed
from cloudtui_engine.money.amounts import day_bounds, day_of, dollars, month_bounds, ms
from cloudtui_engine.money.budget import Budgets, Commitment, Period, Refusal, Spent
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Launch, Wish

ACCOUNT_EVERY_S = 10.0
HEARD_MS = 86_400_000
"""One of the user's own machines that was heard of within a day is taken for running."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A machine that somebody wants to rent."""

    name: str
    price_usd_per_hour: float | None
    """The most that it may cost; None: not known."""
    lifetime_s: float
    """Until its deadline; 0: it has none."""
    provider: str = ""
    disk_gb: int = 0


@dataclass(frozen=True, slots=True)
class Money:
    """How the home stands. All in micro-dollars."""

    rate: int
    """An hour, of all that runs."""
    today: int
    month: int
    today_ends_at: int
    """The forecast: if every machine runs on to its deadline, and no other comes."""
    month_ends_at: int
    budgets: Budgets


def commitments(catalog: Catalog, now_ms: int, renewed: str = "") -> list[Commitment]:
    """All machines that cost money now or are about to: each from where its accounts end.

    Args:
        catalog: the catalog.
        now_ms: the moment.
        renewed: the id of a machine that is promised something else from now on.
    """
    accounted = catalog.costs.open()
    failed = catalog.costs.never_made()
    found = []
    for instance in catalog.instances.list(include_forgotten=True):
        from_ms = accounted.get(instance.id, now_ms)
        if instance.is_rented:
            if not instance.is_gone and instance.id not in failed:
                rate = _rate_to_come(catalog, instance)
                until = _paid_until(catalog, instance, now_ms)
                if instance.id == renewed:
                    rate, until = rate or 0, now_ms
                found.append(Commitment(instance.name, rate, from_ms, until))
        elif instance.forgotten_at is None and is_heard(instance, accounted.get(instance.id), now_ms):
            rate = sum(running(catalog, instance).values())
            if rate:
                found.append(Commitment(instance.name, rate, max(from_ms, 0), None, is_own=True))
    return found + _orphans(catalog, now_ms)


def _paid_until(catalog: Catalog, instance: Instance, now_ms: int) -> int | None:
    """Until when a machine that was not seen gone will be paid for; None: nobody ends it.

    One that outlives its deadline is paid for until it is seen gone, which takes some minutes from whenever
    now is. The disk of one that was stopped has no deadline.
    """
    if instance.deadline_at is None or _rests(catalog, instance):
        return None
    return max(ms(instance.deadline_at), now_ms + OVERTIME_MS)


def _rests(catalog: Catalog, instance: Instance) -> bool:
    """It is stopped (it may have ended itself), and nobody starts it: its disk alone is paid for."""
    if instance.cloud_state != "stopped":
        return False
    starts = any(one.kind == "instance.start" for one in catalog.operations.open_for(instance.id))
    return instance.wanted != "running" or not starts


def _orphans(catalog: Catalog, now_ms: int) -> list[Commitment]:
    """Machines of ours without a row: nobody ends them, so they count without an end.

    What nobody knows the price of is left out: it must not hold up all else.
    """
    found = []
    for one in catalog.orphans.list():
        fresh = catalog.prices.find(one.provider, one.region, one.type, spot=one.spot)
        price = prices.look_up(one.provider, one.region, one.type, one.spot, one.price, fresh)
        rate = sum(owed(one.state, price.rate if price else None).values())
        if rate:
            found.append(Commitment(one.name or one.cloud_id, rate, now_ms, None))
    return found


def is_heard(instance: Instance, accounted_ms: int | None, now_ms: int) -> bool:
    """One of the user's own machines is taken for running: it was heard of, or priced, of late."""
    heard = max(ms(instance.seen_at or 0), accounted_ms or 0)
    return now_ms - heard < HEARD_MS


def _rate_to_come(catalog: Catalog, instance: Instance) -> int | None:
    """What a rented machine will cost an hour; None: nobody knows.

    One that is to run costs what a running one does. Of one whose order was not answered yet the dearest
    counts that may come of it.
    """
    found = price_of(catalog, instance)
    rate = found.rate if found else None
    if instance.price_usd_per_hour is None and not instance.cloud_id and instance.launch_id:
        asked = [one.price for one in catalog.launches.attempts(instance.launch_id)]
        may_be = [*asked, most_it_costs(catalog, catalog.launches.get(instance.launch_id).wish)]
        rate = max([known for one in may_be if (known := prices.rate_of(one)) is not None], default=rate)
    state = "stopped" if _rests(catalog, instance) else "running"
    disk = prices.disk_promise(instance.provider, disk_gb(catalog, instance), stopped=state == "stopped")
    if state == "running" and rate is None:
        return None
    return sum(owed(state, rate, disk).values())


def most_it_costs(catalog: Catalog, wish: Wish) -> float | None:
    """The most that a machine of this wish may cost, US dollars an hour; None: nobody knows."""
    kinds = [(wish.spot, wish.max_price)]
    if wish.spot and wish.on_demand_cap is not None:
        kinds.append((False, wish.on_demand_cap))
    known = [limit if limit is not None else _listed(catalog, wish, spot=spot) for spot, limit in kinds]
    return None if None in known else max(one for one in known if one is not None)


def _listed(catalog: Catalog, wish: Wish, *, spot: bool) -> float | None:
    """The dearest of the regions that it may be in."""
    regions = wish.regions if wish.type else ()
    found = [listed(catalog, wish.provider, region, wish.type, spot=spot) for region in regions]
    return None if not found or None in found else max(one for one in found if one is not None)


def listed(catalog: Catalog, provider: str, region: str, machine_type: str, *, spot: bool) -> float | None:
    """What is known here of the price of a kind of machine, US dollars an hour; None: nothing."""
    said = catalog.prices.find(provider, region, machine_type, spot=spot)
    found = prices.look_up(provider, region, machine_type, spot, None, said)
    return None if found is None else dollars(found.rate)


def spent(catalog: Catalog, now_ms: int) -> Spent:
    """What accrued in this day and this month."""
    day = day_of(now_ms)
    return Spent(catalog.costs.spent(*day_bounds(day)), catalog.costs.spent(*month_bounds(day)))


def refusal(catalog: Catalog, asked: Sequence[Ordered], now: float, *, renewed: str = "") -> Refusal | None:
    """Whether the budgets forbid to rent these.

    Call it inside the transaction that writes the launch down: what others were promised meanwhile is seen,
    and nobody is promised anything between the question and the launch.
    """
    budgets = Budgets.from_settings(catalog.settings.all())
    if not budgets.any:
        return None
    now_ms = ms(now)
    wanted = [_commitment(one, now_ms) for one in asked]
    promised = commitments(catalog, now_ms, renewed)
    return budget.check(budgets, spent(catalog, now_ms), promised, wanted, now_ms)


def require(catalog: Catalog, asked: Sequence[Ordered], now: float, *, renewed: str = "") -> None:
    """As `refusal`.

    Raises:
        RefusedError: a budget forbids it; its code is `budget`.
    """
    found = refusal(catalog, asked, now, renewed=renewed)
    if found is not None:
        raise RefusedError(found.message, found.hint, code="budget")


def has_budget(catalog: Catalog) -> bool:
    """Whether there is any."""
    return Budgets.from_settings(catalog.settings.all()).any


def refusal_of_request(
    catalog: Catalog, launch: Launch, instance: Instance, price: float | None, now: float
) -> RefusedError | None:
    """Whether the budgets forbid a request at the price that it would be sent with.

    Call it inside the transaction that writes the request down. It takes the place of what the launch was
    promised, and what was asked for together counts together.

    Args:
        catalog: the catalog.
        launch: the launch.
        instance: its row.
        price: US dollars an hour; None: nobody knows.
        now: the moment.
    """
    budgets = Budgets.from_settings(catalog.settings.all())
    if not budgets.any:
        return None
    now_ms = ms(now)
    left_s = 0.0 if instance.deadline_at is None else max(1.0, instance.deadline_at - now)
    asked = Ordered(instance.name, price, left_s, launch.provider, launch.wish.disk_gb)
    group = [one.instance_id for one in catalog.launches.group(launch.group_id) if one.id != launch.id]
    names = {catalog.instances.get(one).name for one in group} - {instance.name}
    promised = commitments(catalog, now_ms, instance.id)
    together = [_commitment(asked, now_ms), *(one for one in promised if one.name in names)]
    others = [one for one in promised if one.name not in names]
    found = budget.check(budgets, spent(catalog, now_ms), others, together, now_ms)
    if found is None:
        return None
    at = "" if price is None else f"{instance.name} would cost ${price:.3f} an hour now. "
    return RefusedError(f"{at}{found.message}", found.hint, code="budget")


def _commitment(one: Ordered, now_ms: int) -> Commitment:
    rate = prices.rate_of(one.price_usd_per_hour)
    if rate is not None:
        rate += prices.disk_promise(one.provider, one.disk_gb)
    return Commitment(one.name, rate, now_ms, now_ms + ms(one.lifetime_s) if one.lifetime_s else None)


def money(catalog: Catalog, now: float) -> Money:
    """How the home stands."""
    now_ms = ms(now)
    day = day_of(now_ms)
    so_far, to_come = spent(catalog, now_ms), commitments(catalog, now_ms)
    return Money(
        _rate(to_come, now_ms),
        so_far.day,
        so_far.month,
        budget.forecast(so_far.day, to_come, now_ms, day_bounds(day)[1]),
        budget.forecast(so_far.month, to_come, now_ms, month_bounds(day)[1]),
        Budgets.from_settings(catalog.settings.all()),
    )


def rate(catalog: Catalog, now: float) -> int:
    """Micro-dollars an hour, of all that runs."""
    return _rate(commitments(catalog, ms(now)), ms(now))


def _rate(to_come: Sequence[Commitment], now_ms: int) -> int:
    return sum(one.rate or 0 for one in to_come if one.until_ms is None or one.until_ms > now_ms)


def warn(catalog: Catalog, now: float) -> None:
    """Tell, once for each day or month and each limit, that most of a budget is spent."""
    budgets = Budgets.from_settings(catalog.settings.all())
    if budgets.day is None and budgets.month is None:
        return
    now_ms = ms(now)
    so_far, day = spent(catalog, now_ms), day_of(now_ms)
    periods: tuple[tuple[Period, int | None, int, str], ...] = (
        ("day", budgets.day, so_far.day, day.isoformat()),
        ("month", budgets.month, so_far.month, f"{day:%Y-%m}"),
    )
    for period, limit, amount, which in periods:
        if limit and amount >= budget.WARN_AT * limit:
            share = f"{amount * 100 // limit}%"
            catalog.notices.tell(
                "budget", f"{which}:{limit}", f"The {period}'s budget of {budget.said(limit)}",
                f"{budget.said(amount)} ({share}) are spent. See where: cloudtui cost",
            )  # fmt: skip


class Bookkeeper:
    """Keeps the books of a living engine: at once when a run began or ended, else every few seconds."""

    def __init__(self, catalog: Catalog, now: Callable[[], float] = time.time) -> None:
        self._catalog = catalog
        self._now = now
        self._next = 0.0

    def step(self) -> None:
        """Account for what is new, if it is time; the first step does."""
        at = time.monotonic()
        if at < self._next and not self._catalog.costs.is_due():
            return
        self._next = at + ACCOUNT_EVERY_S
        account(self._catalog, self._now())
        warn(self._catalog, self._now())
