"""Budgets: what may be spent for a launch, a day, a month; checked before anything is rented. Pure.

A budget is checked inside the transaction that writes a launch down, against all that is spent, all that is
promised (machines that live until their deadline, launches whose answer is not known yet) and what is asked
for now. So of any number of people who ask at the same time, only as many get what they ask for as fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, NamedTuple

from cloudtui_engine.money.amounts import MICRO, day_bounds, day_of, month_bounds, over

Period = Literal["launch", "day", "month"]
PERIODS: tuple[Period, ...] = ("launch", "day", "month")
SETTING = "budget."
"""The setting `budget.month` holds micro-dollars."""
WARN_AT = 0.8
FURTHEST_MS = 400 * 86_400_000
"""Further than this no deadline is looked at day by day."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """Limits in micro-dollars; None: there is none."""

    launch: int | None = None
    day: int | None = None
    month: int | None = None

    def of(self, period: Period) -> int | None:
        """The limit for a launch, a day or a month."""
        return {"launch": self.launch, "day": self.day, "month": self.month}[period]

    @property
    def any(self) -> bool:
        """There is one."""
        return (self.launch, self.day, self.month) != (None, None, None)

    @classmethod
    def from_settings(cls, kept: Mapping[str, object]) -> Budgets:
        """As the catalog's settings have them; what is no amount counts as none."""
        found = {period: kept.get(SETTING + period) for period in PERIODS}
        return cls(**{period: value for period, value in found.items() if type(value) is int and value >= 0})


@dataclass(frozen=True, slots=True)
class Commitment:
    """A machine that is, or will be, paid for."""

    name: str
    rate: int | None
    """Micro-dollars an hour, disks included; None: not known."""
    from_ms: int
    until_ms: int | None
    """Its deadline; None: it has none."""
    is_own: bool = False
    """Not rented by us: what it has cost counts, what it will cost is nothing that we ordered."""

    def cost(self, from_ms: int, to_ms: int) -> int:
        """Micro-dollars between two moments."""
        last = to_ms if self.until_ms is None else min(to_ms, self.until_ms)
        return over(self.rate or 0, max(from_ms, self.from_ms), last)


@dataclass(frozen=True, slots=True)
class Spent:
    """What accrued in this day and this month, micro-dollars."""

    day: int = 0
    month: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something is not rented."""

    period: Period
    message: str
    hint: str
    figures: Mapping[str, int] = field(default_factory=dict)
    """Micro-dollars: `limit, spent, committed, asked`."""


def check(
    budgets: Budgets, spent: Spent, committed: Sequence[Commitment], asked: Sequence[Commitment], now_ms: int
) -> Refusal | None:
    """Whether what is asked for fits into all budgets that it touches, to the last day of its deadline.

    Args:
        budgets: the limits.
        spent: what accrued already.
        committed: machines that live, and launches that are not known to have failed.
        asked: what is to be rented now.
        now_ms: the moment.
    """
    if not budgets.any or not asked:
        return None
    period: Period = next(one for one in PERIODS if budgets.of(one) is not None)
    if any(one.rate is None for one in asked):
        return Refusal(
            period, f"What {asked[0].name} costs is not known, so no budget can be held.",
            "Say what it may cost with --max-price, or take the budget away: cloudtui budget clear",
        )  # fmt: skip
    if any(one.until_ms is None for one in asked):
        return Refusal(
            period, f"{asked[0].name} would run without an end, so no budget can be held.",
            "Give it a deadline, as --deadline 4h, or take the budget away: cloudtui budget clear",
        )  # fmt: skip
    unknown = next((one for one in committed if one.rate is None and not one.is_own), None)
    if unknown is not None:
        return Refusal(
            period, f"What {unknown.name} costs is not known, so no budget can be held.",
            f"Say what it costs: cloudtui instance price {unknown.name} AMOUNT",
        )  # fmt: skip
    last = min(max(one.until_ms or 0 for one in asked), now_ms + FURTHEST_MS)
    stretches = _stretches(budgets, spent, now_ms, last)
    refused = (_check(stretch, committed, asked) for stretch in stretches)
    return _check_launch(budgets, asked, now_ms) or next((one for one in refused if one is not None), None)


def _check_launch(budgets: Budgets, asked: Sequence[Commitment], now_ms: int) -> Refusal | None:
    cost = sum(one.cost(now_ms, one.until_ms or now_ms) for one in asked)
    if budgets.launch is None or cost <= budgets.launch:
        return None
    return Refusal(
        "launch", f"It costs up to {said(cost)} by its deadline; a launch may cost {said(budgets.launch)}.",
        "Ask for less, for a shorter time, or raise it: cloudtui budget set AMOUNT/launch",
        {"limit": budgets.launch, "spent": 0, "committed": 0, "asked": cost},
    )  # fmt: skip


class _Stretch(NamedTuple):
    """A day or a month that has a budget, and what was spent in it."""

    period: Period
    limit: int
    from_ms: int
    to_ms: int
    spent: int


def _stretches(budgets: Budgets, spent: Spent, now_ms: int, last_ms: int) -> Iterator[_Stretch]:
    """Every day and month with a budget, from now to the last moment."""
    day = day_of(now_ms)
    while budgets.day is not None:
        first, end = day_bounds(day)
        yield _Stretch("day", budgets.day, first, end, spent.day if first <= now_ms else 0)
        day += timedelta(days=1)
        if end >= last_ms:
            break
    month = day_of(now_ms)
    while budgets.month is not None:
        first, end = month_bounds(month)
        yield _Stretch("month", budgets.month, first, end, spent.month if first <= now_ms else 0)
        month = day_of(end)
        if end >= last_ms:
            break


def _check(stretch: _Stretch, committed: Sequence[Commitment], asked: Sequence[Commitment]) -> Refusal | None:
    period, limit, first, last, spent = stretch
    promised = sum(one.cost(first, last) for one in committed if not one.is_own)
    wanted = sum(one.cost(first, last) for one in asked)
    if spent + promised + wanted <= limit:
        return None
    when = f"{day_of(first):%d %B %Y}" if period == "day" else f"{day_of(first):%B %Y}"
    free = max(0, limit - spent - promised)
    return Refusal(
        period,
        f"It costs up to {said(wanted)} in {when}; {said(free)} of the {period}'s {said(limit)} are left"
        f" ({said(spent)} spent, {said(promised)} promised to machines until their deadlines).",
        f"Ask for less, end a machine, or raise it: cloudtui budget set AMOUNT/{period}",
        {"limit": limit, "spent": spent, "committed": promised, "asked": wanted},
    )


def forecast(spent: int, committed: Sequence[Commitment], now_ms: int, end_ms: int) -> int:
    """What will have been spent by then, if every machine runs on to its deadline and no other comes."""
    return spent + sum(one.cost(min(one.from_ms, now_ms), end_ms) for one in committed)


def said(amount: int) -> str:
    """An amount in a sentence: `$1,234.50`; what is little is not said to be nothing."""
    return "under $0.01" if 0 < amount < 5000 else f"${amount / MICRO:,.2f}"
