"""`instance.add` and `instance.probe`: a machine becomes known, and what it is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from cloudtui_engine.errors import CloudtuiError, HostKeyError, LoginNeededError, NotFoundError
from cloudtui_engine.handlers.context import Asked, Context, login_question, passphrase_question
from cloudtui_engine.hosts.connect import connect
from cloudtui_engine.hosts.facts import checked_facts, renewed
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.instance import Address, Instance, LinkState
from cloudtui_engine.records.operation import Operation

CONNECT_PATIENCE_S = 30.0
PROBE_PATIENCE_S = 60.0


def add(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Connect, ask for what only a person can say, probe, and only then keep the instance.

    The instance bears the operation's id: an engine that goes on after another one's death adds it once.
    """
    try:
        return {"instance": context.catalog.instances.get(operation.id).id}
    except NotFoundError:
        pass
    args = operation.args
    instance = Instance(
        id=operation.id,
        name=str(args["name"]),
        provider="ssh",
        address=Address(**args["address"]),
        root=str(args.get("root") or ""),
        price_usd_per_hour=args.get("price"),
        created_at=time.time(),
    )
    context.reporter(operation)(f"Connecting to {instance.address}", None, None)
    facts, hello = _first_contact(context, operation, instance)
    with context.catalog.write("instance"):
        context.catalog.instances.add(instance)
        context.catalog.instances.update(
            instance.id,
            facts=facts,
            gpus=facts["gpus"],
            machine_id=str(hello.get("machine_id", "")),
            seen_at=time.time(),
            link_state=LinkState.DOWN,
        )
    return {"instance": instance.id}


def _first_contact(
    context: Context, operation: Operation, instance: Instance
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    accepted = str(operation.args.get("accept_host_key") or "")
    if operation.answer.get("accept"):
        accepted = str(operation.question.get("fingerprint", ""))
    try:
        transport, start = connect(context.paths, context.secrets, instance, {accepted} - {""})
    except HostKeyError as error:
        if error.changed:
            raise
        raise Asked(
            {
                "kind": "host_key",
                "host": str(instance.address),
                "fingerprint": error.fingerprint,
                "text": error.message,
            }
        ) from None
    except PassphraseError as error:
        raise passphrase_question(error, instance.id) from None
    except LoginNeededError as error:
        raise login_question(error, instance) from None
    try:
        session = start()
    except CloudtuiError:
        transport.close()
        raise
    try:
        context.reporter(operation)("Looking at the machine", None, None)
        return checked_facts(session.request("probe", {}, timeout=PROBE_PATIENCE_S)), session.hello
    finally:
        session.close()


def probe(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Look at the machine again; what it is now is kept."""
    instance = context.catalog.instances.get(operation.target)
    report = context.reporter(operation)
    report(f"Connecting to {instance.name}", None, None)
    try:
        with context.links.to(instance.id).session(CONNECT_PATIENCE_S) as session:
            report("Looking at the machine", None, None)
            facts = checked_facts(session.request("probe", {}, timeout=PROBE_PATIENCE_S))
    except PassphraseError as error:
        raise passphrase_question(error, instance.id) from None
    except LoginNeededError as error:
        raise login_question(error, instance) from None
    with context.catalog.write("instance"):
        facts = renewed(context.catalog.instances.get(instance.id).facts, facts)
        context.catalog.instances.update(instance.id, facts=facts, gpus=facts["gpus"], seen_at=time.time())
    return {"instance": instance.id, "facts": facts}
