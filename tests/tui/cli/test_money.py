"""Prices, costs and budgets on the command line."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from tests.tui.cli.conftest import Said

from cloudtui_engine import bookkeeping
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.records.launch import Launch, Wish
from cloudtui_engine.records.run import RunState

Cli = Callable[..., Said]


@pytest.fixture
def box(catalog: Catalog) -> Instance:
    """A machine at 3.60 an hour that was there in the last hundred seconds, half of them with a run."""
    now = time.time()
    made = catalog.instances.add(
        Instance("cbox000000000000", "box", "ssh", Address("box"), seen_at=now - 100, created_at=now - 100)
    )
    bookkeeping.set_price(catalog, made.id, 3.6, now - 100)
    from tests.engine.catalog.helpers import a_run

    run = catalog.runs.create(a_run("first"), [made.id])
    for before, after, more in (
        (RunState.QUEUED, RunState.STAGING, {}),
        (RunState.STAGING, RunState.STARTING, {}),
        (RunState.STARTING, RunState.RUNNING, {"started_at": now - 80}),
        (RunState.RUNNING, RunState.SUCCEEDED, {"ended_at": now - 30}),
    ):
        assert catalog.runs.move(run.id, 1, after, expected=before, **more)
    catalog.instances.update(made.id, seen_at=now)
    bookkeeping.account(catalog)
    return made


def test_what_a_machine_costs_is_said_and_told(cli: Cli, box: Instance) -> None:
    told = cli("cost", "--by", "instance,run,day", "--json").json
    assert (told["total_usd"], told["idle_usd"], told["rate_usd_per_hour"]) == (0.1, 0.05, 3.6)
    assert [(one["name"], one["total_usd"], one["price_ground"]) for one in told["instances"]] == [
        ("box", 0.1, "yours")
    ]
    assert [(one["name"], one["cost_usd"]) for one in told["runs"]] == [("first", 0.05)]
    assert sum(one["cost_usd"] for one in told["days"]) == pytest.approx(0.1)
    assert cli("run", "show", "first", "--json").json["cost_usd"] == 0.05
    assert cli("instance", "show", "box", "--json").json["cost_usd"] == 0.1
    text = cli("cost").out
    assert "$3.60 an hour" in text
    assert "0.05 of it while nothing ran" in text
    assert cli("instance", "price", "box", "none", "--json").json["price_usd_per_hour"] is None


def test_without_a_price_it_says_how_to_begin(cli: Cli) -> None:
    assert "cloudtui instance price NAME 1.10" in cli("cost").out
    assert cli("cost", "--json").json["total_usd"] == 0


def test_budgets(cli: Cli, box: Instance) -> None:
    assert "No budgets" in cli("budget", "show").out
    (month,) = cli("budget", "set", "$50 / month", "--json").json
    assert (month["period"], month["limit_usd"], month["spent_usd"]) == ("month", 50.0, 0.1)
    assert month["forecast_usd"] > 0.1
    cli("budget", "set", "8.50/day")
    cli("budget", "set", "5/launch")
    assert [one["period"] for one in cli("budget", "show", "--json").json] == ["month", "day", "launch"]
    assert "8.50" in cli("cost").out
    assert [one["period"] for one in cli("budget", "clear", "day", "--json").json] == ["month", "launch"]
    assert cli("budget", "clear", "--json").json == []


@pytest.mark.parametrize(
    "words",
    [
        ("budget", "set", "50"), ("budget", "set", "50/year"), ("budget", "set", "-1/month"),
        ("budget", "clear", "year"), ("cost", "--by", "cloud"), ("cost", "--by", ","),
        ("instance", "price", "box", "much"), ("instance", "price", "box", "1e9"),
        ("instance", "add", "other", "--ssh", "host", "--price", "x"),
    ],
)  # fmt: skip
def test_what_is_wrong_usage(cli: Cli, box: Instance, words: tuple[str, ...]) -> None:
    assert cli(*words, "--json").status == 2


def test_a_disk_whose_price_is_not_known_is_no_zero(cli: Cli, catalog: Catalog) -> None:
    now = time.time()
    launch = Launch(
        "l1", "l1", "i1", "alibaba", Wish("alibaba", type="ecs.gn6i", disk_gb=100), created_at=now
    )
    catalog.instances.add(
        Instance(
            "i1", "ali", "alibaba", price_usd_per_hour=1.0, created_at=now, launch_id="l1", cloud_id="c1",
            machine_type="ecs.gn6i",
        )
    )  # fmt: skip
    catalog.launches.add(launch)
    catalog.instances.update("i1", cloud_state="stopped", cloud_seen_at=now)
    assert "price not known" in cli("cost", "--by", "instance").out
    (told,) = cli("cost", "--by", "instance", "--json").json["instances"]
    assert told["disk_price_known"] is False
