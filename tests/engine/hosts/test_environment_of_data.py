"""Which python of a host reads data: no torch is asked for, and none tested."""

from __future__ import annotations

import pytest
from tests.engine.hosts.test_environment import facts, python, torch

from cloudtui_engine.hosts.environment import DATA_REQUIREMENTS, Need, choose

NEW = {"numpy": "2.1.0", "pillow": "11.0.0", "polars": "1.31.0"}


@pytest.mark.parametrize(
    ("need", "has", "is_own"),
    [
        ("arrays", {"numpy": "1.26.4"}, True),
        ("pictures", {"numpy": "1.26.4", "pillow": "10.0"}, True),
        ("tables", {"numpy": "2.1.0", "polars": "1.20.0"}, True),
        ("tables", {"numpy": "2.1.0", "polars": "0.20.31"}, False),
        ("tables", {"numpy": "2.1.0", "polars": "1.19.9"}, False),
        ("pictures", {"numpy": "1.24.1", "pillow": "11.0"}, False),
        ("pictures", {"numpy": "2.1.0"}, False),
        ("pictures", {"numpy": "2.1.0", "pillow": "none"}, False),
    ],
)
def test_the_hosts_own_is_taken_when_it_is_new_enough(need: Need, has: dict[str, str], is_own: bool) -> None:
    chosen = choose(facts(python("/a/python", **has)), need)
    assert (chosen.kind, chosen.python) == (("own", "/a/python") if is_own else ("new", ""))
    assert chosen.accelerator == "", "nothing is tested that needs no torch"


def test_one_of_ours_has_all_that_reads_data_and_no_torch() -> None:
    chosen = choose(facts(torch("/a/python")), "tables")
    plan = chosen.plan
    assert plan is not None
    assert plan.requirements == tuple(DATA_REQUIREMENTS.values())
    assert (plan.on_top, plan.has_torch, plan.disk_bytes) == (False, False, 600_000_000)
    for need in ("arrays", "pictures"):
        other = choose(facts(python("/a/python")), need).plan  # type: ignore[arg-type]
        assert other is not None
        assert other.requirements == plan.requirements, "one is made, whatever is read first"
    trains = choose(facts(python("/a/python")), "train").plan
    assert trains is not None
    assert trains.has_torch
    assert trains.disk_bytes > plan.disk_bytes


def test_one_of_ours_that_is_there_is_used_and_trains_nothing() -> None:
    ours = python("/root/env/ab/bin/python", env="env/ab", **NEW)
    found = facts(python("/a/python"), environments=[ours])
    chosen = choose(found, "tables")
    assert (chosen.kind, chosen.python, chosen.key) == ("ours", ours["path"], "env/ab")
    assert choose(found, "train").plan is not None
    assert choose(found, "tables", avoid={"env/ab"}).plan is not None


def test_one_that_is_too_old_for_us_is_passed_over() -> None:
    assert choose(facts(python("/a/python", "3.9.2", **NEW), uv="/usr/bin/uv"), "tables").kind == "new"
