"""What it costs, and what it may cost."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from cloudtui_engine.errors import UsageError
from cloudtui_engine.money.amounts import micro
from cloudtui_engine.money.budget import PERIODS, SETTING, Period
from cloudtui_engine.sanitize import clean_line

if TYPE_CHECKING:
    from cloudtui.handlers.session import Session
    from cloudtui_engine.accounts import Money
    from cloudtui_engine.statement import Statement

VIEWS = ("instance", "run", "day")
_BUDGET = re.compile(r"\$?(?P<amount>\d{1,9}(?:\.\d{1,6})?)\s*/\s*(?P<period>[a-z]+)")
_PRICE = re.compile(r"\$?(?P<amount>\d{1,6}(?:\.\d{1,6})?)(?:/h)?")
_FREE = frozenset({"none", "-", "–"})


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget, and how much of it is spent; in micro-dollars."""

    period: Period
    limit: int
    spent: int | None
    """None for that of a launch."""
    forecast: int | None
    """What will have been spent at the end of the day or month, as it stands."""


@dataclass(frozen=True, slots=True)
class CostReport:
    """The money of a home, by what the person asked for."""

    statement: Statement
    by: tuple[str, ...]


def cost(session: Session, by: str = "instance") -> CostReport:
    """What machines have cost.

    Raises:
        UsageError: it can be told by instance, run and day alone.
    """
    from cloudtui_engine.statement import statement

    views = tuple(dict.fromkeys(word for one in by.split(",") if (word := one.strip())))
    unknown = [one for one in views if one not in VIEWS]
    if unknown or not views:
        named = f"'{clean_line(unknown[0], 40)}'" if unknown else "nothing"
        raise UsageError(f"Costs are not told by {named}.", "Any of: --by instance,run,day")
    return CostReport(statement(session.catalog, time.time()), views)


def set_budget(session: Session, amount: str) -> list[BudgetState]:
    """Set a budget; launches from now on are held to it.

    Raises:
        UsageError: that is none.
    """
    match = _BUDGET.fullmatch(amount.strip().lower())
    if match is None or match["period"] not in PERIODS:
        raise UsageError(
            f"'{clean_line(amount, 40)}' is no budget.", "Write it as 50/month, 8/day or 5/launch."
        )
    session.catalog.settings.set(SETTING + match["period"], micro(match["amount"]))
    return budgets(session)


def budgets(session: Session) -> list[BudgetState]:
    """All budgets."""
    from cloudtui_engine.accounts import money

    return states(money(session.catalog, time.time()))


def clear_budgets(session: Session, period: str | None = None) -> list[BudgetState]:
    """Take a budget away, or all.

    Raises:
        UsageError: there is no such period.
    """
    if period and period not in PERIODS:
        raise UsageError(
            f"There is no budget for '{clean_line(period, 40)}'.", f"One of: {', '.join(PERIODS)}"
        )
    for one in [period] if period else get_args(Period):
        session.catalog.settings.unset(SETTING + one)
    return budgets(session)


def states(money: Money) -> list[BudgetState]:
    """The budgets that are set, the longest first."""
    known: dict[Period, tuple[int | None, int | None]] = {
        "month": (money.month, money.month_ends_at),
        "day": (money.today, money.today_ends_at),
        "launch": (None, None),
    }
    return [
        BudgetState(period, limit, *known[period])
        for period in known
        if (limit := money.budgets.of(period)) is not None
    ]


def price(text: str) -> float | None:
    """What somebody says that a machine costs an hour, US dollars; None for `none`.

    Raises:
        UsageError: it is no price.
    """
    wanted = text.strip().lower()
    if wanted in _FREE:
        return None
    match = _PRICE.fullmatch(wanted)
    if match is None:
        raise UsageError(
            f"'{clean_line(text, 40)}' is no price of a machine.",
            "US dollars an hour, as 1.10; or none, where it costs nothing.",
        )
    return float(match["amount"])
