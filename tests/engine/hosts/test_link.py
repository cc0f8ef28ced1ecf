"""The thread of a host: nothing that happens in it may leave the host without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.home import wait_until

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import HostKeyError, UnreachableError
from cloudtui_engine.hosts import link as links
from cloudtui_engine.hosts.link import HostLink
from cloudtui_engine.hosts.seen import SEEN_EVERY_S, Seen
from cloudtui_engine.hosts.session import Session
from cloudtui_engine.hosts.transport import Transport
from cloudtui_engine.hosts.transport.local import LocalTransport
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Instance, LinkState

Way = tuple[Transport, Callable[..., Session]]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog.open(Paths(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def make_link(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., HostLink]]:
    """A link to this machine whose tries are what the test says."""
    monkeypatch.setattr(links, "TROUBLE_RETRY_S", 0.05)
    made: list[HostLink] = []

    def make(*before: Callable[[], None]) -> HostLink:
        tries = iter(before)

        def connect(_instance: Instance) -> Way:
            next(tries, lambda: None)()
            transport = LocalTransport("local")
            transport.connect(5)
            root = str(catalog.paths.home / "root")
            return transport, lambda **callbacks: Session(transport, root, **callbacks)

        made.append(HostLink(catalog, catalog.instances.ensure_local().id, connect))
        return made[-1]

    yield make
    for link in made:
        link.close()


def failing(error: BaseException) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


def state(catalog: Catalog) -> Any:
    return catalog.instances.ensure_local().link_state


def test_a_defect_in_the_thread_is_survived(make_link: Callable[..., HostLink]) -> None:
    link = make_link(failing(RuntimeError("a defect")), failing(OSError("no files left")))
    with link.session(20) as session:
        assert session.request("ping")["now"] > 0


def test_a_host_that_comes_back_is_found_while_someone_waits(make_link: Callable[..., HostLink]) -> None:
    link = make_link(failing(UnreachableError("gone")))
    with link.session(20) as session:
        assert session.is_open


def test_waiting_does_not_help_against_a_wrong_key(
    make_link: Callable[..., HostLink], catalog: Catalog
) -> None:
    link = make_link(*[failing(HostKeyError("another key", changed=True))] * 5)
    with pytest.raises(HostKeyError), link.session(20):
        pass
    wait_until(lambda: state(catalog) == LinkState.KEY_CHANGED, 20)


def test_a_session_that_dies_at_once_is_replaced(make_link: Callable[..., HostLink]) -> None:
    link = make_link()
    with link.session(20) as first:
        first.transport.close()
        wait_until(lambda: not first.is_open, 20)

        def another() -> bool:
            try:
                with link.session(5) as second:
                    return second is not first and second.request("ping")["now"] > 0
            except UnreachableError:
                return False

        wait_until(another, 20, "another session")


def test_when_hosts_were_heard_from_is_written_for_all_together(catalog: Catalog) -> None:
    for name in ("a", "b"):
        catalog.instances.add(Instance(name, name, "ssh"))
    seen = Seen(catalog)
    seen.heard("a", 1.0)
    before = catalog.data_version()
    for moment in range(50):
        seen.heard("a", 2.0 + moment)
        seen.heard("b", 2.0 + moment)
    assert catalog.data_version() == before
    seen._written -= SEEN_EVERY_S
    seen.heard("b", 99.0)
    assert [catalog.instances.get(name).seen_at for name in ("a", "b")] == [51.0, 99.0]
