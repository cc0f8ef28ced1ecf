"""Which of a cloud's offers were asked for, for clouds that tell all of them at once."""

from __future__ import annotations

import math
from collections.abc import Iterable

from cloudtui_providers.base import Offer, Wanted


def chosen(offers: Iterable[Offer], wanted: Wanted) -> list[Offer]:
    """Those that fit, cheapest first; what has no price passes every limit and comes last."""
    return sorted((one for one in offers if _fits(one, wanted)), key=_cheapest_first)


def _fits(offer: Offer, wanted: Wanted) -> bool:
    price = offer.price_usd_per_hour
    return (
        offer.spot == wanted.spot
        and wanted.gpu.lower() in offer.gpu.lower()
        and wanted.type in {"", offer.type}
        and (not wanted.regions or offer.region in wanted.regions)
        and (wanted.max_price is None or price is None or price <= wanted.max_price)
    )


def _cheapest_first(offer: Offer) -> tuple[float, str, str]:
    price = offer.price_usd_per_hour
    return (math.inf if price is None else price, offer.type, offer.zone)
