"""Money as text for people and as JSON for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudtui import format as words
from cloudtui.cli.tables import Column, pairs, table
from cloudtui_engine.money.amounts import dollars
from cloudtui_engine.sanitize import clean_line

Lines = list[str]


def _usd(amount: int | None) -> str:
    return words.MISSING if amount is None else words.money(dollars(amount))


def budgets(records: Sequence[Any], cells: int | None) -> Lines:
    """The budgets."""
    columns = [
        Column("Budget"), Column("$", right=True), Column("Spent", right=True), Column("", right=True),
        Column("Forecast", right=True),
    ]  # fmt: skip
    rows = [
        [
            f"a {one.period}",
            _usd(one.limit),
            _usd(one.spent),
            words.percent(one.spent / one.limit) if one.spent is not None and one.limit else "",
            _usd(one.forecast),
        ]
        for one in records
    ]
    return table(columns, rows, cells)


def cost(report: Any, cells: int | None) -> Lines:
    """How a home stands, then what was asked for."""
    told = report.statement
    if not told.instances:
        return [
            "No machine here has a price, so nothing has cost anything.",
            "Say what one costs you: cloudtui instance price NAME 1.10",
        ]
    lines = _summary(told)
    for view in report.by:
        lines += ["", *_VIEWS[view](told, cells)]
    return lines


def _summary(told: Any) -> Lines:
    money = told.money
    idle = f", {_usd(told.idle)} of it while nothing ran" if told.idle else ""
    spent = {"month": money.month, "day": money.today}
    limits = [(period, money.budgets.of(period)) for period in ("month", "day", "launch")]
    return pairs(
        [
            ("Now", f"${_usd(money.rate)} an hour"),
            ("Today", f"${_usd(money.today)}, ${_usd(money.today_ends_at)} by midnight as it stands"),
            ("This month", f"${_usd(money.month)}, ${_usd(money.month_ends_at)} by its end as it stands"),
            ("In all", f"${_usd(told.total)}{idle}"),
            *(
                (f"A {period}", _limit(limit, spent.get(period)))
                for period, limit in limits
                if limit is not None
            ),
        ]
    )


def _limit(limit: int, spent: int | None) -> str:
    share = f", {words.percent(spent / limit)} spent" if spent is not None and limit else ""
    return f"at most ${_usd(limit)}{share}"


def _instances(told: Any, cells: int | None) -> Lines:
    columns = [
        Column("Instance"), Column("$/h", right=True), Column("Price by", shrinks=True),
        Column("Today", right=True), Column("Month", right=True), Column("In all", right=True),
        Column("Disks", right=True), Column("Estimated", right=True), Column("Until"),
    ]  # fmt: skip
    rows = [
        [
            clean_line(one.name) + (" (forgotten)" if one.instance.forgotten_at else ""),
            _usd(one.rate) if one.rate else words.MISSING,
            price_word(one.ground, one.as_of),
            _usd(one.today),
            _usd(one.month),
            _usd(one.total),
            _disks(one),
            _usd(one.estimated) if one.estimated else words.MISSING,
            words.moment(one.until_ms / 1000 if one.until_ms is not None else None),
        ]
        for one in told.instances
    ]
    return table(columns, rows, cells)


def _disks(one: Any) -> str:
    """What is not known is said, and is no 0."""
    known = _usd(one.disks) if one.disks else ""
    unknown = "price not known" if one.disk_unpriced else ""
    return ", ".join(part for part in (known, unknown) if part) or words.MISSING


def price_word(ground: str, as_of: str) -> str:
    """Whose word a price is, and how old."""
    return {
        "yours": "you",
        "offered": f"its offer, {as_of[:10]}",
        "at_launch": f"at launch, {as_of[:10]}",
        "refreshed": f"the cloud, {as_of[:10]}",
        "bundled": f"snapshot, {as_of[:10]}",
    }.get(ground, words.MISSING)


def _runs(told: Any, cells: int | None) -> Lines:
    columns = [
        Column("Run", shrinks=True), Column("Status"), Column("On", shrinks=True), Column("Began"),
        Column("Cost", right=True), Column("Id"),
    ]  # fmt: skip
    rows = [
        [
            clean_line(one.name), one.status, clean_line(", ".join(one.instances)),
            words.moment(one.started_at), _usd(one.cost), one.id,
        ]
        for one in told.runs
    ]  # fmt: skip
    if not rows:
        return ["No run has cost anything yet."]
    rest = ["nothing ran", "", "", "", _usd(told.idle), ""]
    return table(columns, [*rows, rest], cells)


def _days(told: Any, cells: int | None) -> Lines:
    columns = [
        Column("Day"), Column("Machines", right=True), Column("Cost", right=True),
        Column("Estimated", right=True),
    ]  # fmt: skip
    rows = [
        [one.name, str(one.machines), _usd(one.cost), _usd(one.estimated) if one.estimated else ""]
        for one in told.days
    ]
    return table(columns, rows, cells)


_VIEWS = {"instance": _instances, "run": _runs, "day": _days}


def budget_json(record: Any) -> dict[str, Any]:
    """A budget."""
    return {
        "period": record.period,
        "limit_usd": dollars(record.limit),
        "spent_usd": None if record.spent is None else dollars(record.spent),
        "forecast_usd": None if record.forecast is None else dollars(record.forecast),
    }


def cost_json(report: Any) -> dict[str, Any]:
    """How a home stands, and what was asked for."""
    from cloudtui.handlers.money import states

    told = report.statement
    views: Mapping[str, tuple[str, list[dict[str, Any]]]] = {
        "instance": ("instances", [_instance_json(one) for one in told.instances]),
        "run": ("runs", [_run_json(one) for one in told.runs]),
        "day": ("days", [_day_json(one) for one in told.days]),
    }
    return {
        "as_of": words.rfc3339(told.now),
        "currency": "USD",
        "rate_usd_per_hour": dollars(told.money.rate),
        "today_usd": dollars(told.money.today),
        "month_usd": dollars(told.money.month),
        "total_usd": dollars(told.total),
        "idle_usd": dollars(told.idle),
        "forecast": {
            "today_usd": dollars(told.money.today_ends_at), "month_usd": dollars(told.money.month_ends_at),
        },
        "budgets": [budget_json(one) for one in states(told.money)],
        "bundled_prices_as_of": told.snapshot_as_of,
        **{views[one][0]: views[one][1] for one in report.by},
    }  # fmt: skip


def _instance_json(one: Any) -> dict[str, Any]:
    return {
        "id": one.id, "name": one.name, "provider": one.instance.provider,
        "rate_usd_per_hour": dollars(one.rate), "price_ground": one.ground or None,
        "price_as_of": one.as_of or None, "today_usd": dollars(one.today), "month_usd": dollars(one.month),
        "total_usd": dollars(one.total), "disks_usd": dollars(one.disks),
        "disk_price_known": not one.disk_unpriced,
        "estimated_usd": dollars(one.estimated),
        "accounted_until": words.rfc3339(one.until_ms / 1000 if one.until_ms is not None else None),
        "forgotten": one.instance.forgotten_at is not None,
    }  # fmt: skip


def _run_json(one: Any) -> dict[str, Any]:
    return {
        "id": one.id, "name": one.name, "kind": one.kind, "status": one.status,
        "instances": list(one.instances), "started_at": words.rfc3339(one.started_at),
        "ended_at": words.rfc3339(one.ended_at), "cost_usd": dollars(one.cost),
    }  # fmt: skip


def _day_json(one: Any) -> dict[str, Any]:
    return {
        "day": one.name, "cost_usd": dollars(one.cost), "machines": one.machines,
        "estimated_usd": dollars(one.estimated),
    }  # fmt: skip
