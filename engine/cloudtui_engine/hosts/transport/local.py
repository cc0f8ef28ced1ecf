"""This machine as a host: a subprocess and its pipes."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping

from cloudtui_engine.hosts.transport.process import ProcessChannel

_SECRET = re.compile(
    r"(?:^|_)(?:TOKENS?|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|PASS|CREDENTIALS?|API_?KEY|APIKEY|KEY)(?:_|$)",
    re.IGNORECASE,
)
"""Names of variables that hold secrets: the words between underscores say so."""


def surroundings(env: Mapping[str, str]) -> dict[str, str]:
    """What jobs on this machine get of the engine's environment: all but secrets.

    The engine has the environment of whoever started it, with credentials of clouds and secrets of some run
    in it; a job gets those that it was given by name, as on any other host.
    """
    return {name: value for name, value in env.items() if not _SECRET.search(name)}


class LocalTransport:
    """This machine."""

    def __init__(self, name: str = "local", python: str = sys.executable) -> None:
        self.name = name
        self.python = python
        self._channels: list[ProcessChannel] = []

    @property
    def is_alive(self) -> bool:
        """This machine is always there."""
        return True

    def connect(self, timeout: float) -> None:
        """Nothing to do."""

    def open(self, command: str, timeout: float) -> ProcessChannel:  # noqa: ARG002 - a process begins at once
        """Run `command` by /bin/sh."""
        argv, who = ["/bin/sh", "-c", command], "The host process of this machine"
        channel = ProcessChannel(argv, who, env=surroundings(os.environ))
        self._channels.append(channel)
        return channel

    def second(self) -> LocalTransport:
        """Another one: a process costs nothing here."""
        return LocalTransport(self.name, self.python)

    def close(self) -> None:
        """End all channels."""
        while self._channels:
            self._channels.pop().close()
