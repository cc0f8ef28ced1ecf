"""Who has lost a home finds its machines by a command, and ends them."""

from __future__ import annotations

from datetime import datetime

import pytest
from tests.engine.fleet.world import World
from tests.support.clouds.faults import Fault
from tests.tui.cli.test_fleet import Cli, engine, world

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.records.survey import SURVEY

__all__ = ["engine", "world"]
COMMAND = ("instance", "orphans")


@pytest.fixture
def lost(world: World) -> str:
    """The id of a machine that another home launched with this account."""
    machine = world.alien(owner="0123456789abcdef", launch="elsewhere").id
    world.cloud.settle()
    return machine


def test_a_new_home_finds_the_machine_of_a_lost_one_and_ends_it(
    cli: Cli, catalog: Catalog, world: World, lost: str
) -> None:
    none = cli(*COMMAND)
    assert "--everyone" in none.out, "it says how to find them"
    told = cli(*COMMAND, "--everyone", "--json")
    assert told.status == 0
    (cloud,), (found,) = told.json["clouds"], told.json["machines"]
    assert (cloud["complete"], cloud["regions"], cloud["incomplete"]) == (True, 2, [])
    assert (found["id"], found["owner"], found["this_home"]) == (lost, "0123456789abcdef", False)
    assert (found["type"], found["cloud_state"], found["created_at"][:2]) == ("gpu-1", "running", "20")
    shown = cli(*COMMAND, "--everyone").out
    assert "01234567 " in shown
    assert "all of its 2 regions answered" in shown
    assert catalog.orphans.list() == []
    assert cli(*COMMAND, "terminate", lost, "--yes", "--json").status == 3, "not by a slip, as one of ours"
    words = (*COMMAND, "terminate", lost, "--everyone", "--json")
    refused = cli(*words)
    assert (refused.status, refused.json["error"]["code"]) == (4, "needs_yes")
    assert "another home (01234567)" in refused.json["error"]["message"]
    assert world.living()
    ended = cli(*words, "--yes").json
    assert ended["wanted"] == "terminated"
    assert "No machine of any home is there" in cli(*COMMAND, "--everyone").out


def test_one_is_taken_up_with_a_deadline_and_a_word(cli: Cli, catalog: Catalog, lost: str) -> None:
    cli(*COMMAND, "--everyone")
    said = cli(*COMMAND, "adopt", lost, "--everyone", "--name", "found", "--deadline", "2h", "--json")
    assert (said.json["name"], said.json["wanted"]) == ("found", "running")
    assert datetime.fromisoformat(said.json["deadline_at"])
    assert "The other home, where it lives, still knows it" in said.err
    assert "SSH key is not on it" in said.err
    assert catalog.orphans.list() == []


def test_what_was_not_seen_is_told_and_is_the_exit_status(cli: Cli, world: World, lost: str) -> None:
    world.cloud.fail(Fault.AUTH, "regions")
    said = cli(*COMMAND, "--everyone")
    assert (said.status, "not asked: toy" in said.out) == (0, True), "it has no credentials here"
    assert "which proves nothing" in said.out
    world.cloud.fail(Fault.UNREACHABLE, "machines", where="south-1")
    said = cli(*COMMAND, "--everyone")
    assert said.status == 6
    assert "toy south-1 was not seen whole" in said.out
    world.cloud.fail(Fault.UNREACHABLE, "regions")
    said = cli(*COMMAND, "--everyone", "--json")
    assert (said.status, said.json["clouds"][0]["complete"]) == (6, False)
    assert [one["id"] for one in said.json["machines"]] == [lost], "what it said before, with its age"


def test_it_is_one_question_a_cloud(cli: Cli, catalog: Catalog, lost: str) -> None:
    assert lost
    cli(*COMMAND, "--everyone")
    assert [(one.kind, one.target) for one in catalog.operations.list()] == [(SURVEY, "toy")]
