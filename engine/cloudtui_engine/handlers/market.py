"""`provider.offers` and `provider.check`: what clouds have, and what keeps us from renting it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui_engine.fleet import market
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.handlers.trial import trial
from cloudtui_engine.records.cloud import OFFERS
from cloudtui_engine.records.operation import Operation

KEPT_S = 3600.0
"""How long an answer stays among the operations; the newest one of each question stays for ever."""


def offers(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Ask a cloud, or all, what can be rented.

    Returns:
        See `records.cloud.Offers`.
    """
    report = context.reporter(operation)
    report(f"Asking {operation.target or 'all clouds'} for offers", None, None)
    found = market.offers(context.catalog, operation.target, operation.args.get("wanted") or {})
    context.catalog.operations.prune_answers(OFFERS, context.clock.now() - KEPT_S)
    return found


def check(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Look at credentials and permissions; with `max_usd` have a real machine, too, and end it.

    Returns:
        `{"checks": [{name, ok, text, hint}]}`.
    """
    report = context.reporter(operation)
    report(f"Looking at the account of {operation.target}", None, None)
    found = market.check(operation.target)
    max_usd = operation.args.get("max_usd")
    if max_usd is not None and all(one.ok for one in found):
        report("Launching a machine, reaching it, and ending it", None, None)
        for one in trial(context, operation, float(max_usd)):
            found.append(one)
            report(one.text, None, None)
    return {"checks": [one.as_dict() for one in found]}
