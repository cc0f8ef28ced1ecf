"""SSH by the user's own ssh: each command is a channel of the one connection that it holds open."""

from __future__ import annotations

from cloudtui_engine.errors import UnreachableError
from cloudtui_engine.hosts.master import Master
from cloudtui_engine.hosts.transport.process import ProcessChannel


class OpenSshTransport:
    """One user of a shared connection, which outlives it: closing this ends its own channels alone."""

    def __init__(self, master: Master) -> None:
        self.name = master.name
        self.python = ""
        self.master = master
        self._channels: list[ProcessChannel] = []

    @property
    def is_alive(self) -> bool:
        """Whether the shared connection is there, as far as its process knows."""
        return self.master.is_up()

    def connect(self, timeout: float) -> None:
        """See that the connection is up; nobody is asked for anything."""
        self.master.ensure(timeout)

    def open(self, command: str, timeout: float) -> ProcessChannel:  # noqa: ARG002 - a process begins at once
        """Run `command` by the user's login shell."""
        if not self.master.socket.exists():
            raise UnreachableError(f"The connection to {self.name} is down.")
        # What ends is our end: the master tells the host, when it can.
        channel = ProcessChannel(self.master.command(command), f"The session with {self.name}", grace_s=0.0)
        self._channels.append(channel)
        return channel

    def second(self) -> OpenSshTransport:
        """Another user of the same connection: a further one could need a further login."""
        return OpenSshTransport(self.master)

    def close(self) -> None:
        """End all channels."""
        while self._channels:
            self._channels.pop().close()
