"""What AWS itself says that machines cost: its price list, and the last prices of spot."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.errors import ProviderError

PRICE_LIST = "pricing:GetProducts"
LIST_REGION = "us-east-1"
"""Where the price list is asked, for every region."""
MOST_ASKED = 24
"""A price is a question of its own. Of longer lists the engine's snapshot knows the prices."""
AT_ONCE = 8
PLAIN_LINUX = {
    "operatingSystem": "Linux",
    "preInstalledSw": "NA",
    "tenancy": "Shared",
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
}

TypeInRegion = tuple[str, str]
"""Region and type."""


def on_demand(clients: Clients, wanted: Sequence[TypeInRegion]) -> dict[TypeInRegion, float]:
    """US dollars an hour, of those that the price list knows; of none where it cannot be asked."""
    if len(wanted) > MOST_ASKED:
        return {}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        prices = threads.map(lambda one: _listed(clients, *one), wanted)
        return {one: price for one, price in zip(wanted, prices, strict=True) if price is not None}


def spot(clients: Clients, region: str, types: Sequence[str]) -> dict[tuple[str, str], tuple[float, str]]:
    """By zone and type: US dollars an hour, and when that became the price (RFC 3339)."""
    newest: dict[tuple[str, str], tuple[datetime, float]] = {}
    asked = clients.pages(
        region,
        "ec2:DescribeSpotPriceHistory",
        InstanceTypes=list(types),
        ProductDescriptions=["Linux/UNIX"],
        StartTime=datetime.now(UTC),
    )
    for row in (row for page in asked for row in page["SpotPriceHistory"]):
        key = (row["AvailabilityZone"], row["InstanceType"])
        told = (row["Timestamp"], float(row["SpotPrice"]))
        newest[key] = max(newest.get(key, told), told)
    return {key: (price, f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}") for key, (at, price) in newest.items()}


def _listed(clients: Clients, region: str, machine_type: str) -> float | None:
    fields = PLAIN_LINUX | {"regionCode": region, "instanceType": machine_type}
    wanted = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in fields.items()]
    try:
        answer = clients.ask(LIST_REGION, PRICE_LIST, ServiceCode="AmazonEC2", Filters=wanted)
    except ProviderError:
        return None  # The list is a convenience: without it the price is not known, and that is said.
    return min(_dollars(json.loads(product) for product in answer["PriceList"]), default=None)


def _dollars(products: Iterable[Mapping[str, Any]]) -> list[float]:
    found = [
        float(dimension["pricePerUnit"].get("USD", 0.0))
        for product in products
        for term in product.get("terms", {}).get("OnDemand", {}).values()
        for dimension in term["priceDimensions"].values()
        if dimension.get("unit") == "Hrs"
    ]
    return [price for price in found if price > 0]
