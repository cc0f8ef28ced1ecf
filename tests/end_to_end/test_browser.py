"""`cloudtui serve` in a real browser: the desktop appears, a key and a click work, and nothing is fetched."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.support import seed
from tests.support.browser import CHROMIUM, browser

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        not CHROMIUM and not os.environ.get("CLOUDTUI_CI"),
        reason="chromium is not installed: apt-get install chromium",
    ),
]


@contextmanager
def served(home: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a desktop that is served, and the process that serves it."""
    # Read-only: an engine would look for the machines of the seeded home, which are nowhere.
    words = [sys.executable, "-m", "cloudtui", "--home", str(home), "serve", "--port", "0", "--read-only"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        found = re.search(r"http://\S+", process.stderr.readline())
        assert found
        yield found[0], process
    finally:
        process.kill()
        process.communicate()


def children(pid: int) -> list[int]:
    """The processes that this one began."""
    said = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(one) for one in said.split()]


def lives(pid: int) -> bool:
    """It is there, and not only to be counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def shows(title: str) -> Callable[[str], bool]:
    """The area beside the rail is this one."""
    return lambda text: text.partition("│")[2].lstrip().startswith(title)


async def test_the_desktop_in_a_browser(tmp_path: Path) -> None:
    seed.story(tmp_path / "home").catalog.close()
    with served(tmp_path / "home") as (address, process):
        async with browser(tmp_path / "profile") as page:
            await page.open(address)
            text = await page.until(shows("Runs"))
            assert "vit-small-aug-3" in text
            await page.press("1")
            text = await page.until(shows("Instances"))
            row = next(n for n, line in enumerate(text.splitlines()) if "Datasets" in line[:20])
            await page.click(row, text.splitlines()[row].index("Datasets") + 2)
            assert "fashion-mnist" in await page.until(shows("Datasets"))
            assert {urlsplit(one).netloc for one in page.requested} == {urlsplit(address).netloc}
            process.send_signal(signal.SIGINT)
            await page.until(lambda _said: process.poll() is not None)
    assert process.returncode == 0


async def test_a_desktop_ends_with_a_server_that_was_killed(tmp_path: Path) -> None:
    seed.story(tmp_path / "home").catalog.close()
    with served(tmp_path / "home") as (address, process):
        async with browser(tmp_path / "profile") as page:
            await page.open(address)
            await page.until(shows("Runs"))
            desks = children(process.pid)
            assert desks
            process.kill()
            await page.until(lambda _said: not any(map(lives, desks)))
