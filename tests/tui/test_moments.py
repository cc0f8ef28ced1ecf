"""Times as people write them, and how a machine stands in a word."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from cloudtui import standing
from cloudtui.areas.instances import rows
from cloudtui.areas.instances.machine import Machine
from cloudtui.handlers import fleet, moments
from cloudtui_engine.errors import UsageError
from cloudtui_engine.records.instance import NOTICED, Instance, LinkState
from cloudtui_engine.records.launch import IDLE_S, AttemptState, Launch, LaunchAttempt, LaunchState, Wish

NOON = datetime(2026, 11, 21, 12, 0).astimezone().timestamp()
BOX = Instance("c1", "box", "toy", launch_id="l1", cloud_id="m1", cloud_state="running", created_at=NOON - 60)
LAUNCH = Launch("l1", "l1", "c1", "toy", Wish("toy"), created_at=NOON - 60)
ASKED = replace(BOX, cloud_id="", cloud_state=None)
SENT = LaunchAttempt("l1", 1, "r", "", "big", state=AttemptState.SENT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4h", 14_400), ("90m", 5_400), ("1d12h", 129_600), ("30s", 30), ("none", 0), (" 2H ", 7_200)],
)
def test_lengths_of_time(text: str, expected: int) -> None:
    assert moments.seconds(text) == expected
    assert moments.lifetime(text, NOON) == expected


def test_how_long_a_machine_may_do_nothing() -> None:
    assert [moments.quiet(text) for text in ("0", " none", "2h")] == [0, 0, 7200]
    with pytest.raises(UsageError):
        moments.quiet("00")
    # Whoever says nothing, on either face or in a program, has the switch.
    assert moments.quiet(fleet.IDLE) == IDLE_S == Wish("toy").idle_s


@pytest.mark.parametrize("text", ["", "4", "h", "-4h", "4h!", "0h", "999d", "25:00", "12:60", "+2h"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError):
        moments.lifetime(text, NOON)


def test_deadlines_are_moved() -> None:
    assert moments.deadline("+2h", NOON + 600, NOON) == NOON + 600 + 7200
    assert moments.deadline("+2h", None, NOON) == NOON + 7200
    assert moments.deadline("+2h", NOON - 600, NOON) == NOON + 7200, "what is over counts from now"
    assert moments.deadline("2h", NOON + 600, NOON) == NOON + 7200
    assert moments.deadline("18:00", None, NOON) == NOON + 6 * 3600
    assert moments.deadline("11:30", None, NOON) == NOON + 23.5 * 3600
    assert moments.deadline("none", NOON + 600, NOON) is None
    with pytest.raises(UsageError):
        moments.deadline("+none", None, NOON)


@pytest.mark.parametrize(
    ("instance", "launch", "attempt", "expected"),
    [
        (ASKED, LAUNCH, SENT, "◌ asked 1m"),
        (ASKED, LAUNCH, replace(SENT, state=AttemptState.UNRESOLVED), "? no answer 1m"),
        (
            replace(BOX, cloud_state="pending"),
            replace(LAUNCH, state=LaunchState.ADOPTED),
            None,
            "◌ pending 1m",
        ),
        (BOX, replace(LAUNCH, state=LaunchState.ADOPTED), None, "● running 1m"),
        (BOX, replace(LAUNCH, state=LaunchState.READY), None, "● running"),
        (replace(BOX, link_state=LinkState.UP), None, None, "● ready"),
        (replace(BOX, link_state=LinkState.KEY_CHANGED), None, None, "⚠ key changed"),
        (ASKED, replace(LAUNCH, state=LaunchState.FAILED, error={"code": "capacity"}), None, "✗ no capacity"),
        (ASKED, replace(LAUNCH, state=LaunchState.FAILED, error={"code": "odd"}), None, "✗ failed"),
        (replace(BOX, wanted="stopped"), None, None, "● stopping"),
        (replace(BOX, cloud_state="stopped", wanted="stopped"), None, None, "■ stopped"),
        (replace(BOX, cloud_state="stopped"), None, None, "◌ starting"),
        (replace(BOX, wanted="terminated"), None, None, "● terminating"),
        (replace(BOX, cloud_state="terminated", cloud_reason="preempted"), None, None, "■ preempted"),
        (replace(BOX, cloud_reason=NOTICED, link_state=LinkState.UP), None, None, "⚠ taken soon"),
        (replace(BOX, cloud_state="terminated", wanted="terminated"), None, None, "■ terminated"),
        (replace(BOX, cloud_state="vanished"), None, None, "? vanished"),
        (Instance("c2", "lab", "ssh", link_state=LinkState.SILENT), None, None, "● silent"),
    ],
)
def test_three_axes_in_a_word(
    instance: Instance, launch: Launch | None, attempt: LaunchAttempt | None, expected: str
) -> None:
    assert standing.text(instance, NOON, launch, attempt) == expected


def test_a_notice_is_shown_whether_an_engine_watches_or_not() -> None:
    up = replace(BOX, link_state=LinkState.UP)
    assert rows.state(Machine(up, watched=False), NOON)[0] == "○ not watched"
    told = Machine(replace(up, cloud_reason=NOTICED), watched=False)
    assert rows.state(told, NOON) == ("⚠ taken soon", "warn")


def test_deadlines_are_told() -> None:
    assert standing.deadline(BOX, NOON) == "–"
    for left, expected in (
        (11_400, "in 3h 10m"), (1_200, "in 20m"), (45, "in 45s"),
        (90_000, "in 1d 01h"), (1_800_000, "in 20d"),
    ):  # fmt: skip
        assert len(expected) <= 9, "the column's width"
        assert standing.deadline(replace(BOX, deadline_at=NOON + left), NOON) == expected
    assert standing.deadline(replace(BOX, deadline_at=NOON - 240), NOON) == "4m ago"
    assert standing.deadline(replace(BOX, deadline_at=NOON, cloud_state="terminated"), NOON) == "–"


def test_what_nobody_asked_the_cloud_about_is_old() -> None:
    assert not standing.is_old(replace(BOX, cloud_seen_at=NOON - 60), NOON)
    assert standing.is_old(replace(BOX, cloud_seen_at=NOON - 600), NOON)
    assert not standing.is_old(replace(BOX, cloud_seen_at=NOON - 600, cloud_state="terminated"), NOON)
