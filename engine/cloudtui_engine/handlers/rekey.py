"""`instance.rekey`: a machine's host key changed after the first login.

The first one went through the cloud, where more than the machine can read it. At each moment every key that
the machine may show is pinned, and no other: killed anywhere, the next link goes on with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cloudtui_engine.errors import CloudtuiError, FailedError, HostKeyError
from cloudtui_engine.fleet import trust
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.hosts import connect
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport.ssh import SshTransport
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.operation import Operation

_KEY = re.compile(r"ssh-ed25519 [A-Za-z0-9+/]{60,80}={0,2}", re.ASCII)
_CANNOT = frozenset({"no_permission", "host_key"})


def rekey(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Have another key made on the machine, pin it beside the first, have it shown, then pin it alone.

    Returns:
        `{"changed"}`; False where it cannot be changed, or is none of ours to change: it stays pinned.

    Raises:
        CloudtuiError: the link broke, or the machine does not show its new key; both stay pinned.
    """
    instance = context.catalog.instances.get(operation.target)
    if not trust.is_first_key(instance.host_key) or instance.is_gone:
        return {"changed": False}
    first = instance.host_key.split("\n")[0]
    with context.links.to(instance.id).session(20.0) as session:
        coming = _make(context, session, instance, first)
        if not coming:
            context.catalog.instances.update(instance.id, host_key=trust.settled(first, trust.KEPT))
            return {"changed": False}
        with context.catalog.write("instance", durable=True):
            context.catalog.instances.update(instance.id, host_key=f"{first}\n{coming}")
        transport = context.links.to(instance.id).transport
        if isinstance(transport, SshTransport) and transport.pinned is not None:
            # Further connections of this very link are about to be shown the new one.
            transport.pinned.add(coming)
        session.request("host_key", {"do": "use", "was": first}, timeout=60.0)
    _see(context, instance, coming)
    context.catalog.instances.update(instance.id, host_key=trust.settled(coming, trust.CHANGED))
    return {"changed": True}


def _make(context: Context, session: Session, instance: Instance, first: str) -> str:
    """The key that it will show, or shows by now; empty where it stays as it is."""
    try:
        said = session.request("host_key", {"do": "make", "was": first}, timeout=60.0)
    except CloudtuiError as error:
        if error.code not in _CANNOT:
            raise
        text = f"{instance.name} keeps the host key that went through the cloud. {error.message}"
        context.catalog.events.add(instance.id, "warning", "host_key", text)
        return ""
    made, current = str(said.get("next") or ""), str(said.get("current") or "")
    if not made and f"{first}\n{current}" == instance.host_key:
        made = current
    if made and not _KEY.fullmatch(made):
        raise FailedError(f"{instance.name} told of a host key that is none.")
    return made


def _see(context: Context, instance: Instance, coming: str) -> None:
    """Connect anew, with no other key pinned than the one that is to be shown."""
    try:
        transport, _ = connect.connect(context.paths, context.secrets, replace(instance, host_key=coming))
    except HostKeyError as error:
        raise FailedError(
            f"{instance.name} still shows its first host key: its SSH server was not told of the new one.",
            "Both are believed until it shows the new one. Restart its SSH server, or the machine.",
        ) from error
    transport.close()
