"""Everything around a run is killed at random; every record is in the catalog once.

The short form runs with the suite; `make campaign` runs 200 kills over 5 seeds and 1,000,000 lines.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from tests.end_to_end.chaos import Chaos
from tests.support.home import wait_until

SHORT_LINES, SHORT_RATE, SHORT_KILLS = 12_000, 900.0, 12
FULL_LINES, FULL_RATE, FULL_KILLS = 200_000, 1300.0, 40
SEEDS = (1, 2, 3, 4, 5)


def ordeal(folder: Path, seed: int, lines: int, rate: float, kills: int) -> Chaos:
    """One run from start to end with `kills` faults in it."""
    chaos = Chaos(folder, seed)
    try:
        chaos.add_host()
        chaos.run_id = chaos.start(lines, rate)
        chaos.kill_starters(3, 10.0)
        wait_until(chaos.child_alive, 60, "the job")
        faults = [
            chaos.kill_engine,
            chaos.kill_engine,
            chaos.kill_cli,
            chaos.kill_desktop,
            chaos.kill_session,
            chaos.kill_session,
            chaos.cut_link,
            chaos.cut_link,
        ]
        chaos.rampage(kills - 1 - chaos.account.kills["starter"], faults, (0.2, 1.2))
        chaos.kill_supervisor()
        chaos.finish(lines, 300)
    except AssertionError:
        print(chaos.home.log())
        raise
    finally:
        chaos.close()
    return chaos


@pytest.mark.services  # as long as one
@pytest.mark.sshd
def test_kills_lose_nothing_and_double_nothing(tmp_path: Path, sshd_here: None) -> None:
    chaos = ordeal(tmp_path, int(os.environ.get("CHAOS_SEED", "7")), SHORT_LINES, SHORT_RATE, SHORT_KILLS)
    print(chaos.account)


@pytest.mark.campaign
@pytest.mark.sshd
def test_campaign(tmp_path: Path, sshd_here: None) -> None:
    total: Counter[str] = Counter()
    lines = 0
    for seed in SEEDS:
        chaos = ordeal(tmp_path / str(seed), seed, FULL_LINES, FULL_RATE, FULL_KILLS)
        print(f"seed {seed}: {chaos.account}")
        total += chaos.account.kills
        lines += chaos.account.lines
    print(f"in all: {lines:,} lines, {sum(total.values())} kills: {dict(total)}; none lost, none doubled")
    assert sum(total.values()) >= len(SEEDS) * FULL_KILLS
