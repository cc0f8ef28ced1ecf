"""What an operation's handler works with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import LoginNeededError
from cloudtui_engine.fleet.clock import Clock
from cloudtui_engine.hosts.links import Links
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.secret_channel import SecretBox

PROGRESS_EVERY_S = 0.25
SHOWN_EVERY_S = 0.5


class Asked(Exception):  # noqa: N818 - no error: the operation waits for a person, and its thread ends
    """The handler needs an answer: the operation is `needs_you` with this question."""

    def __init__(self, question: Mapping[str, Any]) -> None:
        super().__init__(str(question))
        self.question = dict(question)


def passphrase_question(error: PassphraseError, subject: str) -> Asked:
    """The question that a locked key is; the answer is held in memory under `subject`, the instance's id."""
    text = f"{error.message} {error.hint}".strip()
    return Asked({"kind": "passphrase", "key_file": error.key_file, "subject": subject, "text": text})


def login_question(error: LoginNeededError, instance: Instance) -> Asked:
    """The question that a login is; the answer is that somebody has logged in, at whichever terminal."""
    return Asked(
        {
            "kind": "login",
            "host": str(instance.address),
            "name": instance.name,
            "address": asdict(instance.address),
            "text": error.message,
        }
    )


class Withdrawn(Exception):  # noqa: N818 - no error: someone else ended what this was for
    """What the operation was for is no longer wanted."""


@dataclass(frozen=True, slots=True)
class Context:
    """The engine, as far as a handler may use it."""

    catalog: Catalog
    paths: Paths
    links: Links
    secrets: SecretBox
    closing: threading.Event
    clock: Clock = field(default_factory=Clock)

    def reporter(self, operation: Operation) -> Callable[[str, int | None, int | None], None]:
        """A progress callback for `operation`: (text, done, total), written at most four times a second."""
        last = 0.0
        said = ""

        def report(text: str, done: int | None = None, total: int | None = None) -> None:
            nonlocal last, said
            now = time.monotonic()
            if text == said and now - last < PROGRESS_EVERY_S and done != total:
                return
            last, said = now, text
            progress: dict[str, Any] = {"text": text}
            if total:
                progress |= {"done": done or 0, "total": total}
            self.catalog.operations.set_progress(operation.id, progress)

        return report

    def shower(self, run_id: str) -> Callable[[str, int | None, int | None], None]:
        """As `reporter`, into the run itself, for what is done before it begins; no text takes it away."""
        last = 0.0
        shown = ""

        def show(text: str, done: int | None = None, total: int | None = None) -> None:
            nonlocal last, shown
            now = time.monotonic()
            text = f"{text} · {_amount(done, total)}" if text and done is not None and total else text
            if text == shown or (text and now - last < SHOWN_EVERY_S):
                return
            last, shown = now, text
            self.catalog.runs.set_progress(run_id, {"text": text} if text else {})

        return show


def _amount(done: int, total: int) -> str:
    """`120 of 200 MB`."""
    unit, size = next(((u, s) for u, s in (("GB", 10**9), ("MB", 10**6)) if total >= s), ("kB", 10**3))
    digits = 1 if unit == "GB" else 0
    return f"{done / size:.{digits}f} of {total / size:.{digits}f} {unit}"
