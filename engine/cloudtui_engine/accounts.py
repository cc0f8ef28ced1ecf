"""The books of a home: what machines have cost, cost now and will cost, and whether one more may be rented.

All of it is reckoned from rows: what the catalog says of machines (when a cloud listed one last, when one of
the user's own was heard of last) becomes intervals that are paid for. So it does not matter who writes them,
how often, or whether the engine that saw something lived to account for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.money import budget, prices
from cloudtui_engine.money.accrual import Seen, owed
from cloudtui_engine.money.amounts import day_bounds, day_of, micro, month_bounds, ms
from cloudtui_engine.money.budget import Budgets, Commitment, Period, Refusal, Spent
from cloudtui_engine.records.instance import VANISHED, Instance

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


def account(catalog: Catalog) -> bool:
    """Turn what is known of machines into intervals that are paid for, and into what runs cost.

    Any number of times; what is accounted for is not looked at again.

    Returns:
        Something was added.
    """
    open_ = catalog.costs.open()
    fresh = False
    for instance in catalog.instances.list(include_forgotten=True):
        if instance.forgotten_at is not None and instance.id not in open_:
            continue
        seen = sighting(catalog, instance, known=instance.id in open_)
        if seen is not None:
            fresh |= catalog.costs.see(instance.id, seen)
    return bool(catalog.costs.settle()) or fresh


def sighting(catalog: Catalog, instance: Instance, *, known: bool = True) -> Seen | None:
    """What the catalog's row proves of a machine; None where nothing.

    Args:
        catalog: where it is.
        instance: the machine.
        known: something was paid for it up to now; else its order says since when it can have been.
    """
    if not instance.is_rented:
        rates = running(catalog, instance)
        return None if instance.seen_at is None else Seen(ms(instance.seen_at), rates)
    at = instance.missing_since if instance.cloud_state == VANISHED else instance.cloud_seen_at
    if at is None:
        return None
    ended_by = None if instance.deadline_at is None else ms(instance.deadline_at)
    since = None if known else _ordered_at(catalog, instance)
    return Seen(ms(at), running(catalog, instance), since, ended_by)


def running(catalog: Catalog, instance: Instance) -> dict[str, int]:
    """What is paid for a machine as it is now, in micro-dollars an hour."""
    found = price_of(catalog, instance)
    if not instance.is_rented:
        return owed(None, found.rate if found else None)
    disk = prices.disk_rate(instance.provider, _disk_gb(catalog, instance))
    return owed(instance.cloud_state, found.rate if found else None, disk)


def price_of(catalog: Catalog, instance: Instance) -> prices.Found | None:
    """What a machine costs an hour, and who says so."""
    known = None
    if instance.machine_type and instance.price_usd_per_hour is None:
        known = catalog.prices.find(
            instance.provider, instance.region, instance.machine_type, spot=instance.spot
        )
    return prices.look_up(
        instance.provider, instance.region, instance.machine_type, instance.spot,
        instance.price_usd_per_hour, known,
    )  # fmt: skip


def set_price(catalog: Catalog, instance_id: str, usd_per_hour: float | None, now: float) -> None:
    """Say what one of the user's own machines costs from now on; None: nothing, or nobody knows.

    Whoever prices a machine has it: up to now it is paid for at the price before.
    """
    with catalog.write("instance"):
        before = catalog.instances.get(instance_id)
        catalog.costs.see(instance_id, Seen(ms(now), running(catalog, before)))
        catalog.instances.update(instance_id, price_usd_per_hour=usd_per_hour)
        after = catalog.instances.get(instance_id)
        catalog.costs.see(instance_id, Seen(ms(now), running(catalog, after)))


def commitments(catalog: Catalog, now_ms: int) -> list[Commitment]:
    """All machines that cost money now or are about to: each from where its accounts end."""
    accounted = catalog.costs.open()
    failed = catalog.costs.never_made()
    found = []
    for instance in catalog.instances.list(include_forgotten=True):
        from_ms = accounted.get(instance.id, now_ms)
        if instance.is_rented:
            if not instance.is_gone and instance.id not in failed:
                until = None if instance.deadline_at is None else ms(instance.deadline_at)
                rate = _rate_to_come(catalog, instance)
                found.append(Commitment(instance.name, rate, from_ms, until))
        elif instance.forgotten_at is None and is_heard(instance, now_ms):
            rate = sum(running(catalog, instance).values())
            if rate:
                found.append(Commitment(instance.name, rate, max(from_ms, 0), None, is_own=True))
    return found


def is_heard(instance: Instance, now_ms: int) -> bool:
    """One of the user's own machines is taken for running."""
    return instance.seen_at is not None and now_ms - ms(instance.seen_at) < HEARD_MS


def _rate_to_come(catalog: Catalog, instance: Instance) -> int:
    """What a rented machine will cost an hour: one that is to run costs what a running one does."""
    found = price_of(catalog, instance)
    disk = prices.disk_rate(instance.provider, _disk_gb(catalog, instance))
    state = "stopped" if instance.cloud_state == "stopped" and instance.wanted != "running" else "running"
    return sum(owed(state, found.rate if found else None, disk).values())


def spent(catalog: Catalog, now_ms: int) -> Spent:
    """What accrued in this day and this month."""
    day = day_of(now_ms)
    return Spent(catalog.costs.spent(*day_bounds(day)), catalog.costs.spent(*month_bounds(day)))


def refusal(catalog: Catalog, asked: Sequence[Ordered], now: float) -> Refusal | None:
    """Whether the budgets forbid to rent these.

    Call it inside the transaction that writes the launch down: what others were promised meanwhile is seen,
    and nobody is promised anything between the question and the launch.
    """
    budgets = Budgets.from_settings(catalog.settings.all())
    if not budgets.any:
        return None
    now_ms = ms(now)
    wanted = [_commitment(one, now_ms) for one in asked]
    return budget.check(budgets, spent(catalog, now_ms), commitments(catalog, now_ms), wanted, now_ms)


def require(catalog: Catalog, asked: Sequence[Ordered], now: float) -> None:
    """As `refusal`.

    Raises:
        RefusedError: a budget forbids it; its code is `budget`.
    """
    found = refusal(catalog, asked, now)
    if found is not None:
        raise RefusedError(found.message, found.hint, code="budget")


def _commitment(one: Ordered, now_ms: int) -> Commitment:
    rate = None
    if one.price_usd_per_hour is not None:
        rate = micro(one.price_usd_per_hour) + prices.disk_rate(one.provider, one.disk_gb)
    return Commitment(one.name, rate, now_ms, now_ms + ms(one.lifetime_s) if one.lifetime_s else None)


def money(catalog: Catalog, now: float) -> Money:
    """How the home stands."""
    now_ms = ms(now)
    day = day_of(now_ms)
    so_far, to_come = spent(catalog, now_ms), commitments(catalog, now_ms)
    alive = [one for one in to_come if one.until_ms is None or one.until_ms > now_ms]
    return Money(
        sum(one.rate or 0 for one in alive),
        so_far.day,
        so_far.month,
        budget.forecast(so_far.day, to_come, now_ms, day_bounds(day)[1]),
        budget.forecast(so_far.month, to_come, now_ms, month_bounds(day)[1]),
        Budgets.from_settings(catalog.settings.all()),
    )


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


def _disk_gb(catalog: Catalog, instance: Instance) -> int:
    return catalog.costs.rented_disks().get(instance.id, 0)


def _ordered_at(catalog: Catalog, instance: Instance) -> int | None:
    """When the request went out that made the machine: before that nothing can have been paid for."""
    attempts = catalog.launches.attempts(instance.launch_id) if instance.launch_id else []
    sent = [one.sent_at for one in attempts if one.sent_at is not None]
    return ms(max(sent)) if sent else None
