"""Questions of operations: what is said when nobody is there to answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudtui_engine.errors import CloudtuiError, HostKeyError, RefusedError
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.sanitize import clean_line

LOGIN = "login"
"""A person has to log in, at a terminal."""
INSTALLATION = "installation"
"""The question of a home that was copied."""


def contradicts(operation: Operation) -> bool:
    """The host shows another key than the one that was named: nobody is asked whether that is fine."""
    given = operation.args.get("accept_host_key")
    return bool(given) and operation.question.get("kind") == "host_key"


def refusal(operation: Operation) -> CloudtuiError:
    """The error for a question without an answer."""
    question: Mapping[str, Any] = operation.question
    host = clean_line(str(question.get("host", "the host")), 200)
    if question.get("kind") == "host_key":
        fingerprint = clean_line(str(question.get("fingerprint", "")), 200)
        if contradicts(operation):
            given = clean_line(str(operation.args["accept_host_key"]), 200)
            return HostKeyError(
                f"{host} shows the key {fingerprint}, not {given} as you said.",
                "Ask the host's owner for its fingerprint; someone may be in between.",
                fingerprint=fingerprint,
            )
        return HostKeyError(
            f"The key of {host} is not known here: {fingerprint}.",
            f"Compare it with what the host's owner says, then add: --accept-host-key {fingerprint}",
            fingerprint=fingerprint,
        )
    if question.get("kind") == "passphrase":
        key = clean_line(str(question.get("key_file", "")), 200)
        return RefusedError(
            f"The key {key} needs its passphrase, and nobody can be asked.",
            "Put the key into your agent: ssh-add",
            code="needs_passphrase",
        )
    if question.get("kind") == "secrets":
        names = ", ".join(clean_line(str(name), 80) for name in question.get("names") or ())
        return RefusedError(
            f"The run needs {names}.",
            "Set them in your environment, or run this in a terminal.",
            code="needs_secrets",
        )
    if question.get("kind") == INSTALLATION:
        return RefusedError(
            clean_line(str(question.get("text", ""))),
            "Where the other one is not used any more: cloudtui provider claim moved. Else: ... claim copy",
            code=INSTALLATION,
        )
    kind = clean_line(str(question.get("kind", "something")), 40)
    text = clean_line(str(question.get("text", kind)))
    return RefusedError(
        f"{host} asks: {text}", "Run this in a terminal, or answer on the desktop.", code=f"needs_{kind}"
    )
