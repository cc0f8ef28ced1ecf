"""What stands beside the list: how the home stands, its budgets, its days. From a statement, pure."""

from __future__ import annotations

from cloudtui import format as fmt
from cloudtui.areas.cost.rows import Entry, usd
from cloudtui.widgets.bars import Bar
from cloudtui.widgets.facts import Fact
from cloudtui.widgets.pillars import Pillar
from cloudtui_engine.money.amounts import dollars
from cloudtui_engine.money.budget import WARN_AT, Period
from cloudtui_engine.sanitize import clean_line
from cloudtui_engine.statement import InstanceCost, Statement

PERIODS: tuple[Period, ...] = ("month", "day", "launch")


def standing(told: Statement) -> list[tuple[str, str, str]]:
    """(what, how much, what it comes to): now, today, this month."""
    money = told.money
    return [
        ("Now", f"${usd(money.rate)}/h", f"${usd(told.total)} in all, ${usd(told.idle)} while nothing ran"),
        ("Today", f"${usd(money.today)}", f"${usd(money.today_ends_at)} by midnight as it stands"),
        ("Month", f"${usd(money.month)}", f"${usd(money.month_ends_at)} by its end as it stands"),
    ]


def budget_bars(told: Statement) -> list[Bar]:
    """A bar a budget; the mark is where it ends as it stands."""
    money = told.money
    known = {"month": (money.month, money.month_ends_at), "day": (money.today, money.today_ends_at)}
    found = []
    for period in PERIODS:
        limit = money.budgets.of(period)
        if limit is None:
            continue
        if period == "launch":
            found.append(Bar("a launch", None, f"${usd(limit)} each"))
            continue
        spent, ends_at = known[period]
        word, style = verdict(spent, ends_at, limit)
        share = spent / limit if limit else 1.0
        mark = min(1.0, ends_at / limit) if limit else None
        found.append(Bar(f"a {period}", share, f"{fmt.percent(share)} of ${usd(limit)}  {word}", mark, style))
    return found


def verdict(spent: int, ends_at: int, limit: int) -> tuple[str, str]:
    """How a budget stands, in glyph and words, and its style."""
    if spent >= limit:
        return "✗ spent", "bad"
    if spent >= WARN_AT * limit:
        return "⚠ nearly spent", "warn"
    return ("⚠ will not hold", "warn") if ends_at > limit else ("● holds", "good")


def pillars(told: Statement) -> tuple[list[Pillar], str]:
    """What each day has cost, the oldest first, and what the dearest did."""
    days = list(reversed(told.days))
    most = max((one.cost for one in days), default=0)
    shown = [
        Pillar(
            f"{one.day.day}" if one.day.day != 1 else f"{one.day:%b}", dollars(one.cost),
            "faint" if one.cost and one.estimated == one.cost else "accent", f"{one.day.day}",
        )
        for one in days
    ]  # fmt: skip
    return shown, f"${usd(most)}"


def facts(entry: Entry, now: float) -> list[Fact]:
    """What is known of the line under the cursor."""
    heading = Fact(entry.name, style="heading")
    if isinstance(entry.what, InstanceCost):
        return [heading, *_of_machine(entry.what, now)]
    if entry.view == "day":
        day = entry.what
        return [
            heading,
            Fact("cost", f"${usd(day.cost)}"),
            Fact("machines", str(day.machines)),
            *_estimated(day.estimated),
        ]
    if entry.what is None:
        text = "Time in which a machine was paid for and no run of yours was on it."
        return [heading, Fact("cost", f"${usd(entry.statement.idle)}"), Fact("", text, "muted")]
    run = entry.what
    text = "Its share of its machines while it ran: what runs use at the same time is divided equally."
    return [
        heading,
        Fact("cost", f"${usd(run.cost)}"),
        Fact("on", clean_line(", ".join(run.instances), 200)),
        Fact("began", fmt.moment(run.started_at)),
        Fact("", text, "muted"),
    ]


def _of_machine(one: InstanceCost, now: float) -> list[Fact]:
    price = {
        "yours": "by your word",
        "offered": f"by its offer, {one.as_of[:10]}",
        "at_launch": f"as spot cost at its launch, {one.as_of[:10]}: what it costs now may be another price",
        "refreshed": f"by the cloud, {one.as_of[:10]}",
        "bundled": f"by the bundled list of {one.as_of[:10]}",
    }
    rate = f"${usd(one.rate)}/h" if one.rate else "nothing now"
    until = one.until_ms / 1000 if one.until_ms is not None else None
    return [
        Fact("costs", f"{rate} {price.get(one.ground, '')}".strip()),
        Fact("in all", f"${usd(one.total)}"),
        *([Fact("disks", f"${usd(one.disks)}")] if one.disks else []),
        *([Fact("disks", "price not known: not in these amounts", "warn")] if one.disk_unpriced else []),
        *_estimated(one.estimated),
        Fact("until", f"{fmt.moment(until)}, {fmt.since(until, now)} ago" if until else fmt.MISSING),
        Fact("", _rule(one), "muted"),
    ]


def _rule(one: InstanceCost) -> str:
    if one.instance.is_rented:
        return "Paid for from its order to the cloud's last word; its disks while it is stopped, too."
    return "Paid for between the times it was heard of. After the last nothing is assumed."


def _estimated(amount: int) -> list[Fact]:
    if not amount:
        return []
    return [Fact("estimated", f"${usd(amount)}: no engine watched then")]


def as_of(told: Statement) -> str:
    """How old the prices are that came with the program, where any is in use."""
    bundled = any(one.ground == "bundled" for one in told.instances)
    return f"bundled prices of {told.snapshot_as_of}" if bundled else ""
