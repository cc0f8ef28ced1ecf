"""A deadline told to a real host: its switch is armed, moved, or cannot be - and the row says so."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.catalog.helpers import open_catalog
from tests.support.sshd import Sshd

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError
from cloudtui_engine.fleet import deadlines, enforcing
from cloudtui_engine.handlers import deadline
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.hosts.connect import connector
from cloudtui_engine.hosts.links import Links
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.secret_channel import SecretBox

pytestmark = pytest.mark.sshd
LIFE_S = 7200


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path / "home")
    yield opened
    opened.close()


@pytest.fixture
def context(catalog: Catalog) -> Iterator[Context]:
    secrets = SecretBox(catalog.paths)
    links = Links(catalog, connector(catalog.paths, secrets))
    yield Context(catalog, catalog.paths, links, secrets, threading.Event())
    links.close()
    secrets.close()


@pytest.fixture
def make_host(
    make_sshd: Callable[..., Sshd], tmp_path: Path, catalog: Catalog
) -> Iterator[Callable[..., Instance]]:
    made: list[Sshd] = []

    def make(env: dict[str, str], **fields: object) -> Instance:
        server = make_sshd(env={"CLOUDTUI_SWITCH": str(tmp_path / "booted"), **env})
        made.append(server)
        address = Address(server.address, server.user, server.port, str(server.user_key))
        return catalog.instances.add(
            Instance(
                "i1", "box", "ssh", address, root=str(server.root), host_key=server.host_public, **fields
            )  # type: ignore[arg-type]
        )

    yield make
    for server in made:
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((server.root / "switch/loop").read_text()), signal.SIGKILL)


def test_a_machine_that_a_person_gives_an_end_is_armed_and_can_be_let_go(
    make_host: Callable[..., Instance], context: Context, tmp_path: Path
) -> None:
    box = make_host({"CLOUDTUI_POWER_OFF": f"echo > {tmp_path}/off", "CLOUDTUI_TICK": "60"})
    asked = deadlines.extend(context.catalog, box, time.time() + LIFE_S)
    told = deadline.tell(context, asked)
    assert told["cloud"] is False
    assert told["host"]["armed"]
    assert LIFE_S - 60 < told["host"]["left_s"] <= LIFE_S
    again = deadlines.extend(context.catalog, box, time.time() + 2 * LIFE_S)
    told = deadline.tell(context, again)
    assert 2 * LIFE_S - 60 < told["host"]["left_s"] <= 2 * LIFE_S
    told = deadline.tell(context, deadlines.extend(context.catalog, box, None))
    assert (told["host"]["armed"], told["host"]["left_s"]) == (False, None)
    assert not (tmp_path / "off").exists()


def test_a_machine_that_cannot_end_itself_is_not_said_to(
    make_host: Callable[..., Instance], context: Context, tmp_path: Path
) -> None:
    box = make_host({})
    # What a container looks like to the probe cannot be had here, nor a user without sudo: the switch of a
    # launch that may not be written is the third way of being refused.
    booted = tmp_path / "booted"
    booted.mkdir()
    (booted / "switch").write_text("echo 'sudo: a password is required' >&2; exit 1\n")
    asked = deadlines.extend(context.catalog, box, time.time() + LIFE_S)
    with pytest.raises(CloudtuiError, match="a password is required") as refused:
        deadline.tell(context, asked)
    assert refused.value.code == "no_permission"
    assert context.catalog.instances.get(box.id).deadline_at is None


def test_a_rented_machine_that_cannot_end_itself_is_ended_by_others(
    make_host: Callable[..., Instance], context: Context, tmp_path: Path
) -> None:
    box = make_host({}, cloud_id="c1", cloud_state="running", deadline_at=time.time() + LIFE_S)
    (tmp_path / "booted").mkdir()
    (tmp_path / "booted/switch").write_text("echo no >&2; exit 1\n")
    operation = context.catalog.operations.submit(deadlines.KIND, box.id, {})
    assert "could not be set" in deadline.tell(context, operation)["host"]
    assert context.catalog.instances.get(box.id).deadline_at is not None
    (event,) = context.catalog.events.list(box.id)
    assert "cannot end itself" in event.text


def test_one_that_was_taken_up_gets_no_switch_unless_that_is_asked_for(
    make_host: Callable[..., Instance], context: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its cloud and the engine end it; a switch that it has is told, whoever put it there."""
    at = time.time() + LIFE_S
    told: list[str] = []
    monkeypatch.setattr(enforcing, "tell_cloud", lambda one, *_: bool(told.append(one.cloud_id)) or True)
    power_off = {"CLOUDTUI_POWER_OFF": f"echo > {tmp_path}/off", "CLOUDTUI_TICK": "60"}
    box = make_host(power_off, cloud_id="c1", cloud_state="running", deadline_at=at)

    def tell(**args: bool) -> Any:
        return deadline.tell(context, context.catalog.operations.submit(deadlines.KIND, box.id, args))

    assert tell(asked=True, arm=False) == {
        "cloud": True, "host": "This machine has no switch: it was not launched by cloudtui.",
    }  # fmt: skip
    assert tell()["host"].startswith("This machine has no switch"), "a new link changes nothing"
    assert context.catalog.events.list(box.id) == [], "nobody asked for one"
    assert tell(asked=True, arm=True)["host"]["armed"]
    assert LIFE_S - 60 < tell()["host"]["left_s"] <= LIFE_S, "it has one from then on"
    assert told == ["c1", "c1"]
    assert not (tmp_path / "off").exists()


def test_what_is_over_or_gone_or_rests_is_not_told(context: Context, catalog: Catalog) -> None:
    nowhere = Address("192.0.2.1", "me", 22)
    for number, (fields, said) in enumerate(
        [
            ({"deadline_at": 1.0}, "over"),
            ({"wanted": "terminated"}, "gone"),
            ({"cloud_id": "c", "cloud_state": "stopped", "deadline_at": time.time() + 60}, "not running"),
        ]
    ):
        one = catalog.instances.add(Instance(f"n{number}", f"n{number}", "ssh", nowhere, **fields))  # type: ignore[arg-type]
        operation = catalog.operations.submit(deadlines.KIND, one.id, {})
        assert deadline.tell(context, operation)["host"] == said
