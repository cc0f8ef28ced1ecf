"""Both ways to an SSH host, for what has to hold for either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.engine.hosts import support
from tests.support.sshd import Sshd

from cloudtui_engine.hosts.master import Master
from cloudtui_engine.hosts.transport import Transport
from cloudtui_engine.hosts.transport.openssh import OpenSshTransport


@pytest.fixture
def make_master(tmp_path: Path) -> Iterator[Callable[..., Master]]:
    """`make_master(sshd, port=None, extra="")`: the user's own ssh for a server; logged out at the end."""
    made: list[Master] = []

    def make(server: Sshd, *, port: int | None = None, extra: str = "") -> Master:
        made.append(support.master_of(server, tmp_path, port=port, extra=extra))
        return made[-1]

    yield make
    for one in made:
        one.end()


@pytest.fixture(params=["paramiko", "ssh"])
def way(
    request: pytest.FixtureRequest, tmp_path: Path, make_master: Callable[..., Master]
) -> Callable[..., Transport]:
    """`way(sshd, port=None)`: a transport to a server that is known, not yet connected; each of the two."""

    def make(server: Sshd, *, port: int | None = None) -> Transport:
        if request.param == "ssh":
            return OpenSshTransport(make_master(server, port=port))
        return support.transport(server, tmp_path, port=port)

    return make
