"""What machines cost an hour, as Alibaba tells this account. It has no list: each kind is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from cloudtui_providers.alibaba.service import Api, items
from cloudtui_providers.base import Offer
from cloudtui_providers.errors import InvalidOrderError, PermissionDenied, ProviderError

PRICE = "ecs:DescribePrice"
MOST = 40
"""So many kinds are asked for; further ones have no price. Who wants theirs names a GPU or a region."""
AT_ONCE = 8
Place = tuple[str, str, str]
"""Region, zone (of spot alone: else it costs the same in all of them), type."""


def priced(api: Api, offers: Sequence[Offer]) -> list[Offer]:
    """The same with their prices, where they are in dollars: accounts of China's site pay in yuan."""
    places = list(dict.fromkeys(_place(one) for one in offers))[:MOST]
    spot = any(one.spot for one in offers)

    def asked(place: Place) -> float | None:
        region, zone, name = place
        try:
            return in_dollars(_told(api, region, zone, name, spot=spot))
        except PermissionDenied:
            return None  # A machine may be rented by who may not ask for prices.
        except InvalidOrderError:
            return None
        except ProviderError as error:
            if type(error) is ProviderError:
                return None  # What is not sold has no price.
            raise

    with ThreadPoolExecutor(AT_ONCE) as threads:
        known = dict(zip(places, threads.map(asked, places), strict=True))
    return [replace(one, price_usd_per_hour=known.get(_place(one))) for one in offers]


def require_dollars(api: Api, region: str, zone: str, name: str) -> None:
    """See that a highest price in dollars can be kept.

    Raises:
        InvalidOrderError: this account's prices are in another currency.
    """
    currency = str(_told(api, region, zone, name, spot=True).get("Currency", ""))
    if currency != "USD":
        raise InvalidOrderError(
            f"This account pays in {currency or 'a currency that is not told'}: a highest price in dollars "
            "cannot be kept there.",
            "Leave the highest price out: a spot machine costs no more than one on demand.",
        )


def in_dollars(price: dict[str, Any]) -> float | None:
    """Of the machine alone, where its parts are told; None: in another currency."""
    if price.get("Currency") != "USD":
        return None
    parts = {one.get("Resource"): one for one in items(price, "DetailInfos", "DetailInfo")}
    found = parts.get("instanceType", price).get("TradePrice")
    return None if found is None else float(found)


def _told(api: Api, region: str, zone: str, name: str, *, spot: bool) -> dict[str, Any]:
    more: dict[str, Any] = {"SpotStrategy": "SpotAsPriceGo", "ZoneId": zone} if spot else {}
    disk = {"Category": "cloud_essd", "Size": 40}
    told = api.ask(
        region, PRICE, ResourceType="instance", InstanceType=name, PriceUnit="Hour", SystemDisk=disk, **more
    )
    return dict((told.get("PriceInfo") or {}).get("Price") or {})


def _place(offer: Offer) -> Place:
    return offer.region, offer.zone if offer.spot else "", offer.type
