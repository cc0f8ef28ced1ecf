"""Work at a host that is begun again while the host cannot be reached."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from cloudtui_engine.errors import AuthError, HostKeyError, UnreachableError
from cloudtui_engine.handlers.context import Context, Withdrawn, passphrase_question
from cloudtui_engine.handlers.stage import Report
from cloudtui_engine.hosts.bulk import Cancelled
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.records.instance import Instance

PATIENCE_S = 600.0
_LINK_S = 30.0
_RETRY_S = 0.5

Done = TypeVar("Done")


def insisting(
    context: Context, instance: Instance, say: Report, work: Callable[[Session, Report], Done]
) -> Done:
    """What `work` makes of a session with the host.

    Args:
        context: the engine.
        instance: the host.
        say: is told how far it is, and what is waited for.
        work: given a session and a report of its own; done again from its beginning after a broken link.

    Raises:
        Asked: the key needs a passphrase.
        Withdrawn: the work was cancelled.
        UnreachableError: the host has not answered for `PATIENCE_S`.
    """
    heard = time.monotonic()

    def report(text: str, done: int | None = None, total: int | None = None) -> None:
        nonlocal heard
        heard = time.monotonic()  # as long as the host answers it is given time
        say(text, done, total)

    while True:
        try:
            with context.links.to(instance.id).session(_LINK_S) as session:
                return work(session, report)
        except Cancelled:
            raise Withdrawn from None
        except PassphraseError as error:
            raise passphrase_question(error, instance.id) from None
        except (HostKeyError, AuthError):
            raise
        except UnreachableError as error:
            if time.monotonic() - heard > PATIENCE_S:
                raise
            say(f"Waiting for {instance.name}: {error.message}", None, None)
            context.closing.wait(_RETRY_S)
