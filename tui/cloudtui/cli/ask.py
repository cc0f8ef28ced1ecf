"""Questions on the terminal. Prompts go to stderr, so that stdout stays what it is."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable

from cloudtui.handlers.session import Answer
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.sanitize import clean, clean_line


class Terminal:
    """A person at a terminal. `before` is called before each prompt, to clear a progress line."""

    def __init__(self, before: Callable[[], None]) -> None:
        self._before = before

    def ask(self, operation: Operation) -> Answer | None:
        """Put the question of an operation."""
        self._before()
        question = operation.question
        kind = question.get("kind")
        if kind == "host_key":
            return self._host_key(str(question.get("host", "")), str(question.get("fingerprint", "")))
        if kind == "passphrase":
            secret = self.secret(f"Passphrase of {clean_line(str(question.get('key_file', 'the key')), 200)}")
            return Answer({"sent": True}, {"passphrase": secret}) if secret else None
        if kind == "secrets":
            return self._secrets([str(name) for name in question.get("names") or ()])
        return self._other(clean(str(question.get("text", kind))))

    def secret(self, prompt: str) -> str | None:
        """A value that is not shown; None where the person gives none."""
        self._before()
        return getpass.getpass(f"{prompt}: ", stream=sys.stderr) or None

    def _host_key(self, host: str, fingerprint: str) -> Answer | None:
        self._say(f"The key of {clean_line(host, 200)} is not known here:\n  {clean_line(fingerprint, 200)}")
        said = self._line("Is this what the host's owner says? [y/N] ").lower()
        return Answer({"accept": True}) if said in {"y", "yes"} else None

    def _secrets(self, names: list[str]) -> Answer | None:
        from cloudtui.handlers.start import secret_values

        return Answer({"sent": True}, secret_values(names, self.secret))

    def _other(self, text: str) -> Answer | None:
        self._say(text)
        said = getpass.getpass("Your answer: ", stream=sys.stderr)
        return Answer({"sent": True}, {"answer": said}) if said else None

    def _say(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def _line(self, prompt: str) -> str:
        sys.stderr.write(prompt)
        sys.stderr.flush()
        return sys.stdin.readline().strip()
