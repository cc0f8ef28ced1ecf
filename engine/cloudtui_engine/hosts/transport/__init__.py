"""Ways to a host: this machine's own pipes, or SSH."""

from cloudtui_engine.hosts.transport.base import Channel, Transport, backoff

__all__ = ["Channel", "Transport", "backoff"]
