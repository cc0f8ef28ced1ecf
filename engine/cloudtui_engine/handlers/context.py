"""What an operation's handler works with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.hosts.links import Links
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.secret_channel import SecretBox

PROGRESS_EVERY_S = 0.25


class Asked(Exception):  # noqa: N818 - no error: the operation waits for a person, and its thread ends
    """The handler needs an answer: the operation is `needs_you` with this question."""

    def __init__(self, question: Mapping[str, Any]) -> None:
        super().__init__(str(question))
        self.question = dict(question)


def passphrase_question(error: PassphraseError, subject: str) -> Asked:
    """The question that a locked key is; the answer is held in memory under `subject`, the instance's id."""
    text = f"{error.message} {error.hint}".strip()
    return Asked({"kind": "passphrase", "key_file": error.key_file, "subject": subject, "text": text})


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
