"""The books of a home: from rows to intervals, to what runs cost, to what may still be rented."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.catalog.helpers import a_run, open_catalog

from cloudtui_engine import accounts, bookkeeping
from cloudtui_engine.accounts import Ordered
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.fleet import commands
from cloudtui_engine.ids import new_id
from cloudtui_engine.money import prices
from cloudtui_engine.money.accrual import OVERTIME_MS
from cloudtui_engine.money.amounts import micro, over
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.instance import Address, Instance
from cloudtui_engine.records.launch import AttemptState, Launch, LaunchAttempt, LaunchState, Orphan, Wish
from cloudtui_engine.records.run import Run, RunState
from cloudtui_engine.statement import statement

T = 1_790_000_000.0
HOUR = 3600.0


def own(catalog: Catalog, price: float | None, name: str = "box") -> Instance:
    return catalog.instances.add(
        Instance(new_id(), name, "ssh", price_usd_per_hour=price, seen_at=T, created_at=T)
    )


def rented(
    catalog: Catalog,
    name: str = "gpu-1",
    price: float | None = 1.0,
    disk_gb: int = 0,
    regions: tuple[str, ...] = (),
    provider: str = "aws",
    **more: object,
) -> Instance:
    """A machine of a cloud, as the fleet writes it down."""
    made = Instance(
        new_id(), name, provider, price_usd_per_hour=price, created_at=T, launch_id=new_id(),
        machine_type="g5.xlarge",
    )  # fmt: skip
    catalog.instances.add(made)
    wish = Wish(provider, type="g5.xlarge", disk_gb=disk_gb, regions=regions)
    catalog.launches.add(Launch(made.launch_id, made.launch_id, made.id, provider, wish, created_at=T))
    catalog.instances.update(made.id, **more)
    return catalog.instances.get(made.id)


def heard(catalog: Catalog, instance: Instance, *at: float) -> None:
    for moment in at:
        catalog.instances.update(instance.id, seen_at=moment)
        bookkeeping.account(catalog)


def ran(catalog: Catalog, on: Sequence[Instance], started: float, ended: float | None = None) -> Run:
    run = catalog.runs.create(a_run(), [one.id for one in on])
    at = RunState.QUEUED
    for to in (RunState.STAGING, RunState.STARTING, RunState.RUNNING):
        more = {"started_at": started} if to is RunState.RUNNING else {}
        assert catalog.runs.move(run.id, 1, to, expected=at, **more)
        at = to
    if ended is not None:
        assert catalog.runs.move(run.id, 1, RunState.SUCCEEDED, expected=at, ended_at=ended)
    return run


def cost(catalog: Catalog, run: Run) -> float | None:
    bookkeeping.account(catalog)
    return catalog.runs.get(run.id).cost_usd


def test_an_own_machine_costs_its_price_between_the_times_it_was_heard_of(catalog: Catalog) -> None:
    box = own(catalog, 3.60)
    heard(catalog, box, T, T + 60, T + HOUR)
    assert catalog.costs.of_instances() == {box.id: micro("3.60")}
    assert {one.interval.ground for one in catalog.costs.paid()} == {"observed", "estimated"}
    assert not bookkeeping.account(catalog), "Nothing is new."


def test_a_price_holds_from_when_it_is_said(catalog: Catalog) -> None:
    box = own(catalog, None)
    heard(catalog, box, T + HOUR)
    bookkeeping.set_price(catalog, box.id, 2.0, T + 2 * HOUR)
    heard(catalog, box, T + 3 * HOUR)
    bookkeeping.set_price(catalog, box.id, None, T + 4 * HOUR)
    heard(catalog, box, T + 9 * HOUR)
    assert catalog.costs.of_instances()[box.id] == micro(4), "Two hours at two dollars."
    bookkeeping.set_price(catalog, box.id, 1.0, T + 20 * HOUR)
    heard(catalog, box, T + 21 * HOUR)
    assert catalog.costs.of_instances()[box.id] == micro(5)


def test_a_rented_machine_from_its_order_to_the_clouds_last_word(catalog: Catalog) -> None:
    gpu = rented(catalog, disk_gb=100, cloud_id="i-1", cloud_state="running", cloud_seen_at=T + 100)
    bookkeeping.account(catalog)
    catalog.instances.update(gpu.id, cloud_state="stopped", cloud_seen_at=T + 100 + HOUR)
    bookkeeping.account(catalog)
    catalog.instances.update(gpu.id, cloud_state="terminated", cloud_seen_at=T + 100 + 3 * HOUR)
    bookkeeping.account(catalog)
    found = {paid.interval.what: paid.interval for paid in catalog.costs.paid()}
    assert found["machine"].cost() == micro(1)
    assert found["disk"].cost() == 3 * 10_958, "100 GB, also while it was stopped."
    assert not any(one.is_open for one in found.values())
    assert catalog.costs.open() == {}


def test_what_was_stopped_is_not_paid_for_when_it_runs_again(catalog: Catalog) -> None:
    gpu = rented(catalog, cloud_id="i-1")
    attempt = LaunchAttempt(gpu.launch_id, 1, "us-east-1", "", "g5.xlarge", sent_at=T - 60)
    assert catalog.launches.plan(replace(attempt, state=AttemptState.ADOPTED))
    for hours, state in ((0, "running"), (1, "stopped"), (9, "running"), (10, "terminated")):
        catalog.instances.update(gpu.id, cloud_state=state, cloud_seen_at=T + hours * HOUR)
        bookkeeping.account(catalog)
    assert catalog.costs.of_instances()[gpu.id] == micro(2) + micro(1) // 60, "From its order on."


@pytest.mark.parametrize(("state", "forgotten"), [("terminated", None), ("terminated", T), ("stopped", None)])
def test_what_came_and_went_while_no_engine_lived_is_paid_for(
    catalog: Catalog, state: str, forgotten: float | None
) -> None:
    """The engine was killed between the cloud's answer and its own books."""
    gpu = rented(catalog, cloud_id="i-1", deadline_at=T + 4 * HOUR, forgotten_at=forgotten)
    attempt = LaunchAttempt(gpu.launch_id, 1, "us-east-1", "", "g5.xlarge", sent_at=T)
    assert catalog.launches.plan(replace(attempt, state=AttemptState.ADOPTED))
    catalog.instances.update(gpu.id, cloud_state=state, cloud_seen_at=T + 9 * HOUR)
    for _ in range(2):
        bookkeeping.account(catalog)
    (paid,) = catalog.costs.paid()
    assert (paid.interval.ground, paid.interval.is_open) == ("estimated", False)
    assert paid.interval.ended_ms == int((T + 4 * HOUR) * 1000) + OVERTIME_MS


def test_a_rented_machine_whose_price_is_said_late_is_paid_for_from_its_order(catalog: Catalog) -> None:
    gpu = rented(catalog, price=None, machine_type="", cloud_id="i-1")
    assert catalog.launches.plan(
        replace(LaunchAttempt(gpu.launch_id, 1, "us-east-1", "", "g9", sent_at=T), state=AttemptState.ADOPTED)
    )
    catalog.instances.update(gpu.id, machine_type="g9", cloud_state="running", cloud_seen_at=T + HOUR)
    bookkeeping.account(catalog)
    assert catalog.costs.spent() == 0
    bookkeeping.set_price(catalog, gpu.id, 3.0, T + HOUR)
    bookkeeping.account(catalog)
    assert catalog.costs.of_instances()[gpu.id] == micro(3)


def test_an_orphan_is_promised_without_an_end_and_paid_for_since_it_was_seen(
    catalog: Catalog, tmp_path: Path
) -> None:
    orphan = Orphan(
        "aws", "us-east-1", "i-9", "", "lost", "g5.xlarge", False, "running", Address(), 1.0, T, T + HOUR
    )
    catalog.orphans.save(orphan)
    (promised,) = accounts.commitments(catalog, int((T + HOUR) * 1000))
    assert (promised.name, promised.rate, promised.until_ms) == ("lost", micro(1), None)
    taken = commands.submit_adopt(catalog, Paths(tmp_path / "home"), orphan)
    bookkeeping.account(catalog)
    assert catalog.costs.of_instances()[taken.id] == micro(1)
    price = bookkeeping.price_of(catalog, taken)
    assert price is not None
    assert (price.ground, price.rate) == ("offered", micro(1))


def test_one_that_vanished_is_paid_for_until_it_was_missed(catalog: Catalog) -> None:
    gpu = rented(catalog, cloud_id="i-1", cloud_state="running", cloud_seen_at=T)
    bookkeeping.account(catalog)
    catalog.instances.update(
        gpu.id, cloud_state="vanished", missing_since=T + HOUR, forgotten_at=T + 9 * HOUR
    )
    bookkeeping.account(catalog)
    machine = catalog.costs.newest(gpu.id)
    assert machine is not None
    assert (machine.cost(), machine.is_open) == (micro(1), False)


def test_two_runs_share_and_a_late_end_is_given_back(catalog: Catalog) -> None:
    box = own(catalog, 1.0)
    heard(catalog, box, T)
    one = ran(catalog, [box], T)
    two = ran(catalog, [box], T + HOUR)
    heard(catalog, box, T + 2 * HOUR)
    assert (cost(catalog, one), cost(catalog, two)) == (1.5, 0.5)
    # Its journal says later that it ended before the other one began.
    assert catalog.runs.move(one.id, 1, RunState.SUCCEEDED, expected=RunState.RUNNING, ended_at=T + HOUR)
    assert (cost(catalog, one), cost(catalog, two)) == (1.0, 1.0)
    heard(catalog, box, T + 3 * HOUR)
    assert (cost(catalog, one), cost(catalog, two)) == (1.0, 2.0)


def test_a_run_on_two_machines_costs_its_part_of_both(catalog: Catalog) -> None:
    boxes = [own(catalog, 1.0, "a"), own(catalog, 3.0, "b"), own(catalog, None, "c")]
    for box in boxes:
        heard(catalog, box, T, T + 2 * HOUR)
    assert cost(catalog, ran(catalog, boxes, T, T + HOUR)) == 4.0
    assert cost(catalog, ran(catalog, boxes[2:], T, T + HOUR)) is None, "Nobody knows what that cost."


def test_what_was_written_but_not_accounted_for_is_so_by_the_next_engine(tmp_path: Path) -> None:
    catalog = open_catalog(tmp_path)
    box = own(catalog, 1.0)
    bookkeeping.account(catalog)
    run = ran(catalog, [box], T, T + HOUR)
    catalog.instances.update(box.id, seen_at=T + 2 * HOUR)
    catalog.close()  # killed here
    catalog = open_catalog(tmp_path)
    assert cost(catalog, run) == 1.0
    assert catalog.costs.spent() == micro(2)
    catalog.close()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 60)), min_size=1, max_size=6), st.data())
def test_runs_never_cost_more_than_their_machine(stays: list[tuple[int, int]], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        catalog = open_catalog(Path(folder))
        box = own(catalog, 0.7)
        bookkeeping.account(catalog)
        runs = []
        moments = data.draw(st.lists(st.integers(0, 150), max_size=5))
        for (first, took), at in zip(stays, [*sorted(moments), *[150] * len(stays)], strict=False):
            runs.append(ran(catalog, [box], T + first, T + first + took))
            heard(catalog, box, T + at)
        heard(catalog, box, T + 150)
        costs = [round((cost(catalog, run) or 0) * 1e6) for run in runs]
        used = {second for first, took in stays for second in range(first, first + took)}
        whole = sum(
            one.interval.cost(int(T + s) * 1000, int(T + s + 1) * 1000)
            for one in catalog.costs.paid()
            for s in used
        )
        assert sum(costs) == whole
        catalog.close()


def test_a_living_engine_accounts_for_an_end_at_once(catalog: Catalog) -> None:
    box = own(catalog, 3.6)
    books = accounts.Bookkeeper(catalog)
    books.step()
    run = ran(catalog, [box], T + 10, T + 40)  # its end proves that the machine was there then
    books.step()
    assert catalog.runs.get(run.id).cost_usd == 0.03
    catalog.instances.update(box.id, seen_at=T + 200)
    books.step()
    assert catalog.costs.spent() == 40_000, "That can wait."


def test_a_price_that_is_none_stops_nothing(catalog: Catalog) -> None:
    for number, price in enumerate((float("inf"), -1.0, 1e300)):
        own(catalog, price, f"box-{number}")
    bookkeeping.account(catalog)
    assert catalog.costs.spent() == 0


# -- budgets


def ordered(hours: float = 1, price: float | None = 1.0) -> Ordered:
    return Ordered("gpu", price, hours * HOUR)


def test_living_machines_and_unanswered_launches_are_promised(catalog: Catalog) -> None:
    catalog.settings.set("budget.month", micro(10))
    accounts.require(catalog, [ordered(10)], T)
    gpu = rented(catalog, deadline_at=T + 4 * HOUR)  # no answer yet: it may be there
    accounts.require(catalog, [ordered(6)], T)
    with pytest.raises(RefusedError) as refused:
        accounts.require(catalog, [ordered(6.1)], T)
    assert refused.value.code == "budget"
    launch = catalog.instances.get(gpu.id).launch_id
    assert catalog.launches.move(launch, LaunchState.FAILED, expected=[LaunchState.OPEN], ended_at=T)
    accounts.require(catalog, [ordered(10)], T)


def test_of_an_order_without_an_answer_the_dearest_counts(catalog: Catalog) -> None:
    catalog.settings.set("budget.month", micro(10))
    gpu = rented(catalog, price=None, machine_type="", deadline_at=T + HOUR)
    with pytest.raises(RefusedError, match="What gpu-1 costs is not known"):
        accounts.require(catalog, [ordered(1)], T)
    for number, price in enumerate((2.5, 7.0), 1):
        attempt = LaunchAttempt(gpu.launch_id, number, "us-east-1", "", "g5.xlarge", price=price)
        assert catalog.launches.plan(replace(attempt, state=AttemptState.REFUSED))
    accounts.require(catalog, [ordered(3)], T)
    with pytest.raises(RefusedError, match=r"\$7.00 promised"):
        accounts.require(catalog, [ordered(3.1)], T)


def test_two_who_ask_for_what_has_a_listed_price_are_both_promised_it(catalog: Catalog) -> None:
    """Before any request is written down: what the list says of the dearest region counts."""
    catalog.settings.set("budget.month", micro(10))
    gpu = rented(catalog, price=None, deadline_at=T + 4 * HOUR, regions=("us-east-1", "ap-northeast-1"))
    (promised,) = accounts.commitments(catalog, int(T * 1000))
    assert (promised.name, promised.rate) == (gpu.name, micro(1.459))


def test_spent_and_promised_meet_where_the_accounts_end(catalog: Catalog) -> None:
    gpu = rented(catalog, cloud_id="i-1", cloud_state="running", cloud_seen_at=T, deadline_at=T + 4 * HOUR)
    for at in (T, T + HOUR):
        catalog.instances.update(gpu.id, cloud_seen_at=at)
        bookkeeping.account(catalog)
    later = int((T + 2 * HOUR) * 1000)  # an hour of which no listing tells yet
    (promised,) = accounts.commitments(catalog, later)
    assert promised.from_ms == int((T + HOUR) * 1000)
    assert promised.cost(0, 2**60) == 3 * (promised.rate or 0)
    catalog.instances.update(gpu.id, cloud_state="terminated")
    assert accounts.commitments(catalog, later) == []


def test_a_warning_once_for_each_month_and_limit(catalog: Catalog) -> None:
    box = own(catalog, 1.0)
    heard(catalog, box, T, T + 8 * HOUR)
    catalog.settings.set("budget.month", micro(10))
    for _ in range(2):
        accounts.warn(catalog, T + 8 * HOUR)
    _, notices = catalog.notices.since(0)
    assert [one.sentence for one in notices] == [
        "The month's budget of $10.00 is nearly spent: $8.00 (80%) are spent. See where: cloudtui cost"
    ]
    assert notices[0].as_dict()["key"].startswith("budget-")
    catalog.settings.set("budget.month", micro(9))
    accounts.warn(catalog, T + 8 * HOUR)
    assert len(catalog.notices.since(0)[1]) == 2


@settings(max_examples=4, deadline=None)
@given(st.integers(6, 12), st.integers(1, 5), st.sampled_from([1800, 3600, 7200]))
def test_people_who_ask_at_the_same_time_never_overshoot(people: int, fit: int, lifetime_s: int) -> None:
    """Each with a catalog of its own, as processes have; the budget is enough for some of them."""
    wish = Wish("aws", type="g5.xlarge", max_price=1.0, disk_gb=1, lifetime_s=lifetime_s)
    each = over(micro(1) + prices.disk_promise("aws", 1), 0, lifetime_s * 1000)
    with tempfile.TemporaryDirectory() as folder, at_every_instruction():
        paths = Paths(Path(folder))
        with closing(open_catalog(paths.home)) as first:
            first.settings.set("budget.launch", fit * each)
            first.settings.set("budget.month", fit * each + each // 2)
            commands.installation.ensure(first, paths)
        gate, refused = threading.Barrier(people), []

        def ask() -> None:
            with closing(open_catalog(paths.home)) as catalog:
                gate.wait(30)
                try:
                    commands.submit_launch(catalog, paths, wish)
                except RefusedError as error:
                    refused.append(error.code)

        threads = [threading.Thread(target=ask) for _ in range(people)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert refused == ["budget"] * (people - fit)


@contextmanager
def at_every_instruction() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def test_a_statement_comes_to_the_same_whatever_it_is_cut_by(catalog: Catalog) -> None:
    box, gone = own(catalog, 3.6), own(catalog, 1.8, "gone")
    for machine in (box, gone):
        heard(catalog, machine, T, T + 30 * HOUR)
    run = ran(catalog, [box, gone], T, T + HOUR)
    bookkeeping.account(catalog)
    catalog.instances.forget(gone.id, T + 40 * HOUR)
    told = statement(catalog, T + 50 * HOUR)
    assert told.total == micro(30 * 5.4)
    assert sum(one.total for one in told.instances) == sum(one.cost for one in told.days) == told.total
    assert [(one.id, one.cost) for one in told.runs] == [(run.id, micro(5.4))]
    assert told.idle == micro(29 * 5.4)
    assert [(one.name, one.rate, one.estimated == one.total) for one in told.instances] == [
        ("box", 3_600_000, True), ("gone", 0, True),
    ]  # fmt: skip
    assert [one.day for one in told.days] == sorted((one.day for one in told.days), reverse=True)
    assert statement(catalog, T - 999 * HOUR).money.today == 0


def test_one_past_its_deadline_is_promised_what_it_costs_until_it_is_gone(catalog: Catalog) -> None:
    gpu = rented(catalog, cloud_id="i-1", cloud_state="running", cloud_seen_at=T, deadline_at=T + HOUR)
    bookkeeping.account(catalog, T)
    catalog.instances.update(gpu.id, cloud_seen_at=T + 3 * HOUR)
    bookkeeping.account(catalog, T + 3 * HOUR)
    now = int((T + 3 * HOUR) * 1000)
    (promised,) = accounts.commitments(catalog, now)
    assert promised.cost(now, 2**60) == over(promised.rate or 0, 0, OVERTIME_MS)
    assert accounts.rate(catalog, T + 3 * HOUR) == promised.rate, "it runs, and that is told"
    catalog.instances.update(gpu.id, wanted="terminated")
    assert accounts.commitments(catalog, now) == [promised], "nobody has seen it gone"
    catalog.instances.update(gpu.id, cloud_state="terminated")
    assert accounts.commitments(catalog, now) == []


def test_the_disk_of_a_stopped_machine_outlives_its_deadline(catalog: Catalog) -> None:
    stopped = rented(
        catalog, disk_gb=100, cloud_id="i-1", cloud_state="stopped", wanted="stopped", deadline_at=T - HOUR
    )
    (promised,) = accounts.commitments(catalog, int(T * 1000))
    assert promised.until_ms is None
    assert promised.rate == prices.disk_promise("aws", 100)
    assert promised.cost(int(T * 1000), int((T + HOUR) * 1000)) == promised.rate
    catalog.instances.update(stopped.id, wanted="running")
    assert accounts.commitments(catalog, int(T * 1000)) == [promised], "it has ended itself: nobody starts it"
    catalog.operations.submit("instance.start", stopped.id, {})
    (starts,) = accounts.commitments(catalog, int(T * 1000))
    assert (starts.rate or 0) > (promised.rate or 0)
    assert starts.until_ms == int(T * 1000) + OVERTIME_MS


def test_a_disk_whose_price_is_not_known_is_said_so_and_promised(catalog: Catalog) -> None:
    """It was told, accounted for and promised as nothing."""
    rented(
        catalog, provider="alibaba", disk_gb=100, cloud_id="i-1", cloud_state="stopped", wanted="stopped",
        cloud_seen_at=T, deadline_at=T - HOUR,
    )  # fmt: skip
    (told,) = statement(catalog, T).instances
    assert (told.disk_unpriced, told.disks) == (True, 0)
    (promised,) = accounts.commitments(catalog, int(T * 1000))
    assert (promised.rate or 0) > 0


def test_a_spot_price_is_said_to_be_that_of_its_launch(catalog: Catalog) -> None:
    """The cloud moves it, and nobody tells us."""
    for spot in (False, True):
        rented(
            catalog, f"gpu-{spot}", spot=spot, cloud_id=f"i-{spot}", cloud_state="running", cloud_seen_at=T
        )
    grounds = {one.name: one.ground for one in statement(catalog, T).instances}
    assert grounds == {"gpu-False": "offered", "gpu-True": "at_launch"}
