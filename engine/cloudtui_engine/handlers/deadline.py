"""`instance.deadline`: a machine's end, told to its cloud and to the machine itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cloudtui_engine.errors import AuthError, CloudtuiError, HostKeyError, UnreachableError
from cloudtui_engine.fleet import deadlines, enforcing, installation, trusting
from cloudtui_engine.handlers.context import Context, Withdrawn, passphrase_question
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.operation import Operation

RETRY_S = 2.0
REFUSED_RETRY_S = 60.0
KEPT_S = 3600.0
"""How long what was told at a link stays among the operations; then it is told anew, over the same link."""
_CANNOT = frozenset({"no_power_off", "no_permission", "not_armed"})


def tell(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Tell what the row says now; a host that cannot be reached is told as soon as it can be.

    Returns:
        `{"cloud": told, "host": what its switch says, or why it was not told}`.

    Raises:
        CloudtuiError: the cloud will not move its own limit; or the machine cannot end itself, and is no
            cloud's that could be asked to.
    """
    report = context.reporter(operation)
    context.catalog.operations.prune(deadlines.KIND, context.clock.now() - KEPT_S)
    in_cloud: bool | None = None
    while not context.closing.is_set():
        if installation.is_copy(context.catalog, context.paths):
            # What its rows say is old: the other home may have given the machine more time.
            return {"cloud": False, "host": "copy"}
        instance = context.catalog.instances.get(operation.target)
        if instance.is_gone or instance.wanted == "terminated" or instance.forgotten_at is not None:
            return {"cloud": False, "host": "gone"}
        if instance.deadline_at is not None and instance.deadline_at <= context.clock.now():
            # A machine that was started again must not be ended by yesterday's word.
            return {"cloud": False, "host": "over"}
        if in_cloud is None:
            in_cloud = _tell_cloud(context, instance, asked=bool(operation.args.get("asked")))
            # From then on its cloud knows (`fleet/told.py`), however long the host is waited for.
            report("Telling the machine", None, None)
        if instance.wanted != "running" or (instance.is_rented and instance.cloud_state != "running"):
            # It is told when it runs again, at the first link.
            return {"cloud": in_cloud, "host": "not running"}
        try:
            args = _args(context, instance, _may_arm(instance, operation))
            return {"cloud": in_cloud, "host": _tell_host(context, instance, args)}
        except PassphraseError as error:
            raise passphrase_question(error, instance.id) from None
        except (HostKeyError, AuthError) as error:
            # Only a person can mend that; asked too often a host bans whoever knocks.
            report(f"The host will be told when it has us again. {error.message}", None, None)
            context.closing.wait(REFUSED_RETRY_S)
        except UnreachableError as error:
            report(f"The host will be told when it can be reached. {error.message}", None, None)
            context.closing.wait(RETRY_S)
    raise Withdrawn


def _tell_cloud(context: Context, instance: Instance, *, asked: bool) -> bool:
    """The cloud knows the deadline of the launch; only another one is news to it."""
    if not asked or not instance.cloud_id:
        return False
    at = instance.deadline_at
    left = 0 if at is None else max(1, int(at - context.clock.now()))
    theirs = 0.0 if at is None else trusting.by_cloud(instance.provider, at, context.clock)
    text = "" if at is None else datetime.fromtimestamp(theirs, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return enforcing.tell_cloud(instance, text, left)


def _may_arm(instance: Instance, operation: Operation) -> bool:
    """Whether a switch is put there where there is none: where we launched it, or somebody asked for that.

    One that was taken up is a machine that somebody else may have launched.
    """
    asked = operation.args.get("arm", operation.args.get("asked", False))
    return bool(instance.launch_id) or not instance.is_rented or bool(asked)


def _tell_host(context: Context, instance: Instance, args: Mapping[str, Any]) -> Any:
    """What the machine's switch says then; why it has none, where its cloud or the engine ends it."""
    with context.links.to(instance.id).session(20.0) as session:
        try:
            return dict(session.request("deadline", dict(args), timeout=60.0))
        except CloudtuiError as error:
            if error.code not in _CANNOT:
                raise
            if not instance.is_rented:
                # Nothing else would end it: the row must not say that something will.
                context.catalog.instances.update(instance.id, deadline_at=None)
                raise
            if error.code == "not_armed":
                return error.message  # nobody asked for a switch there
            text = f"{instance.name} cannot end itself. {error.message} {error.hint}".strip()
            context.catalog.events.add(instance.id, "warning", "deadline", text)
            return error.message


def _args(context: Context, instance: Instance, may_arm: bool) -> dict[str, Any]:
    args: dict[str, Any] = {"arm": may_arm}
    if instance.deadline_at is None:
        args["disarm"] = True
    else:
        args["left_s"] = max(0, round(instance.deadline_at - context.clock.now()))
    idle_s = enforcing.idle_limit(context.catalog, instance)
    return args if idle_s is None else args | {"idle_s": idle_s}
