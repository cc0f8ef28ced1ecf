"""What the head of a list says: how many are marked, and since when nobody could confirm what is live."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import seed
from tests.tui.desk import desktop, screen, settle, wait_until

from cloudtui.areas.compression import tried
from cloudtui.areas.runs import pages
from cloudtui.cli import job_texts
from cloudtui.reported import VERDICTS
from cloudtui.reporting import judged
from cloudtui.reporting.markup import Paper
from cloudtui_engine.records.compression import Compression
from cloudtui_engine.records.run import Run, RunState

RUN = Run("r1", "r", "evaluate", RunState.RUNNING, 1, (), created_at=seed.NOW - 60)


def test_live_jobs_that_nobody_confirms_are_counted() -> None:
    silent = replace(RUN, stale_since=seed.NOW - 300)
    over = replace(silent, status=RunState.SUCCEEDED)
    assert pages.confirmed([RUN, silent, over], seed.NOW) == ("1 stale, oldest 5m", "warn")
    assert pages.confirmed([RUN, over], seed.NOW) == ("", "muted")


@pytest.mark.parametrize("word", VERDICTS)
def test_a_verdict_is_the_same_on_every_face(word: str) -> None:
    variant = {"id": "int8", "verdict": word}
    glyph, said, _ = tried.verdict(variant)
    found = Compression("m@1", "m", "r", RunState.SUCCEEDED, seed.NOW, {"variants": [variant]})
    assert f"{glyph} {said}" in "\n".join(job_texts.compression(found, None))
    paper = judged.compression(Paper(str), {"variants": [variant]})
    assert f"{glyph} {said}" in str(paper)


async def test_marks_are_counted_in_the_title(story: Path) -> None:
    async with desktop(story, (80, 24)) as (app, pilot):
        await pilot.press("space", "space")
        await wait_until(pilot, lambda: "Runs 6 · 3 live · 2 marked ─" in screen(app))
        await pilot.press("escape")
        await settle(pilot)
        assert "Runs 6 · 3 live ─" in screen(app)
