"""This machine as a host: a subprocess and its pipes."""

from __future__ import annotations

import sys

from cloudtui_engine.hosts.transport.process import ProcessChannel


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
        channel = ProcessChannel(["/bin/sh", "-c", command], "The host process of this machine")
        self._channels.append(channel)
        return channel

    def second(self) -> LocalTransport:
        """Another one: a process costs nothing here."""
        return LocalTransport(self.name, self.python)

    def close(self) -> None:
        """End all channels."""
        while self._channels:
            self._channels.pop().close()
