from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.catalog.helpers import create, finish, ingest_of, line, metric, open_catalog, store

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.points import MAX_SERIES
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.runs.ingest import Ingest, StaleCursor
from cloudtui_engine.runs.journal_lines import MAX_LINE, JournalParser, record_of
from cloudtui_host.journal import DamagedLine, decode_line, encode_line


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = open_catalog(tmp_path / "home")
    yield made
    made.close()


"""Samples of just now: older ones are not shown as the machine's state."""


def with_sum(body: bytes) -> bytes:
    return b"%b#%08x\n" % (body, zlib.crc32(body))


def test_a_journal_is_stored_with_everything_in_it(catalog: Catalog) -> None:
    run = create(catalog)
    into = ingest_of(catalog, run, shift=10.0)
    data = (
        line("event", 0, name="started", data={"text": "Training \x1b[31mstarts", "level": "warning"})
        + metric(1, {"train/loss": 0.5, "lr": 1e-3}, 100.0)
        + line("progress", 2, epoch=1, epochs=5, eta_s=12.5, strange="x", rate="nan")
        + metric(2, {"train/loss": "nan"}, 101.0)
        + line("artifact", 4, name="model.onnx", size_bytes=12, sha256="ab" * 32, type="onnx")
        + line("report", 5, name="evaluation/test", data={"n": 3, "bad": float("1e308")})
        + line("done", 6, 200.0, reason="completed", message="ok")
    )
    into.feed(0, data)
    committed = into.commit()
    assert committed is not None
    assert committed.offset == len(data) == into.source.offset
    assert [record["kind"] for record in committed.records] == [
        "event",
        "progress",
        "artifact",
        "report",
        "done",
    ]
    found = catalog.runs.get(run.id)
    assert found.progress == {"epoch": 1, "epochs": 5, "eta_s": 12.5}
    assert [(one.name, one.kind, one.local) for one in found.artifacts] == [("model.onnx", "onnx", None)]
    assert catalog.runs.reports(run.id) == {"evaluation/test": {"n": 3, "bad": 1e308}}
    assert catalog.runs.last_word(run.id, 1) == {
        "attempt": 1,
        "reason": "completed",
        "message": "ok",
        "t": 210.0,
    }
    events = catalog.events.list(run.id)
    assert [(one.level, one.name, one.text) for one in events] == [
        ("warning", "started", "Training starts"), ("info", "done", "ok"),
    ]  # fmt: skip
    lr, loss = catalog.metrics.series(run.id)
    assert (lr.steps, lr.values, lr.times) == ([1], [1e-3], [110.0])
    assert loss.steps == [1, 2]
    assert loss.values[0] == 0.5
    assert math.isnan(loss.values[1])
    assert into.source.damaged == 0
    assert into.commit() is None
    assert catalog.sources.open(into.source.instance_id, run.id, 1, "trainer") == into.source


def test_samples_of_the_machine_go_their_own_way(catalog: Catalog) -> None:
    start = float(int(time.time())) - 10
    run = create(catalog)
    gpus = [
        {"index": 0, "name": "A100\x1b[2J", "utilization": 71, "memory_used_bytes": 5, "temperature_c": None}
    ]
    data = b"".join(
        line(
            "system",
            i,
            start + i,
            values={"cpu": i * 1.5, "memory_used_bytes": 10},
            gpus=gpus if i < 2 else [],
        )
        for i in range(3)
    )
    store(catalog, run, data, name="system")
    assert catalog.metrics.summaries(run.id) == {}
    assert catalog.metrics.keys(run.id) == []
    assert catalog.metrics.keys(run.id, "system") == [
        "cpu", "gpu0/memory_used_bytes", "gpu0/utilization", "memory_used_bytes",
    ]  # fmt: skip
    (cpu,) = catalog.metrics.series(run.id, ["cpu"], scope="system")
    assert (cpu.steps, cpu.values, cpu.times) == ([0, 1, 2], [0.0, 1.5, 3.0], [start, start + 1, start + 2])
    assert catalog.instances.ensure_local().gpus[0]["name"] == "A100"


def sample(seq: int, t: float, name: str) -> bytes:
    return line("system", seq, t, values={}, gpus=[{"index": 0, "name": name, "utilization": 5}])


def gpu_names(catalog: Catalog) -> list[str]:
    return [gpu["name"] for gpu in catalog.instances.ensure_local().gpus]


def test_old_samples_do_not_stand_for_the_machine_as_it_is(catalog: Catalog) -> None:
    store(catalog, create(catalog, "old"), sample(0, time.time() - 3600, "old"), name="system")
    assert gpu_names(catalog) == []
    now = time.time()
    store(catalog, create(catalog, "new"), sample(0, now - 2, "new"), name="system")
    store(catalog, create(catalog, "late"), sample(0, now - 20, "late"), name="system")
    assert gpu_names(catalog) == ["new"]
    store(catalog, create(catalog, "ahead"), sample(0, now + 9e8, "ahead"), name="system")
    store(catalog, create(catalog, "last"), sample(0, time.time() + 9e8, "last"), name="system")
    assert gpu_names(catalog) == ["last"]


def test_samples_gpus_pass_the_check_of_a_probe(catalog: Catalog) -> None:
    start = float(int(time.time())) - 10
    gpu = {"index": 1, "name": 7, "memory_bytes": "x", "utilization": 1e300, "evil": 1, "processes": 5}
    data = line("system", 0, start, values={}, gpus=[gpu, 3]) + line("system", 1, start, values={}, gpus=5)
    into = store(catalog, create(catalog), data, name="system")
    (kept,) = catalog.instances.ensure_local().gpus
    assert {name: value for name, value in kept.items() if value} == {"index": 1, "t": start}
    assert into.source.damaged == 1


@pytest.mark.parametrize("t", [-1.0, 4102444801.0, 1e300])
def test_a_time_that_is_none_is_damage(catalog: Catalog, t: float) -> None:
    run = create(catalog)
    into = store(catalog, run, line("event", 0, t, name="started", data={}) + metric(1, {"loss": 1.0}, t))
    assert into.source.damaged == 2
    assert [one.name for one in catalog.events.list(run.id)] == ["damaged_lines"]


def test_a_clock_far_off_makes_no_time_that_is_none(catalog: Catalog) -> None:
    run = create(catalog)
    into = ingest_of(catalog, run, shift=-4e9)
    into.feed(0, line("event", 0, name="started", data={}))
    into.commit()
    assert [one.t for one in catalog.events.list(run.id)] == [0.0]


def test_a_console_log_that_cannot_be_opened_is_the_catalogs_error(catalog: Catalog) -> None:
    run = create(catalog)
    catalog.paths.console(run.id, 1).mkdir(parents=True)
    with pytest.raises(CatalogError, match="console log"):
        ingest_of(catalog, run, name="console")


def test_bytes_that_do_not_follow_are_refused(catalog: Catalog) -> None:
    into = ingest_of(catalog, create(catalog))
    into.feed(0, b"abc")
    with pytest.raises(ValueError, match="those at 3"):
        into.feed(2, b"c")


def test_a_half_line_waits_for_its_end(catalog: Catalog) -> None:
    run = create(catalog)
    into, data = ingest_of(catalog, run), metric(0, {"loss": 1.0})
    into.feed(0, data[:20])
    assert into.commit() is None
    into.feed(20, data[20:])
    committed = into.commit()
    assert committed is not None
    assert committed.offset == len(data)


def test_a_stale_cursor_commits_nothing(catalog: Catalog) -> None:
    run = create(catalog)
    first, second, data = ingest_of(catalog, run), ingest_of(catalog, run), metric(0, {"loss": 1.0})
    for into in (first, second):
        into.feed(0, data)
    first.commit()
    with pytest.raises(StaleCursor):
        second.commit()
    assert catalog.metrics.summaries(run.id)["loss"].count == 1
    assert catalog.sources.open(first.source.instance_id, run.id, 1, "trainer") == first.source


def test_an_alarm_stops_the_source(catalog: Catalog) -> None:
    run = create(catalog)
    into = ingest_of(catalog, run)
    catalog.sources.alarm(into.source.id, "rewritten")
    into.feed(0, metric(0, {"loss": 1.0}))
    with pytest.raises(StaleCursor):
        into.commit()
    assert catalog.sources.get(into.source.id).alarm == "rewritten"


RECORDS = [
    *(metric(i, {"train/loss": i / 7, "train/accuracy": i / 100}, 1e9 + i) for i in range(60)),
    metric(60, {"validation/loss": "inf"}),
    metric(61, {"train/loss": 5}),
    b"torn line without a sum\n",
    line("progress", 62, step=62),
    *(metric(i, {"lr": 0.1 / i}) for i in range(63, 90)),
    line("event", 90, name="halfway", data={}),
    *(metric(i, {"train/loss": i / 7, "brace{": -1.5e-7}, 1e9 + i) for i in range(91, 120)),
    line("done", 120, reason="completed", message=""),
]
JOURNAL = b"".join(RECORDS)


def whole_state(catalog: Catalog, run_id: str) -> Any:
    series = catalog.metrics.series(run_id)
    return (
        [(one.key, one.steps, one.values, one.times) for one in series],
        catalog.metrics.summaries(run_id),
        [(one.name, one.t) for one in catalog.events.list(run_id) if one.name != "damaged_lines"],
        catalog.runs.get(run_id).progress,
    )


@pytest.fixture(scope="module")
def at_once() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        catalog = open_catalog(Path(folder))
        run = create(catalog)
        assert store(catalog, run, JOURNAL).source.damaged == 1
        state = whole_state(catalog, run.id)
        catalog.close()
    return state


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.tuples(st.integers(0, 900), st.booleans(), st.booleans()), max_size=12))
def test_any_split_any_commits_any_restarts_store_the_same(
    at_once: Any, cuts: list[tuple[int, bool, bool]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        catalog = open_catalog(Path(folder))
        run = create(catalog)
        into, at = ingest_of(catalog, run), 0
        for size, commit, restart in [*cuts, (len(JOURNAL), True, True)]:
            into.feed(at, JOURNAL[at : at + size])
            at = min(at + size, len(JOURNAL))
            if commit:
                into.commit()
            if restart:
                into = ingest_of(catalog, run)
                at = into.source.offset
        assert into.source.offset == len(JOURNAL)
        assert into.source.damaged == 1
        assert whole_state(catalog, run.id) == at_once
        catalog.close()


CHILD = """
import sys
from pathlib import Path
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.paths import Paths
from cloudtui_engine.runs.ingest import Ingest
catalog = Catalog.open(Paths(Path(sys.argv[1])), mounts=lambda: "")
data = Path(sys.argv[2]).read_bytes()
source = catalog.sources.open(catalog.instances.ensure_local().id, sys.argv[3], 1, sys.argv[4])
into = Ingest(catalog, source, 0.0)
at = source.offset
while at < len(data):
    into.feed(at, data[at:at + 700])
    at = min(at + 700, len(data))
    into.commit()
    print(at, flush=True)
"""


@pytest.mark.parametrize("name", ["trainer", "console"])
def test_killed_again_and_again_every_row_is_there_once(tmp_path: Path, name: str) -> None:
    catalog = open_catalog(tmp_path / "home")
    run = create(catalog)
    local = catalog.instances.ensure_local().id
    data = b"".join(metric(i, {"loss": i / 3, "acc": float(i)}) for i in range(12_000))
    journal = tmp_path / "journal"
    journal.write_bytes(data)
    arguments = [sys.executable, "-c", CHILD, str(tmp_path / "home"), str(journal), run.id, name]
    chance, offsets = random.Random(), []
    for _ in range(5):
        child = subprocess.Popen(arguments, stdout=subprocess.PIPE)
        assert child.stdout is not None
        for _ in range(chance.randint(1, 120)):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait(30)
        child.stdout.close()
        offsets.append(catalog.sources.open(local, run.id, 1, name).offset)
    assert subprocess.run(arguments, check=False, stdout=subprocess.DEVNULL).returncode == 0
    assert offsets == sorted(offsets)
    assert catalog.sources.open(local, run.id, 1, name).offset == len(data)
    if name == "console":
        assert catalog.paths.console(run.id, 1).read_bytes() == data
    else:
        acc, loss = catalog.metrics.series(run.id)
        assert acc.steps == loss.steps == list(range(12_000))
        assert acc.values == [float(i) for i in range(12_000)]
        assert catalog.metrics.summaries(run.id)["loss"].count == 12_000
    catalog.close()


def test_the_console_log_is_cut_back_to_what_was_committed(catalog: Catalog) -> None:
    run = create(catalog)
    store(catalog, run, b"one\ntwo", name="console")
    path = catalog.paths.console(run.id, 1)
    with path.open("ab") as log:
        log.write(b"never committed")
    into = ingest_of(catalog, run, name="console")
    assert path.read_bytes() == b"one\ntwo"
    into.feed(7, b" three")
    into.commit()
    assert path.read_bytes() == b"one\ntwo three"
    assert into.source.tail == b"one\ntwo three"
    assert path.stat().st_mode & 0o077 == 0


def test_a_lost_console_log_is_fetched_again(catalog: Catalog) -> None:
    run = create(catalog)
    store(catalog, run, b"x" * 100, name="console")
    os.truncate(catalog.paths.console(run.id, 1), 40)
    into = ingest_of(catalog, run, name="console")
    assert (into.source.offset, into.source.tail) == (40, b"x" * 32)
    catalog.paths.console(run.id, 1).unlink()
    assert ingest_of(catalog, run, name="console").source.offset == 0


def test_a_resumed_attempt_hides_what_came_after_its_checkpoint(catalog: Catalog) -> None:
    run = create(catalog)
    first = b"".join(metric(i, {"loss": 100.0 - i}) for i in range(20))
    store(catalog, run, first)
    finish(catalog, run.id)
    catalog.runs.add_attempt(run.id, [catalog.instances.ensure_local().id], 1.0)
    second = line("event", name="resumed", data={"from_step": 9}) + metric(10, {"loss": 95.0})
    store(catalog, run, second, attempt=2)
    assert catalog.runs.attempt(run.id, 2).from_step == 9
    (series,) = catalog.metrics.series(run.id)
    assert series.steps == list(range(11))
    summary = catalog.metrics.summaries(run.id)["loss"]
    assert (summary.count, summary.step, summary.last, summary.best, summary.best_step) == (
        11,
        10,
        95.0,
        91.0,
        9,
    )


def test_without_a_word_the_first_metric_says_where_it_went_on(catalog: Catalog) -> None:
    run = create(catalog)
    store(catalog, run, b"".join(metric(i, {"loss": 1.0, "a": 1.0}) for i in range(20)))
    finish(catalog, run.id)
    catalog.runs.add_attempt(run.id, [catalog.instances.ensure_local().id], 1.0)
    store(catalog, run, metric(15, {"loss": 0.5}) + metric(3, {"a": 0.5}), attempt=2)
    assert catalog.runs.attempt(run.id, 2).from_step == 14
    assert catalog.metrics.series(run.id, ["loss"])[0].steps == list(range(16))


HOSTILE = [
    b"",
    b"\n\n",
    b"\x00\xff\xfe\n",
    with_sum(b""),
    with_sum(b"[]"),
    with_sum(b"null"),
    with_sum(b'"text"'),
    with_sum(b"[" * 100_000),
    with_sum(b'{"a":' * 3000 + b"1" + b"}" * 3000),
    with_sum(b'{"kind":"metric","t":1,"step":1,"values":{"a":' + b"9" * 5000 + b"}}"),
    with_sum(b'{"kind":"metric","t":1,"step":1,"values":{"a":1e999,"b":-1e999,"c":NaN}}'),
    with_sum(b'{"kind":["metric"],"t":1,"step":1}'),
    with_sum(b'{"kind":"event","t":1,"name":"x","data":{"a":1' + b"0" * 400 + b"}}"),
    with_sum(b'{"kind":"event","t":1,"name":"\\ud800\\u0000","data":{"\\udfff":"\\ud800"}}'),
    line(t=-1.0, step=1, values={"a": 1}),
    line(t=1e300, step=1, values={"a": 1}),
    line(step=-1, values={"a": 1}),
    line(step=1 << 60, values={"a": 1}),
    line(step=True, values={"a": 1}),
    line(step=1.5, values={"a": 1}),
    line(step="1", values={"a": 1}),
    line(step=1, values=[1, 2]),
    line(step=1, values="abc"),
    line(step=1, values={"a": None, "b": {}, "c": "12", "d": [1]}),
    line(step=1, values={"": 1, "\x1b[2J": 2}),
    line("progress", epoch=[], step={}),
    line("event", name=7, data=[]),
    line("event", name="x", data={"level": [], "text": {}}),
    line("event", name="goals", data={"a": {}, "b": ["min"]}),
    line("event", name="resumed", data={"from_step": "x"}),
    line("artifact", name="../../etc/passwd", size_bytes=1, sha256="a" * 64),
    line("artifact", name="/abs", size_bytes=1, sha256="a" * 64),
    line("artifact", name="ok", size_bytes=-1, sha256="a" * 64),
    line("artifact", name="ok", size_bytes=1, sha256="A" * 64),
    line("report", name=None, data=3),
    line("done", reason=[], message={}),
    line("system", 1, values=None, gpus={"a": 1}),
    line("system", "x", values={"cpu": "y"}, gpus=[1, None, {"index": 10**30, "utilization": 5}]),
    line("unheard of"),
    b"x" * (MAX_LINE + 10) + b"\n",
]


@pytest.mark.parametrize("data", HOSTILE)
def test_nothing_that_a_host_writes_stops_it(catalog: Catalog, data: bytes) -> None:
    run = create(catalog)
    good = metric(5, {"loss": 1.0})
    into = store(catalog, run, good + data + good)
    assert into.source.offset == len(good + data + good)
    assert catalog.metrics.summaries(run.id)["loss"].count == 2
    assert all(key.isprintable() and key for key in catalog.metrics.keys(run.id))
    for event in catalog.events.list(run.id):
        json.dumps(event.data, allow_nan=False)
        assert (event.name + event.text).replace("\n", "").replace(
            "\t", ""
        ).isprintable() or "\ufffd" in event.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
FIELD = st.sampled_from(
    [
        "seq",
        "t",
        "m",
        "step",
        "values",
        "name",
        "data",
        "gpus",
        "reason",
        "message",
        "size_bytes",
        "sha256",
        "type",
        "epoch",
    ]
)
RECORD = st.builds(
    lambda kind, t, fields: {"t": t, "step": 1, "name": "x", **fields, "kind": kind},
    st.sampled_from(["metric", "progress", "event", "artifact", "report", "done", "system", "x"]),
    st.floats(0, 1e10),
    st.dictionaries(FIELD, JSON, max_size=5),
)


@pytest.fixture(scope="module")
def shared() -> Iterator[Catalog]:
    with tempfile.TemporaryDirectory() as folder:
        catalog = open_catalog(Path(folder))
        yield catalog
        catalog.close()


@settings(max_examples=80, deadline=None)
@given(
    parts=st.lists(st.one_of(RECORD, st.binary(max_size=40)), max_size=8),
    name=st.sampled_from(["trainer", "system"]),
)
def test_random_records_with_right_sums_never_raise(shared: Catalog, parts: list[Any], name: str) -> None:
    data = b"".join(
        part + b"\n" if isinstance(part, bytes) else with_sum(json.dumps(part).encode()) for part in parts
    )
    run = create(shared)
    into = store(shared, run, data, name=name)
    assert into.source.offset == len(data)
    shared.runs.get(run.id)
    shared.metrics.series(run.id, arrays=True)
    shared.metrics.series(run.id, scope="system")


def test_bad_lines_are_counted_and_told_once(catalog: Catalog) -> None:
    run = create(catalog)
    into = store(catalog, run, b"bad\nworse\n")
    into.feed(into.source.offset, b"worst\n")
    into.commit()
    assert into.source.damaged == 3
    assert catalog.sources.get(into.source.id).damaged == 3
    assert [event.name for event in catalog.events.list(run.id)] == ["damaged_lines"]


def test_a_line_without_an_end_is_given_up(catalog: Catalog) -> None:
    run = create(catalog)
    into = ingest_of(catalog, run)
    into.feed(0, b"x" * (MAX_LINE + 1))
    committed = into.commit()
    assert committed is not None
    assert (committed.offset, into.source.damaged) == (MAX_LINE + 1, 1)
    rest = b"y\n" + metric(1, {"loss": 1.0})
    into.feed(MAX_LINE + 1, rest)
    into.commit()
    assert catalog.metrics.summaries(run.id)["loss"].count == 1


def test_thousands_of_keys_are_bounded(catalog: Catalog) -> None:
    run = create(catalog)
    into = store(catalog, run, metric(0, {f"k{i}": i for i in range(MAX_SERIES + 100)}))
    assert into.source.damaged == 100
    assert len(catalog.metrics.keys(run.id)) == MAX_SERIES
    into.feed(into.source.offset, metric(1, {"one more": 1, "k7": 8}))
    into.commit()
    assert into.source.damaged == 101
    assert catalog.metrics.summaries(run.id)["k7"].last == 8.0


def test_long_and_strange_keys_are_made_safe(catalog: Catalog) -> None:
    run = create(catalog)
    store(catalog, run, metric(0, {"k" * 5000: 1, "a\x1b[31mb\nc": 2, "ключ": 3, "a b c": 4}))
    keys = catalog.metrics.keys(run.id)
    assert sorted(map(len, keys)) == [4, 4, 5, 200]
    assert {"ab c", "a b c", "ключ"} <= set(keys)


def test_two_keys_that_look_the_same_are_one_series(catalog: Catalog) -> None:
    run = create(catalog)
    store(catalog, run, metric(0, {"a": 1, "a\x1b[0m": 2}) + metric(1, {"a": 3}))
    (series,) = catalog.metrics.series(run.id)
    assert (series.steps, series.values) == ([0, 0, 1], [1.0, 2.0, 3.0])


LINE = st.one_of(
    RECORD.map(lambda record: with_sum(json.dumps(record).encode())),
    st.binary(max_size=60).map(lambda data: data + b"\n"),
    st.builds(
        lambda step, value: metric(step, {"a": value, "b": 1}),
        st.integers(0, 99),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
)


@given(st.lists(LINE, max_size=10))
def test_reading_together_is_reading_one_by_one(lines: list[bytes]) -> None:
    data = b"".join(lines)
    found = JournalParser().parse(data)
    single = [record_of(one) for one in data.split(b"\n")[:-1]]
    kinds = [record.get("kind") for record in single if record is not None]
    together = sum(len(group.places) for group in found.groups) + len(found.metrics)
    assert together == kinds.count("metric")
    assert len(found.records) == len(kinds) - kinds.count("metric")
    assert found.damaged == single.count(None)
    for group in found.groups:
        for column, place in enumerate(group.places):
            record = single[place]
            assert record is not None
            assert record["step"] == group.steps[column]
            assert record["values"] == {key: values[column] for key, values in group.columns}


@given(RECORD)
def test_lines_are_read_as_the_host_writes_them(record: dict[str, Any]) -> None:
    body = with_sum(json.dumps(record).encode())[:-1]
    try:
        expected = decode_line(body)
    except DamagedLine:
        expected = {}
    found = record_of(body)
    assert json.dumps(found) == json.dumps(expected)
    assert record_of(encode_line({"seq": 1})[:-1]) == {"seq": 1}


def test_a_failed_commit_can_be_tried_again(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    run = create(catalog)
    into: Ingest = ingest_of(catalog, run)
    into.feed(0, metric(0, {"loss": 1.0}))
    with monkeypatch.context() as patched:
        patched.setattr(catalog.metrics, "append", _fail)
        with pytest.raises(OSError, match="no"):
            into.commit()
    assert into.source.offset == 0
    assert into.commit() is not None
    assert catalog.metrics.summaries(run.id)["loss"].count == 1


def _fail(*_args: object, **_kwargs: object) -> int:
    raise OSError("no")


def test_when_the_console_was_how_long_is_kept(catalog: Catalog) -> None:
    run = create(catalog)
    before = catalog.runs.get(run.id)
    marks = line("console", 0, 100.0, size=10) + line("console", 1, 102.0, size=30)
    torn = line("console", 2, 104.0, size=50)
    bad = line("console", 3, 105.0, size=-1) + line("console", 4, 105.0, size="9") + line("console", 5, 105.0)
    into = ingest_of(catalog, run, name="system", shift=5.0)
    into.feed(0, marks + torn[:20])  # the host was switched off within a line
    into.commit()
    into = ingest_of(catalog, run, name="system", shift=5.0)
    into.feed(into.source.offset, torn[:20] + b"\n" + line("console", 3, 106.0, size=60) + bad)
    into.commit()
    sizes, times = catalog.metrics.console_marks(run.id, 1)
    assert (list(sizes), list(times)) == ([10, 30, 60], [105.0, 107.0, 111.0])
    assert into.source.damaged == 4
    assert list(catalog.metrics.console_marks(run.id, 2)[0]) == []
    assert catalog.metrics.keys(run.id) == catalog.metrics.keys(run.id, "system") == []
    assert catalog.runs.get(run.id).metrics == before.metrics == {}


def test_only_the_watcher_says_how_long_the_console_was(catalog: Catalog) -> None:
    run = create(catalog)
    assert store(catalog, run, line("console", 0, 100.0, size=10)).source.damaged == 1
    assert list(catalog.metrics.console_marks(run.id, 1)[0]) == []
