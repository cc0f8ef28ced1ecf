"""A host key that went through a cloud is changed on the machine, and is believed no more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import open_catalog
from tests.support.sshd import Sshd

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.deciders import change_host_keys
from cloudtui_engine.errors import CloudtuiError, FailedError, HostKeyError
from cloudtui_engine.fleet import trust
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.handlers.rekey import rekey
from cloudtui_engine.hosts import connect
from cloudtui_engine.hosts.links import Links
from cloudtui_engine.records.instance import Address, Instance, LinkState
from cloudtui_engine.secret_channel import SecretBox

pytestmark = pytest.mark.sshd


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def context(catalog: Catalog) -> Iterator[Context]:
    secrets = SecretBox(catalog.paths)
    links = Links(catalog, connect.connector(catalog.paths, secrets))
    yield Context(catalog, catalog.paths, links, secrets, threading.Event())
    links.close()
    secrets.close()


class Box:
    """A machine that was launched, as far as its SSH server goes."""

    def __init__(
        self, make: Callable[..., Sshd], folder: Path, catalog: Catalog, reload: str = "", file: str = ""
    ) -> None:
        key = folder / "sshd0/host_key"
        self.reload = folder / "reload"
        env = {"CLOUDTUI_HOST_KEY": file or str(key), "CLOUDTUI_SSHD_RELOAD": f"sh {self.reload}"}
        self.server = make(env=env)
        assert self.server.host_key == key
        assert self.server._process is not None
        (folder / "first").write_bytes(key.read_bytes())
        self.reload.write_text(reload or f"kill -HUP {self.server._process.pid}\n")
        address = Address(self.server.address, self.server.user, self.server.port, str(self.server.user_key))
        self.first = self.server.host_public
        self.row = catalog.instances.add(
            Instance(
                "i1", "box", "aws", address, root=str(self.server.root), host_key=self.first, launch_id="l1",
                cloud_id="c1", cloud_state="running",
            )
        )  # fmt: skip


def do(context: Context, box: Box) -> object:
    return rekey(context, context.catalog.operations.submit("instance.rekey", box.row.id, {}))


def test_the_first_key_is_changed_and_believed_no_more(
    make_sshd: Callable[..., Sshd], tmp_path: Path, catalog: Catalog, context: Context
) -> None:
    box = Box(make_sshd, tmp_path, catalog)
    with context.links.to("i1").session(20):  # as the bulk lane of a push that is under way
        assert do(context, box) == {"changed": True}
        further = context.links.to("i1").transport.second()
        further.connect(10)
        further.close()
    row = catalog.instances.get(box.row.id)
    assert row.host_key == f"{box.server.host_public} changed"
    assert box.server.host_public != box.first
    with pytest.raises(HostKeyError):
        connect.connect(catalog.paths, context.secrets, replace(row, host_key=box.first))
    transport, _ = connect.connect(catalog.paths, context.secrets, row)
    transport.close()
    assert do(context, box) == {"changed": False}


def test_while_the_server_shows_the_first_both_are_believed(
    make_sshd: Callable[..., Sshd], tmp_path: Path, catalog: Catalog, context: Context
) -> None:
    put_back = f"cp {tmp_path}/first {tmp_path}/sshd0/host_key"
    box = Box(make_sshd, tmp_path, catalog, put_back)
    with pytest.raises(FailedError, match="still shows its first"):
        do(context, box)
    row = catalog.instances.get(box.row.id)
    assert row.host_key.split("\n")[0] == box.first
    assert len(row.host_key.split("\n")) == 2
    transport, _ = connect.connect(catalog.paths, context.secrets, row)
    transport.close()
    assert box.server._process is not None
    box.reload.write_text(f"kill -HUP {box.server._process.pid}; exit 1\n")
    with pytest.raises(CloudtuiError, match="host key could not be changed"):
        do(context, box)
    assert do(context, box) == {"changed": True}, "what was cut off between the two keys goes on"


def test_a_key_that_is_not_the_machines_file_is_let_be(
    make_sshd: Callable[..., Sshd], tmp_path: Path, catalog: Catalog, context: Context
) -> None:
    other = trust.new_host_key()
    file = tmp_path / "other"
    file.write_text(other.private)
    file.chmod(0o600)
    box = Box(make_sshd, tmp_path, catalog, file=str(file))
    assert do(context, box) == {"changed": False}
    assert catalog.instances.get(box.row.id).host_key == f"{box.first} kept"
    assert file.read_text() == other.private


def test_it_is_asked_for_once_somebody_has_logged_in(catalog: Catalog) -> None:
    one = Instance("i1", "box", "aws", host_key="ssh-ed25519 AAAA", launch_id="l1")
    catalog.instances.add(one)
    assert not list(change_host_keys(catalog))
    catalog.instances.update("i1", link_state=LinkState.UP, link_since=5.0)
    assert [proposal.key for proposal in change_host_keys(catalog)] == ["instance.rekey:i1:5.000"]
    for settled in ("", "ssh-ed25519 AAAA changed", "ssh-ed25519 AAAA kept"):
        catalog.instances.update("i1", host_key=settled)
        assert not list(change_host_keys(catalog))
    catalog.instances.update("i1", host_key="ssh-ed25519 AAAA\nssh-ed25519 BBBB")
    assert list(change_host_keys(catalog))
