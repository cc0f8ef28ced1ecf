"""Summaries, however the points came: equal to the plainest computation over what is visible."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.catalog.helpers import (
    brute_summary,
    create,
    finish,
    ingest_of,
    line,
    metric,
    nan_safe,
    open_catalog,
    store,
    summary_tuple,
)

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.goals import goal_of
from cloudtui_engine.records.run import RunState

VALUE = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from(["nan", "inf", "-inf"])
)
KEYS = ("train/loss", "validation/accuracy", "lr")
RECORD = st.tuples(
    st.integers(min_value=0, max_value=60),
    st.dictionaries(st.sampled_from(KEYS), VALUE, min_size=1),
)
ATTEMPT = st.tuples(
    st.lists(RECORD, max_size=30),
    st.one_of(st.none(), st.integers(min_value=0, max_value=60)),
    st.lists(st.integers(min_value=1, max_value=400), max_size=4),
)


def as_float(value: Any) -> float:
    return float(value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ATTEMPT, min_size=1, max_size=3), st.booleans())
def test_summaries_and_series_equal_a_plain_computation(
    attempts: list[tuple[list[tuple[int, dict[str, Any]]], int | None, list[int]]], late: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        catalog = open_catalog(Path(folder))
        run = create(catalog)
        from_steps: list[int | None] = []
        streams = []
        for number, (records, resumed, cuts) in enumerate(attempts, 1):
            if number > 1:
                finish(catalog, run.id, number - 1, RunState.FAILED)
                catalog.runs.add_attempt(run.id, [catalog.instances.ensure_local().id], 1.0)
            data = b"".join(metric(step, values) for step, values in records)
            told = resumed if number > 1 else None
            if told is not None:
                data = line("event", name="resumed", data={"from_step": told}) + data
            elif number > 1 and records:
                told = records[0][0] - 1
            from_steps.append(told)
            streams.append((number, data, cuts))
            if not late:
                _feed(catalog, run, number, data, cuts)
        for number, data, cuts in reversed(streams) if late else []:
            _feed(catalog, run, number, data, cuts)
        expected = _expected([records for records, _, _ in attempts], from_steps)
        got = {key: summary_tuple(one) for key, one in catalog.metrics.summaries(run.id).items()}
        assert got == {key: brute_summary(key, points) for key, points in expected.items()}
        for arrays in (False, True):
            for series in catalog.metrics.series(run.id, arrays=arrays):
                wanted = sorted(expected.get(series.key, []), key=lambda point: point[0])
                assert list(series.steps) == [step for step, _ in wanted]
                assert nan_safe(series.values) == nan_safe(value for _, value in wanted)
        catalog.close()


def _feed(catalog: Catalog, run: Any, number: int, data: bytes, cuts: list[int]) -> None:
    into, at = ingest_of(catalog, run, number), 0
    for size in [*cuts, len(data)]:
        into.feed(at, data[at : at + size])
        at = min(len(data), at + size)
        into.commit()


def _expected(
    attempts: list[list[tuple[int, dict[str, Any]]]], from_steps: list[int | None]
) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for place, records in enumerate(attempts):
        limit = min((step for step in from_steps[place + 1 :] if step is not None), default=10**9)
        for step, values in records:
            for key, value in values.items():
                if step <= limit:
                    found.setdefault(key, []).append((step, as_float(value)))
    return found


def test_many_points_are_sealed_and_read_back(catalog: Catalog) -> None:
    run = create(catalog)
    into, at = ingest_of(catalog, run, shift=2.5), 0
    values = [math.sin(i / 50) for i in range(5000)]
    for start in range(0, 5000, 700):
        data = b"".join(
            metric(i * 2, {"loss": values[i]}, 1.7e9 + i) for i in range(start, min(5000, start + 700))
        )
        into.feed(at, data)
        at += len(data)
        into.commit()
    (series,) = catalog.metrics.series(run.id, arrays=True)
    assert series.steps.tolist() == list(range(0, 10000, 2))
    assert series.values.tolist() == values
    assert abs(series.times - [1.7e9 + 2.5 + i for i in range(5000)]).max() < 0.01
    with catalog.read() as db:
        assert db.execute("SELECT COUNT(*), MIN(n), MAX(n) FROM chunk").fetchone() == (4, 1024, 1024)
        assert db.execute("SELECT SUM(n) FROM tail").fetchone() == (5000 - 4096,)
    summary = catalog.metrics.summaries(run.id)["loss"]
    assert summary_tuple(summary) == brute_summary("loss", [(2 * i, value) for i, value in enumerate(values)])


def test_a_point_a_commit_is_put_together_in_time(catalog: Catalog) -> None:
    run = create(catalog)
    into, at = ingest_of(catalog, run), 0
    with catalog.write():  # one transaction: the commits inside are savepoints, and a hundred times quicker
        for i in range(1100):
            data = metric(i, {"loss": float(i)})
            into.feed(at, data)
            at += len(data)
            into.commit()
    with catalog.read() as db:
        assert db.execute("SELECT COUNT(*) FROM chunk").fetchone() == (1,)
        assert db.execute("SELECT COUNT(*) FROM tail").fetchone()[0] <= 64
    assert catalog.metrics.series(run.id)[0].steps == list(range(1100))


def test_goals_that_the_run_declares_win_over_names(catalog: Catalog) -> None:
    run = create(catalog)
    store(
        catalog,
        run,
        metric(0, {"score": 1.0, "loss": 5.0})
        + metric(1, {"score": 3.0, "loss": 9.0})
        + line("event", name="goals", data={"score": "min", "loss": "max", "later": "max", "wrong": "up"})
        + metric(2, {"score": 0.5, "loss": 7.0, "later": 4.0}),
    )
    found = catalog.metrics.summaries(run.id)
    assert (found["score"].goal, found["score"].best, found["score"].best_step) == ("min", 0.5, 2)
    assert (found["loss"].goal, found["loss"].best, found["loss"].best_step) == ("max", 9.0, 1)
    assert (found["later"].goal, found["later"].best) == ("max", 4.0)


def test_goals_by_name() -> None:
    wanted = {
        "train/loss": "min",
        "validation/accuracy": "max",
        "val_f1": "max",
        "error_rate": "min",
        "perplexity": "min",
        "mAP@50": "max",
        "top1_acc": "max",
        "r2": "max",
        "lr": None,
        "epoch": None,
        "mapping": None,
        "rmse": "min",
    }
    assert {key: goal_of(key) for key in wanted} == wanted


def test_an_envelope_covers_all_visible_points(catalog: Catalog) -> None:
    run = create(catalog)
    store(catalog, run, b"".join(metric(i, {"loss": float(i % 1000)}) for i in range(9000)))
    for buckets in (1, 2, 3, 50):
        found = catalog.metrics.envelope(run.id, "loss", buckets=buckets)
        assert len(found) <= buckets
        assert sum(bucket.count for bucket in found) == 9000
        assert (found[0].first, found[-1].last) == (0, 8999)
        assert min(bucket.min for bucket in found if bucket.min is not None) == 0.0
        assert max(bucket.max for bucket in found if bucket.max is not None) == 999.0


def test_an_envelope_leaves_out_what_a_resume_hides(catalog: Catalog) -> None:
    run = create(catalog)
    store(catalog, run, b"".join(metric(i, {"loss": float(i)}) for i in range(9000)))
    finish(catalog, run.id)
    catalog.runs.add_attempt(run.id, [catalog.instances.ensure_local().id], 1.0)
    catalog.runs.set_from_step(run.id, 2, 2500)
    for buckets in (1, 30):
        found = catalog.metrics.envelope(run.id, "loss", buckets=buckets)
        assert max(bucket.max for bucket in found if bucket.max is not None) == 2500.0
        assert sum(bucket.count for bucket in found) == 2501
    assert catalog.metrics.summaries(run.id)["loss"].last == 2500.0
