"""What a person asks of clouds before renting anything."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from cloudtui.handlers.session import Session
from cloudtui_engine.errors import UsageError
from cloudtui_engine.records.cloud import CHECK, OFFERS, Cloud, CloudCheck, CloudOffer, Offers
from cloudtui_engine.records.operation import Operation


def question(
    *,
    gpu: str | None = None,
    type: str | None = None,  # noqa: A002 - the name of its option
    region: Sequence[str] | None = None,
    max_price: float | None = None,
    spot: bool = False,
) -> dict[str, Any]:
    """The arguments of an operation that asks for offers: the same question has the same ones."""
    wanted = {"gpu": gpu or "", "type": type or "", "regions": sorted(region or ())}
    return {"wanted": {**wanted, "max_price": max_price, "spot": spot}}


def offers(
    session: Session,
    *,
    provider: str | None = None,
    gpu: str | None = None,
    type: str | None = None,  # noqa: A002 - the name of its option
    region: Sequence[str] | None = None,
    max_price: float | None = None,
    spot: bool = False,
) -> list[CloudOffer] | Operation:
    """Machines that can be rented now, the cheapest first.

    Raises:
        CloudtuiError: the cloud that was named has not answered; of several each is told of.
    """
    from cloudtui_engine import operations
    from cloudtui_engine.fleet import market

    if provider:
        market.require(provider)
    asked = question(gpu=gpu, type=type, region=region, max_price=max_price, spot=spot)
    operation = operations.submit(session.catalog, OFFERS, provider or "", asked)
    if not session.wait:
        session.ensure_engine()
        return operation
    found = Offers.of(session.finish(operation).result, time.time())
    for problem in found.problems:
        session.on_progress(f"{problem.provider}: {problem.message} {problem.hint}", None)
    if found.left_out:
        session.on_progress(f"{found.left_out} dearer offers are left out: say more of what you want.", None)
    return list(found.offers)


def list_all(session: Session) -> list[Cloud]:  # noqa: ARG001 - as every handler
    """The providers that are installed, and what each can do. None is asked anything."""
    from cloudtui_engine.fleet import market

    return market.clouds()


def check(session: Session, provider: str, *, max_usd: float | None = None) -> list[CloudCheck]:
    """Look at credentials and permissions; with `max_usd` have a real machine for a moment, too.

    Raises:
        UsageError: that is no price.
        CloudtuiError: there is no such provider, or its cloud does not answer.
    """
    from cloudtui_engine import operations
    from cloudtui_engine.fleet import market

    market.require(provider)
    if max_usd is not None and not 0 < max_usd < 1e6:
        raise UsageError(f"{max_usd:g} is no price of a machine.", "For example: --max-usd 0.20")
    args = {} if max_usd is None else {"max_usd": max_usd}
    operation = session.finish(operations.submit(session.catalog, CHECK, provider, args))
    return [CloudCheck(**one) for one in operation.result.get("checks", ())]


def claim(session: Session, what: str) -> list[Cloud]:
    """Say which of two homes with one id this is, or that a cloud's new key is of the account from before.

    Raises:
        NotFoundError: it is neither `moved` nor `copy`, and no cloud's name.
    """
    from cloudtui_engine.fleet import commands, market

    if what in {"moved", "copy"}:
        commands.claim_installation(session.catalog, session.paths, moved=what == "moved")
    else:
        market.claim(session.catalog, what)
    return list_all(session)
