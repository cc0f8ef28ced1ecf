"""Budgets, pure: what fits, what does not, and what is said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise

import pytest

from cloudtui_engine.money.amounts import HOUR_MS, begin_of, day_bounds, day_of, micro, month_bounds
from cloudtui_engine.money.budget import Budgets, Commitment, Spent, check, forecast, said

NOON = 1_790_000_000_000 // 86_400_000 * 86_400_000 + 12 * HOUR_MS


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def machine(hours: float | None, price: str | None = "1", start: int = NOON, **more: bool) -> Commitment:
    until = None if hours is None else start + int(hours * HOUR_MS)
    return Commitment("gpu-1", None if price is None else micro(price), start, until, **more)


def test_without_a_budget_all_is_possible() -> None:
    assert check(Budgets(), Spent(), [], [machine(None, None)], NOON) is None


def test_to_the_cent() -> None:
    month = Budgets(month=micro(50))
    spent, living = Spent(0, micro(40)), [machine(6)]
    assert check(month, spent, living, [machine(4)], NOON) is None
    refused = check(month, spent, living, [machine(4, "1.01")], NOON)
    assert refused is not None
    assert refused.figures == {
        "limit": micro(50), "spent": micro(40), "committed": micro(6), "asked": micro("4.04"),
    }  # fmt: skip
    assert "$4.00 of the month's $50.00 are left ($40.00 spent, $6.00 promised" in refused.message
    assert "budget set" in refused.hint


def test_a_launch_alone_and_a_group() -> None:
    assert check(Budgets(launch=micro(8)), Spent(), [], [machine(4)] * 2, NOON) is None
    refused = check(Budgets(launch=micro(8)), Spent(), [], [machine(4)] * 3, NOON)
    assert refused is not None
    assert refused.period == "launch"


def test_every_day_that_it_reaches_is_looked_at() -> None:
    day = Budgets(day=micro(24))
    assert check(day, Spent(), [], [machine(48)], NOON) is None, "12, 24 and 12 hours."
    tomorrow = [machine(2, start=NOON + 20 * HOUR_MS)]
    refused = check(day, Spent(), tomorrow, [machine(48)], NOON)
    assert refused is not None, "Tomorrow would cost 26."
    assert refused.figures["committed"] == micro(2)
    assert check(day, Spent(day=micro(12)), [], [machine(48)], NOON) is None
    assert check(day, Spent(day=micro("12.01")), [], [machine(48)], NOON) is not None


def test_what_has_no_end_or_no_price_fits_into_no_budget() -> None:
    for asked, word in ((machine(None), "deadline"), (machine(4, None), "--max-price")):
        refused = check(Budgets(month=micro(10**6)), Spent(), [], [asked], NOON)
        assert refused is not None
        assert word in refused.hint


def test_the_users_own_machines_are_no_promise() -> None:
    own = [machine(None, "5", is_own=True)]
    assert check(Budgets(day=micro(4)), Spent(), own, [machine(4)], NOON) is None
    rented = [machine(None, "5")]
    assert check(Budgets(day=micro(4)), Spent(), rented, [machine(4)], NOON) is not None


def test_forecast() -> None:
    end = day_bounds(day_of(NOON))[1]
    assert forecast(micro(3), [machine(4), machine(None, "0.5")], NOON, end) == micro(3 + 4 + 6)


def test_settings_that_are_no_amounts_are_no_budgets() -> None:
    assert Budgets.from_settings({"budget.day": "5", "budget.month": -1, "budget.launch": True}) == Budgets()
    assert Budgets.from_settings({"budget.day": 5}).day == 5


def test_days_of_a_time_zone_that_changes_its_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    first, last = day_bounds(date(2026, 3, 29))
    assert last - first == 23 * HOUR_MS
    first, last = month_bounds(date(2026, 10, 9))
    assert last - first == (31 * 24 + 1) * HOUR_MS
    assert begin_of(date(2026, 10, 1)) == first


def test_days_lie_end_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Santiago")  # where the clock changes at midnight
    time.tzset()
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]
    bounds = [day_bounds(day) for day in days]
    assert all(one[1] == two[0] for one, two in pairwise(bounds))


def test_little_is_not_nothing() -> None:
    assert [said(amount) for amount in (0, 1, 5_000, 1_234_500_000)] == [
        "$0.00", "under $0.01", "$0.01", "$1,234.50",
    ]  # fmt: skip
