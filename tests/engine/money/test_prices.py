"""Prices: whose word counts, and what the bundled snapshot is."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.money.amounts import micro
from cloudtui_engine.money.prices import Price, bundled, disk_promise, disk_rate, look_up

AWS = ("aws", "us-east-1", "g5.xlarge", False)


def test_the_users_word_then_the_clouds_then_the_snapshot() -> None:
    fresh = Price(*AWS, rate=micro("1.02"), as_of="2026-11-21", source="the Pricing API")
    found = [look_up(*AWS, own, known) for own, known in ((0.5, fresh), (None, fresh), (None, None))]
    assert [(one.rate, one.ground) for one in found if one] == [
        (500_000, "yours"), (1_020_000, "refreshed"), (1_006_000, "bundled"),
    ]  # fmt: skip
    assert look_up("aws", "us-east-1", "g5.xlarge", True, None, None) is None, "Nobody knows a spot price."
    assert look_up("lambda", "us-west-1", "gpu_1x_a10", False, None, None) is not None, "In all regions."


def test_the_snapshot_says_what_it_is() -> None:
    text = files("cloudtui_engine.money").joinpath("prices.json").read_text()
    assert len(text.encode()) < 200_000
    snapshot = bundled()
    assert snapshot.currency == "USD"
    assert "left out" in snapshot.words
    assert {one["provider"] for one in json.loads(text)["lists"]} == {
        "aws", "azure", "gcp", "lambda", "runpod",
    }  # fmt: skip
    for price in snapshot.prices.values():
        assert price.source
        assert re.match(r"20\d\d", price.as_of)
        assert micro("0.05") < price.rate < micro(200), price


@pytest.mark.parametrize(
    ("provider", "gb", "running", "stopped"),
    [
        ("aws", 100, 10_958, 10_958),
        ("azure", 100, 27_000, 27_000),  # as one of 128 GB
        ("azure", 129, 52_082, 52_082),
        ("azure", 5000, 1_357_726, 1_357_726),
        ("lambda", 100, 0, 0),
        ("vast", 100, 0, None),
        ("alibaba", 100, None, None),
        ("nowhere", 100, None, None),
        ("nowhere", 0, 0, 0),
    ],
)
def test_disks(provider: str, gb: int, running: int | None, stopped: int | None) -> None:
    assert (disk_rate(provider, gb), disk_rate(provider, gb, stopped=True)) == (running, stopped)


def test_a_disk_whose_price_is_not_known_is_promised_at_the_dearest_that_is() -> None:
    assert disk_promise("aws", 100) == disk_rate("aws", 100)
    assert disk_promise("alibaba", 100) == disk_promise("vast", 100, stopped=True) == disk_rate("azure", 100)
    assert disk_promise("vast", 100) == 0


def test_every_cloud_that_is_rented_from_has_its_disks_told_of() -> None:
    told = json.loads(files("cloudtui_engine.money").joinpath("prices.json").read_text(encoding="utf-8"))
    assert set(told["disks"]) == {"aws", "gcp", "azure", "alibaba", "lambda", "runpod", "vast"}
    assert all(one["source"] for one in told["disks"].values())


def test_what_a_provider_says_takes_the_place_of_what_it_said(catalog: Catalog) -> None:
    first = Price("aws", "eu-west-1", "g5.xlarge", True, 400_000, "2026-11-20T08:00:00Z", "spot history")
    newer = Price("aws", "eu-west-1", "g5.xlarge", True, 410_000, "2026-11-21T08:00:00Z", "spot history")
    for price in (first, newer):
        catalog.prices.refresh([price])
    assert catalog.prices.find("aws", "eu-west-1", "g5.xlarge", spot=True) == newer
    assert catalog.prices.find("aws", "eu-west-1", "g5.xlarge", spot=False) is None
    assert catalog.prices.newest() == {"aws": "2026-11-21T08:00:00Z"}
