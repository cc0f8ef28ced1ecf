"""A real machine, for a minute or two and a bounded price: does this account give one that can be used?

The machine is an ordinary one: a row, a launch, a deadline, watched and ended like any other. Whoever is
killed meanwhile, the next engine goes on with it by its name, and without any engine its deadline ends it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cloudtui_engine.errors import CloudtuiError, HostKeyError, RefusedError, UnreachableError, from_dict
from cloudtui_engine.fleet import commands, market
from cloudtui_engine.handlers.context import Context, Withdrawn
from cloudtui_engine.records.cloud import CloudCheck, CloudOffer, Offers
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.launch import LaunchState, Wish
from cloudtui_engine.records.operation import Operation

LIFETIME_S = 1800
REACHED_S = 300.0
POLL_S = 0.25
_SESSION_S = 20.0


def trial(context: Context, operation: Operation, max_usd: float) -> Iterator[CloudCheck]:
    """Launch the cheapest machine, reach it, terminate it: a line each. It is ended whichever of these fails.

    Args:
        context: the engine.
        operation: what asks for it; its id is in the machine's name.
        max_usd: an hour of it may cost so much. It lives for half of one at most.

    Raises:
        CloudtuiError: none is so cheap, or the cloud does not say what it has.
    """
    name = f"check-{operation.id[-6:]}"
    machine = _named(context, name) or _asked(context, operation.target, name, max_usd)
    try:
        yield _launched(context, machine)
        yield _reached(context, machine)
    except CloudtuiError as error:
        yield CloudCheck("machine", ok=False, text=error.message, hint=error.hint)
    yield _ended(context, machine)


def _named(context: Context, name: str) -> Instance | None:
    """The machine of an engine that died over this."""
    found = context.catalog.instances.list(include_forgotten=True)
    return next((one for one in found if one.name == name), None)


def _asked(context: Context, provider: str, name: str, max_usd: float) -> Instance:
    found = Offers.of(market.offers(context.catalog, provider, {"max_price": max_usd}), 0.0).offers
    cheap = [one for one in found if one.price_usd_per_hour is not None and one.available is not False]
    if not cheap:
        raise RefusedError(
            f"{provider} offers no machine of which an hour costs ${max_usd:g} or less.",
            "Allow more with --max-usd.",
            code="no_offer",
        )
    return commands.submit_launch(context.catalog, context.paths, _wish(cheap[0], name, max_usd))[0]


def _wish(offer: CloudOffer, name: str, max_usd: float) -> Wish:
    return Wish(
        offer.provider, name, offer.type, regions=(offer.region,) if offer.region else (), max_price=max_usd,
        lifetime_s=LIFETIME_S,
    )  # fmt: skip


def _launched(context: Context, machine: Instance) -> CloudCheck:
    """Until it runs and has an address."""
    while True:
        launch = context.catalog.launches.get(machine.launch_id)
        if launch.state is LaunchState.FAILED:
            raise from_dict({key: str(value) for key, value in launch.error.items()})
        if launch.state is LaunchState.CANCELLED:
            raise RefusedError("The launch was taken back.", code="cancelled")
        if launch.state is LaunchState.READY:
            break
        _pause(context, POLL_S)
    row = context.catalog.instances.get(machine.id)
    took = (launch.ended_at or context.clock.now()) - launch.created_at
    return CloudCheck(
        "launch", True, f"{row.machine_type} in {row.zone or row.region} ran after {took:.0f} s."
    )


def _reached(context: Context, machine: Instance) -> CloudCheck:
    """Until a session with it is up; a machine that boots may refuse for a while."""
    begin = context.clock.now()
    while True:
        try:
            with context.links.to(machine.id).session(_SESSION_S):
                took = context.clock.now() - begin
                return CloudCheck(
                    "ssh", True, f"It answered as the one that was launched after {took:.0f} s."
                )
        except (UnreachableError, HostKeyError):
            if context.clock.now() - begin > REACHED_S:
                raise
        _pause(context, 1.0)


def _ended(context: Context, machine: Instance) -> CloudCheck:
    """Terminate it, and see that it is gone."""
    row = context.catalog.instances.get(machine.id)
    if not row.cloud_id and row.forgotten_at is not None:
        return CloudCheck("terminate", True, "No machine was made.")
    begin = context.clock.now()
    commands.submit_terminate(context.catalog, row)
    while not context.catalog.instances.get(machine.id).is_gone:
        _pause(context, POLL_S)
    context.catalog.instances.forget(machine.id, context.clock.now())
    return CloudCheck("terminate", True, f"It was gone after {context.clock.now() - begin:.0f} s.")


def _pause(context: Context, seconds: float) -> None:
    if context.clock.wait(seconds, context.closing):
        raise Withdrawn
