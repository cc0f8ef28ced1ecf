"""Money as whole micro-dollars, moments as whole milliseconds: sums are exact, whatever they are cut into."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MICRO = 1_000_000
HOUR_MS = 3_600_000
MOST = 10**15
"""A thousand million dollars: what is more is no price, and no bill."""


def micro(dollars: float | str) -> int:
    """Dollars as micro-dollars, rounded half up.

    Raises:
        ValueError: it is no amount of money: not finite, below zero, or absurd.
    """
    try:
        value = Decimal(str(dollars)) * MICRO
    except InvalidOperation:
        raise ValueError(f"{dollars!r} is no amount of money.") from None
    if not value.is_finite() or not 0 <= value <= MOST:
        raise ValueError(f"{dollars!r} is no amount of money.")
    return int(value.to_integral_value(ROUND_HALF_UP))


def dollars(amount: int) -> float:
    """Micro-dollars as people and JSON have them."""
    return amount / MICRO


def ms(t: float) -> int:
    """A moment in seconds as milliseconds."""
    return math.floor(t * 1000)


def over(rate: int, from_ms: int, to_ms: int) -> int:
    """What a rate (micro-dollars an hour) comes to; nothing where the end is before the beginning."""
    return rate * max(0, to_ms - from_ms) // HOUR_MS


def day_of(at_ms: int) -> date:
    """The day of a moment, in this machine's time zone."""
    return datetime.fromtimestamp(at_ms / 1000).astimezone().date()


def begin_of(day: date) -> int:
    """When a day begins here; days with a change of the clock have 23 or 25 hours."""
    return int(datetime(day.year, day.month, day.day).astimezone().timestamp() * 1000)


def day_bounds(day: date) -> tuple[int, int]:
    """A day, from its first millisecond to the first of the next."""
    return begin_of(day), begin_of(day + timedelta(days=1))


def month_bounds(day: date) -> tuple[int, int]:
    """The month of a day, likewise."""
    first = day.replace(day=1)
    return begin_of(first), begin_of((first + timedelta(days=32)).replace(day=1))
