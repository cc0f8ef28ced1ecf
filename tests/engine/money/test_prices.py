"""Prices: whose word counts, and what the bundled snapshot is."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.money.amounts import micro
from cloudtui_engine.money.prices import Price, bundled, disk_rate, look_up

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


@pytest.mark.parametrize(("provider", "rate"), [("aws", 10_958), ("lambda", 0), ("nowhere", 0)])
def test_disks(provider: str, rate: int) -> None:
    assert disk_rate(provider, 100) == rate


def test_what_a_provider_says_takes_the_place_of_what_it_said(catalog: Catalog) -> None:
    first = Price("aws", "eu-west-1", "g5.xlarge", True, 400_000, "2026-11-20T08:00:00Z", "spot history")
    newer = Price("aws", "eu-west-1", "g5.xlarge", True, 410_000, "2026-11-21T08:00:00Z", "spot history")
    for price in (first, newer):
        catalog.prices.refresh([price])
    assert catalog.prices.find("aws", "eu-west-1", "g5.xlarge", spot=True) == newer
    assert catalog.prices.find("aws", "eu-west-1", "g5.xlarge", spot=False) is None
    assert catalog.prices.newest() == {"aws": "2026-11-21T08:00:00Z"}
