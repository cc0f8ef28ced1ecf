"""What a person does with machines of ours in clouds that nothing here speaks of."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cloudtui.handlers import everyone as everyones
from cloudtui.handlers import moments, values
from cloudtui.handlers.everyone import Everyone
from cloudtui.handlers.fleet import is_unnamed, names_of
from cloudtui.handlers.instance import show
from cloudtui.handlers.session import Session
from cloudtui_engine.errors import CloudtuiError, UsageError
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import Orphan

if TYPE_CHECKING:
    from cloudtui_engine.catalog import Catalog
    from cloudtui_engine.fleet.commands import AtStake


LIFETIME = "4h"
"""As a launch has it, where nobody says more."""


def orphans(
    session: Session,
    what: str | None = None,
    orphan: str | None = None,
    *,
    name: str | None = None,
    deadline: str = LIFETIME,
    switch: bool = False,
    everyone: bool = False,
    yes: bool = False,
    lose: Sequence[str] | None = None,
) -> list[Orphan] | Everyone | Instance:
    """Machines of ours in clouds that nothing here speaks of: list them, or take one up, or end one.

    With `everyone` it is about the machines of any home, in every cloud.

    Raises:
        UsageError: which one is not said, or its deadline is no time.
        RefusedError: this home is a copy, nobody has said yes to an end, or results would be lost with it
            that were not named.
    """
    from cloudtui_engine.fleet import commands

    if what is None:
        return everyones.ask(session) if everyone else _looked_for(session)
    if not orphan:
        raise UsageError("Which one is not said.", "See: cloudtui instance orphans")
    stranger = everyones.find(session.catalog, orphan) if everyone else None
    here = str(session.catalog.settings.get("installation.id") or "")
    found = stranger.machine if stranger else session.catalog.orphans.find(orphan)
    if what == "adopt":
        chosen = values.new_name(name, "a machine") if name else ""
        now = time.time()
        instance = commands.submit_adopt(
            session.catalog, session.paths, found, chosen,
            until=moments.deadline(deadline, None, now), arm=switch, now=now,
        )  # fmt: skip
        for line in everyones.after(stranger, here) if stranger else ():
            session.on_progress(line, None)
    else:
        named = names_of(lose)
        if not is_unnamed(commands.orphan_at_stake(session.catalog, found), named):
            text = f"{found.cloud_id} ({found.type}) would be terminated, with its disk."
            text += f" {everyones.warning(stranger, here)}" if stranger else ""
            values.need_yes(session, yes, text)
        operation = commands.submit_terminate_orphan(session.catalog, session.paths, found, unpulled=named)
        instance = session.catalog.instances.get(operation.target)
    session.ensure_engine()
    return show(session, instance.id)


def _looked_for(session: Session) -> list[Orphan]:
    """All clouds that were ever used are looked at first; one that does not answer is told of."""
    from cloudtui_engine.fleet import commands

    for provider in session.catalog.launches.providers() if session.wait else ():
        operation = commands.submit_look(session.catalog, provider)
        try:
            session.finish(operation)
        except CloudtuiError as error:
            if error.code == "interrupted":
                raise
            session.on_progress(f"{provider}: {error.message} What is shown may be old.", None)
    for listing in session.catalog.listings.list():
        if not listing.complete:
            text = f"{listing.provider} {listing.region} was not seen whole: {listing.problem}"
            session.on_progress(text, None)
    return known_orphans(session.catalog)


def orphan_at_stake(catalog: Catalog, orphan: Orphan) -> list[AtStake]:
    """What is known to lie on an orphan alone."""
    from cloudtui_engine.fleet import commands

    return commands.orphan_at_stake(catalog, orphan)


def known_orphans(catalog: Catalog) -> list[Orphan]:
    """All orphans; where their cloud has not said a price, with the one that is known of their type."""
    return [replace(one, price=price_of(catalog, one)) for one in catalog.orphans.list()]


def price_of(catalog: Catalog, one: Orphan) -> float | None:
    """What it costs an hour; where its cloud has not said it, what is known of its type."""
    if one.price is not None:
        return one.price
    from cloudtui_engine.money import prices
    from cloudtui_engine.money.amounts import dollars

    said = catalog.prices.find(one.provider, one.region, one.type, spot=one.spot)
    found = prices.look_up(one.provider, one.region, one.type, one.spot, None, said)
    return None if found is None else dollars(found.rate)
