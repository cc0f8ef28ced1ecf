"""Renting on the desktop: the form that knows the market, machines on their way, ends with what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support import seed, seed_fleet
from tests.tui.desk import check, desktop, screen, settle, wait_until
from textual.widgets import Input

from cloudtui.app import CloudtuiApp
from cloudtui.areas.instances.machine import Machine
from cloudtui.areas.instances.rental import Story, facts
from cloudtui.bridge import MOST_CRASHES, Bridge
from cloudtui.dialogs import launching
from cloudtui.dialogs.confirm import ConfirmDialog
from cloudtui.dialogs.launch_form import LaunchForm
from cloudtui.dialogs.launching import Market
from cloudtui.dialogs.orphans import OrphansScreen
from cloudtui.handlers.provider import question
from cloudtui_engine import operations
from cloudtui_engine.accounts import Money
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.money.budget import Budgets
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.cloud import OFFERS, Cloud, CloudOffer, Offers, Problem
from cloudtui_engine.records.instance import Instance, Told
from cloudtui_engine.records.launch import Launch, Listing, Wish
from cloudtui_engine.records.run import RunState
from cloudtui_providers import registry

NOW = seed.NOW
CAN = {"spot": True, "stop": True, "power_off_ends": True, "cloud_deadline": False, "containers": False}
A100 = CloudOffer("aws", "us-east-1", "us-east-1b", "p4d", "A100", 8, 40 << 30, 96, 1 << 40, 30.0)
BOX = CloudOffer("box", "eu", "", "pod", "T4", 1, 16 << 30, 8, 1 << 35, 0.5)
LINES = ("File  View", "no engine")
"""The first line and the last: between two paints what lies below a dialog may be missing."""
MARKET = Market(
    {"aws": Cloud("aws", "AWS", CAN), "box": Cloud("box", "Box", {"containers": True})},
    Offers((BOX, A100), asked_at=NOW - 180),
)
VALUES = {"deadline": "4h", "count": "1"}


def shows(app: CloudtuiApp, *texts: str) -> bool:
    """All of these, and the whole of the desktop below."""
    seen = screen(app)
    return all(text in seen for text in (*texts, *LINES))


def texts(lines: list[launching.Line]) -> str:
    return "\n".join(text for text, _ in lines)


def test_the_form_says_what_it_costs_and_how_it_ends() -> None:
    said = texts(launching.said(MARKET, A100, {"deadline": "4h", "count": "2"}, NOW))
    assert "$60.00 an hour for 2 machines · $240.00 until 18:13" in said
    assert "At 18:13 it is stopped, even at work; its disk stays" in said
    assert "2 offers, 3m old" in said


def test_the_form_says_what_a_cloud_cannot() -> None:
    said = launching.said(MARKET, BOX, VALUES, NOW)
    assert ("At 18:13 it is terminated: unpulled results are lost at 18:13.", "warn") in said
    assert "box cannot end it by itself" in texts(said)
    assert "container" in texts(said)
    spot = replace(A100, spot=True)
    assert "unpulled results are lost at 18:13" in texts(launching.said(MARKET, spot, VALUES, NOW))
    endless = launching.said(MARKET, A100, {"deadline": "none"}, NOW)
    assert ("It runs until somebody ends it: give it a deadline.", "warn") in endless


def test_the_form_holds_the_choice_against_the_budgets() -> None:
    money = Money(0, 0, 12_400_000, 0, 0, Budgets(month=50_000_000))
    said = launching.said(replace(MARKET, money=money), BOX, VALUES, NOW)
    assert ("Budget: $37.60 of $50.00 a month left", "") in said
    said = launching.said(replace(MARKET, money=money), A100, VALUES, NOW)
    assert ("Budget: $37.60 of $50.00 a month left · that is not enough", "bad") in said


@pytest.mark.parametrize(
    ("market", "expected"),
    [
        (Market(), "No cloud is installed."),
        (replace(MARKET, offers=Offers(), asking=True), "Asking aws, box for offers…"),
        (replace(MARKET, offers=Offers(asked_at=NOW)), "No cloud offers such a machine"),
        (replace(MARKET, error={"message": "No login.", "hint": "Log in."}), "No login. Log in.\n2 offers"),
        (
            replace(
                MARKET, offers=Offers((), (Problem("aws", "auth", "No key.", "Make one."),), asked_at=NOW)
            ),
            "aws: No key. Make one.",
        ),
    ],
)
def test_the_form_says_how_the_market_stands(market: Market, expected: str) -> None:
    assert expected in texts(launching.said(market, None, VALUES, NOW))


def test_words_find_offers_and_one_with_a_gpu_comes_first() -> None:
    assert [one.value for one in launching.options(MARKET, "A100 us-east")] == ["aws|us-east-1|p4d"]
    assert launching.options(MARKET, "h100") == []
    cpu = replace(BOX, gpus=0, gpu="", type="cpu", price_usd_per_hour=0.01)
    market = replace(MARKET, offers=Offers((cpu, BOX)))
    keys = [one.value for one in launching.options(market, "")]
    assert launching.begin(market, keys) == launching.key(BOX)
    assert launching.arguments(replace(A100, spot=True)) == {
        "provider": "aws", "type": "p4d", "region": ["us-east-1"], "spot": True,
    }  # fmt: skip


@pytest.fixture
def home(story: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home with rented machines and offers; no engine is started for it."""
    monkeypatch.setattr(operations, "ensure_engine", lambda *_args: None)
    monkeypatch.setattr(registry, "names", lambda: ("aws",))
    with closing(Catalog.open(Paths(story))) as catalog:
        seed_fleet.rented(catalog)
        seed_fleet.orphans(catalog)
        seed_fleet.offers(catalog)
        yield story


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
async def test_how_renting_looks(home: Path, size: tuple[int, int]) -> None:
    name = f"{size[0]}x{size[1]}"
    async with desktop(home, size, first="instances") as (app, pilot):
        assert app.area is not None
        app.area.select("crentfailed00000")
        await settle(pilot)
        if size[0] < 160:
            check(f"fleet-{name}", screen(app))
            await pilot.press("enter")
            await wait_until(pilot, lambda: "asked for 50m ago" in screen(app))
            check(f"fleet-failed-{name}", screen(app))
            await pilot.press("escape")
        else:
            await wait_until(pilot, lambda: "asked for 50m ago" in screen(app))
            check(f"fleet-{name}", screen(app))
        await pilot.press("o")
        await wait_until(pilot, lambda: isinstance(app.screen, OrphansScreen) and shows(app, "i-0dead2"))
        check(f"orphans-{name}", screen(app))
        await pilot.press("escape", "l")
        await wait_until(pilot, lambda: shows(app, "8 offers", "$2.10 until"))
        check(f"launch-{name}", screen(app))


async def test_what_is_wrong_in_the_form_is_said_and_stays_said(home: Path) -> None:
    """Whatever is written to the catalog meanwhile: the log of actions is, when something was refused."""
    async with desktop(home, (80, 24), first="instances") as (app, pilot):
        await pilot.press("l")
        await wait_until(pilot, lambda: "8 offers" in screen(app))
        for field, text, said in (
            ("deadline", "soon", "'soon' is no length of time."), ("count", "0", "1 to 64"),
            ("find", "zzz", "No offer has these words."),
        ):  # fmt: skip
            line = app.screen.query_one(f"#field-{field}", Input)
            was, line.value = line.value, text
            await wait_until(pilot, lambda said=said: said in screen(app))  # type: ignore[misc]
            line.value = was
        app.screen.query_one("#field-name", Input).value = "no name!"
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: "'no name!' cannot be the name of a machine." in screen(app))
        app.bridge.catalog.settings.set("a", 1)
        form = app.screen
        assert isinstance(form, LaunchForm)
        await wait_until(pilot, lambda: form._version == app.bridge.catalog.data_version())
        await settle(pilot)
        assert "'no name!' cannot be the name of a machine." in screen(app)
        assert "Launch  ctrl+s" in screen(app)


async def test_a_launch_from_the_form(home: Path) -> None:
    async with desktop(home, (120, 30), first="instances") as (app, pilot):
        await pilot.press("l")
        await wait_until(pilot, lambda: isinstance(app.screen, LaunchForm) and "8 offers" in screen(app))
        await pilot.press(*"big", "tab", *"a100")
        await wait_until(pilot, lambda: "--type p4d.24xlarge" in screen(app))
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: "asked" in screen(app) and "big" in screen(app))
        with closing(Catalog.open(Paths(home))) as catalog:
            wish = catalog.launches.get(catalog.instances.find("big").launch_id).wish
        assert (wish.provider, wish.type, wish.regions, wish.lifetime_s, wish.idle_s) == (
            "aws", "p4d.24xlarge", ("us-east-1",), 14_400, 3600,
        )  # fmt: skip


async def test_nobody_ends_a_machine_without_knowing_what_goes_with_it(home: Path) -> None:
    from tests.engine.catalog.helpers import a_run, finish

    with closing(Catalog.open(Paths(home))) as catalog:
        catalog.runs.create(a_run("only-there"), ["crent00000ready0"])
        lost = catalog.instances.add(Instance("cforgotten000000", "old", "aws", cloud_id="i-0dead1"))
        run = catalog.runs.create(a_run("left-there"), [lost.id])
        finish(catalog, run.id)
        catalog.runs.add_artifacts(run.id, 1, [("model.onnx", "file", 3, "ab" * 32)])
        catalog.instances.forget(lost.id, NOW)
    async with desktop(home, (120, 30), first="instances") as (app, pilot):
        assert app.area is not None
        app.area.select("crent00000ready0")
        await settle(pilot)
        await pilot.press("X")
        await wait_until(
            pilot, lambda: isinstance(app.screen, ConfirmDialog) and "Cuts off what runs" in screen(app)
        )
        assert "only-there" in screen(app)
        await pilot.press("y")
        with closing(Catalog.open(Paths(home))) as catalog:
            await wait_until(pilot, lambda: catalog.instances.find("train-1").wanted == "terminated")
            assert [one.kind for one in catalog.operations.open_for("crent00000ready0")] == [
                "instance.terminate"
            ]
        await pilot.press("o")
        await wait_until(pilot, lambda: isinstance(app.screen, OrphansScreen) and shows(app, "i-0dead1"))
        await pilot.press("X")
        await wait_until(pilot, lambda: shows(app, "It alone has:", "left-there (1 file)"))
        await pilot.press("y")
        with closing(Catalog.open(Paths(home))) as catalog:
            await wait_until(pilot, lambda: catalog.instances.get(lost.id).wanted == "terminated")


async def test_a_cloud_that_does_not_answer_is_told_of_in_the_form(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "ensure_engine", lambda *_args: None)
    monkeypatch.setattr(registry, "names", lambda: ("aws",))
    async with desktop(story, (80, 24), first="instances") as (app, pilot):
        await pilot.press("l")
        await wait_until(pilot, lambda: "Asking aws for offers" in screen(app))
        with closing(Catalog.open(Paths(story))) as catalog:
            asked = catalog.operations.newest(OFFERS, "", question(), done=False)
            assert asked is not None
            catalog.operations.fail(
                asked.id, {"code": "auth", "message": "There are no credentials.", "hint": "aws configure"}
            )
        told = ("There are no credentials. aws configure", "No offer is chosen")
        await wait_until(pilot, lambda: shows(app, *told))
        await settle(pilot)
        check("launch-unanswered-80x24", screen(app))


async def test_a_copied_home_is_asked_about_once(home: Path) -> None:
    with closing(Catalog.open(Paths(home))) as catalog:
        catalog.settings.set("installation.bound", {"machine": "", "home": "/elsewhere"})
        one = catalog.operations.submit("fleet.reconcile", "aws", {})
        catalog.operations.take(one.id)
        catalog.operations.ask(one.id, {"kind": "installation", "text": "This home was copied."})
        async with desktop(home, (80, 24), first="instances") as (app, pilot):
            await wait_until(pilot, lambda: shows(app, "Which home is this?"))
            check("copied-80x24", screen(app))
            await pilot.click("#moved")
            await wait_until(pilot, lambda: catalog.operations.get(one.id).state == "pending")
        assert catalog.settings.get("installation.bound")["home"] == str(home)


def test_an_engine_is_started_where_something_rented_lives(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Paths] = []
    monkeypatch.setattr(operations, "ensure_engine", started.append)
    with closing(Bridge(Paths(story))) as bridge:
        for run_id, number in [(one.run_id, one.number) for one in bridge.catalog.runs.open_attempts()]:
            bridge.catalog.runs.move(run_id, number, RunState.LOST, expected=tuple(RunState))
        assert not bridge.tend(), "nothing needs one"
        seed_fleet.rented(bridge.catalog)
        assert not bridge.tend(), "who rented it may be starting one"
        assert bridge.tend()
        assert started == [Paths(story)]
        monkeypatch.setattr(operations, "is_running", lambda _paths: True)
        assert not bridge.tend()
        monkeypatch.undo()
        monkeypatch.setattr(operations, "ensure_engine", started.append)
        for _ in range(MOST_CRASHES + 1):
            bridge.catalog.engine_sessions.begin(1, "0")
        assert not bridge.tend()
        assert not bridge.tend(), "who dies again and again is left alone"


def said_of(instance: Instance, story: Story) -> str:
    return "\n".join(f"{one.name}: {one.value}" for one in facts(Machine(instance), story, NOW))


def test_a_rented_machine_says_what_it_waits_for_and_what_will_be_lost() -> None:
    launch = Launch("l1", "l1", "c1", "box", Wish("box"), created_at=NOW - 40)
    asked = Instance("c1", "box", "box", launch_id="l1", deadline_at=NOW + 14_400)
    told = said_of(asked, Story(launch, doing="Waiting: too many questions", keeps_disk=False))
    assert "now: Waiting: too many questions" in told
    assert "unpulled results are lost at 18:13" in told
    assert "No key. Make one. It is tried again." in said_of(
        asked, Story(launch, problem="No key. Make one.")
    )
    old = replace(asked, cloud_id="m1", cloud_state="running", cloud_seen_at=NOW - 2400)
    told = said_of(old, Story(launch, at_stake=("first (2 files)",)))
    assert "cloud says: running, 40m ago" in told
    assert "Nobody has asked it since" in told
    assert "only there: first (2 files)" in told
    untold = (
        Told("engine", True, "ends it, while one lives"),
        Told("machine", False, "not told yet: no link"),
    )
    told = said_of(old, Story(launch, told=untold))
    assert "… the machine itself: not told yet: no link" in told
    assert "the engine" not in told, "who knows is the usual"
    part = Listing("box", "", NOW - 10, complete=False, problem="The second page did not come.")
    assert "Not seen whole 10s ago. The second page" in said_of(old, Story(launch, listing=part))
