from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.engine.catalog.helpers import a_run, create, finish, metric, open_catalog, store

from cloudtui_engine.catalog import Catalog, RunQuery
from cloudtui_engine.catalog.finding import vocabulary
from cloudtui_engine.catalog.query import compile_filter
from cloudtui_engine.catalog.runs import key_of
from cloudtui_engine.errors import FilterError, UsageError
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import RunState


@pytest.fixture(scope="module")
def catalog() -> Iterator[Catalog]:
    with tempfile.TemporaryDirectory() as folder:
        made = open_catalog(Path(folder))
        gpus = ({"index": 0, "name": "NVIDIA A100-SXM4-80GB"}, {"index": 1, "name": "Tesla T4"}, {"index": 2})
        box = made.instances.add(Instance("cbox", "box-1", "ssh", gpus=gpus))
        local = made.instances.ensure_local()
        rows = [
            ("vit-a", 1e-4, "vit", ("baseline",), local, [0.1, 0.7]),
            ("vit-b", 1e-2, "vit", ("baseline", "big model"), box, [0.2, 0.95]),
            ("cnn-a", 1e-4, "cnn", (), box, [0.99, 0.5]),
            ("50% off_line", 3.0, "cnn", (), local, None),
        ]
        for i, (name, lr, model, tags, where, accuracies) in enumerate(rows):
            params = {"lr": lr, "optimizer": {"name": f"Adam{i}"}, "amp": i % 2 == 0}
            run = a_run(name, params=params, model=model, tags=tags, note=f"note {i}", created_at=1.7e9 + i)
            made.runs.create(run, [where.id])
            if accuracies:
                points = enumerate(accuracies)
                data = b"".join(
                    metric(step, {"validation/accuracy": value, "my key.last": 1}) for step, value in points
                )
                store(made, run, data) if where is local else _store_on(made, run.id, box.id, data)
            if name == "vit-b":
                finish(made, run.id, 1, RunState.FAILED)
        yield made
        made.close()


def _store_on(catalog: Catalog, run_id: str, instance_id: str, data: bytes) -> None:
    from cloudtui_engine.runs.ingest import Ingest

    into = Ingest(catalog, catalog.sources.open(instance_id, run_id, 1, "trainer"), 0.0)
    into.feed(0, data)
    into.commit()


def names(catalog: Catalog, text: str, sort: str = "created") -> list[str]:
    query = RunQuery(text, sort)
    found = [run.name for run in catalog.runs.list(query)]
    assert catalog.runs.count(query) == len(found)
    return found


A, B, C, D = "vit-a", "vit-b", "cnn-a", "50% off_line"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", [A, B, C, D]),
        ("   ", [A, B, C, D]),
        ("param.lr < 1e-3", [A, C]),
        ("param.lr<1e-3", [A, C]),
        ("param.lr <= .01 and param.lr >= 1e-2", [B]),
        ("param.lr in 1e-3..5", [B, D]),
        ("param.lr in 1e-3..", [B, D]),
        ("param.optimizer.name:Adam1", [B]),
        ("param.optimizer.name ~ ADAM", [A, B, C, D]),
        ("param.amp:true", [A, C]),
        ("param.nothing:1", []),
        ("not param.nothing:1", [A, B, C, D]),
        ("metric.validation/accuracy > .9", [B]),
        ("metric.validation/accuracy.best > .9", [B, C]),
        ("metric.validation/accuracy.max > .9", [B, C]),
        ("metric.validation/accuracy.min <= .1", [A]),
        ("metric.validation/accuracy.last:0.5", [C]),
        ("metric.validation/accuracy.step = 1", [A, B, C]),
        ('metric."my key.last" = 1', [A, B, C]),
        ("not metric.validation/accuracy > 0", [D]),
        ("on:box-1", [B, C]),
        ("on:local", [A, D]),
        ("on in (box-1, local)", [A, B, C, D]),
        ("gpu:a100", [B, C]),
        ("gpu:'A100 sxm4'", [B, C]),
        ("gpu in (H100, T4)", [B, C]),
        ("gpu:A10", []),
        ("gpu ~ A10", [B, C]),
        ("gpu:_100", []),
        ("gpu != T4", [A, D]),
        ("tag:baseline sort:-created", [B, A]),
        ("sort:-created tag:baseline", [B, A]),
        ("name ~ - or tag:x sort:-validation/accuracy", [B, A, C]),
        ("SORT = -metric.validation/accuracy.best and name ~ -", [C, B, A]),
        ("sort: 'param.lr'", [C, A, B, D]),
        ("sort:-validation/accuracy.max", [C, B, A, D]),
        ("sort", []),
        ("tag:baseline", [A, B]),
        ('tag:"big model"', [B]),
        ("tag ~ big", [B]),
        ("tag != baseline", [C, D]),
        ("status:live", [A, C, D]),
        ("status:failed", [B]),
        ("status:finished", [B]),
        ("not status:failed", [A, C, D]),
        ("status in (failed, queued)", [A, B, C, D]),
        ("model:vit", [A, B]),
        ("model !~ v", [C, D]),
        ("name ~ vit and (tag:baseline or on:box-1) and not status:failed", [A]),
        ('param.lr < 1e-3 and (tag:baseline or name ~ "vit") and not status:failed', [A]),
        ("name:cnn-a or name = vit-a", [A, C]),
        ("NOT not name:cnn-a OR name:vit-a", [A, C]),
        ("vit", [A, B]),
        ("VIT baseline", [A, B]),
        ("baseline big", [B]),
        ("'note 2'", [C]),
        ("50%", [D]),
        ("off_line", [D]),
        ("offXline", []),
        ("'%'", [D]),
        ("created >= 2023-11-14", [A, B, C, D]),
        ("created < 2023-01-01", []),
        ("duration < 1h", [B]),
        ("attempt:1", [A, B, C, D]),
        ("exit_code = 0", []),
        ("dataset:digits", []),
        ("name:'x'' or 1=1 --'", []),
        ('"\'; DROP TABLE run; --"', []),
    ],
)
def test_what_a_filter_finds(catalog: Catalog, text: str, wanted: list[str]) -> None:
    assert names(catalog, text) == wanted


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("param.lr <", 11),
        ("(tag:a", 7),
        ("tag:a)", 6),
        ("and", 1),
        ("tag:a and", 10),
        ("tag:a or or tag:b", 10),
        ("nonsense:5", 1),
        ("speed > 5", 1),
        ("metric.loss > high", 15),
        ("metric.loss ~ 5", 15),
        ("name > 5", 8),
        ("status:weird", 8),
        ('name ~ "open', 8),
        ("name ! x", 6),
        ("param.lr in 5", 13),
        ("param.lr in (1, ", 17),
        ("param.lr in ..", 13),
        ("created > soon", 11),
        ("not", 4),
        ("tag:", 5),
        ("()", 2),
        ("tag:a sort:speed", 12),
        ("sort:", 6),
        ("sort:-", 7),
        ("sort < 5", 6),
        ("(vit sort:name)", 6),
        ("not sort:name", 5),
        ("vit or sort:name", 8),
        ("sort:name or vit", 11),
        ("sort:name and", 14),
        ("sort:name sort:cost", 11),
    ],
)
def test_an_error_says_where(text: str, position: int) -> None:
    with pytest.raises(UsageError) as raised:
        compile_filter(text)
    assert f"at position {position}:" in raised.value.message
    assert raised.value.hint


@pytest.mark.parametrize("text", ["name in (" + ",".join("a" * 1200) + ")", "name ~ \udcff"])
def test_what_sqlite_would_choke_on_is_told_where_it_stands(text: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(text)
    assert 0 < caught.value.at < len(text)


@pytest.mark.parametrize(
    ("text", "order", "rest"),
    [
        ("tag:a  sort:-created  tag:b", "-created", "tag:a tag:b"),
        ("tag:a and sort:loss.min and tag:b", "metric.loss.min", "tag:a and tag:b"),
        ("sort:-NAME and tag:b", "-name", "tag:b"),
        ("sort = 'x/y'", "metric.x/y", ""),
        (" tag:a ", "", " tag:a "),
    ],
)
def test_the_order_and_what_is_left_without_it(text: str, order: str, rest: str) -> None:
    found = compile_filter(text)
    assert (found.order, found.rest) == (order, rest)
    assert compile_filter(found.rest)[:2] == found[:2]


def test_there_are_limits() -> None:
    for text in ("x " * 201, "(" * 60 + "x" + ")" * 60, "x" * 5000):
        with pytest.raises(UsageError):
            compile_filter(text)
    compile_filter("x " * 200)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abc:()<>=~!\"'., \\%andortgmei015*;-", max_size=30))
def test_any_text_is_a_query_or_a_usage_error(text: str) -> None:
    try:
        sql, values, *_ = compile_filter(text)
    except UsageError:
        return
    assert sql.count("?") == len(values)


@given(st.sampled_from(["tag", "name", "note", "param.optimizer.name", "bare"]), st.text(max_size=12))
@example("name", "\0")
@settings(max_examples=100, deadline=None)
def test_text_in_quotes_is_only_text(catalog: Catalog, field: str, text: str) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    found = names(catalog, quoted if field == "bare" else f"{field} ~ {quoted}")
    if field == "name":
        ascii_lower = text.translate({i: i + 32 for i in range(65, 91)})
        assert found == [name for name in (A, B, C, D) if ascii_lower in name.lower()]


@pytest.mark.parametrize("gpus", ["nope", '"T4"', "3", '["T4", 1, [], {"name": 5}, {"name": null}]'])
def test_gpus_that_are_none_are_passed_over(tmp_path: Path, gpus: str) -> None:
    fresh = open_catalog(tmp_path)
    create(fresh, "run")
    with fresh.write("instance") as db:
        db.execute("UPDATE instance SET gpus = ?", (gpus,))
    assert names(fresh, "gpu:T4") == []
    assert set(vocabulary(fresh).values["gpu"]) <= {"5"}
    fresh.close()


@pytest.mark.parametrize(
    ("sort", "wanted"),
    [
        ("created", [A, B, C, D]),
        ("-created", [D, C, B, A]),
        ("name", [D, C, A, B]),
        ("-name", [B, A, C, D]),
        ("metric.validation/accuracy", [C, A, B, D]),
        ("-metric.validation/accuracy", [B, A, C, D]),
        ("-metric.validation/accuracy.best", [C, B, A, D]),
        ("param.lr", [C, A, B, D]),
        ("-param.lr", [D, B, C, A]),
        ("duration", [B, D, C, A]),
        ("-status", [D, C, A, B]),
    ],
)
def test_orders_and_their_pages(catalog: Catalog, sort: str, wanted: list[str]) -> None:
    assert names(catalog, "", sort) == wanted
    query, paged = RunQuery(sort=sort, limit=1), []
    while page := catalog.runs.list(query):
        paged.append(page[0].name)
        query = replace(query, offset_key=key_of(page[-1], sort))
    assert paged == wanted
    for skip, limit in ((1, 2), (3, None), (9, 2)):
        page = catalog.runs.list(RunQuery(sort=sort, skip=skip, limit=limit))
        assert [run.name for run in page] == wanted[skip:][:limit]


def test_an_unknown_order_is_a_usage_error(catalog: Catalog) -> None:
    for sort in ("speed", "", "tag", "metric."):
        with pytest.raises(UsageError):
            catalog.runs.list(RunQuery(sort=sort))


def test_only_the_metrics_that_are_asked_for(catalog: Catalog) -> None:
    (run,) = catalog.runs.list(RunQuery("name:vit-a", metrics=["validation/accuracy", "none"]))
    assert list(run.metrics) == ["validation/accuracy"]
    (run,) = catalog.runs.list(RunQuery("name:vit-a"))
    assert list(run.metrics) == ["my key.last", "validation/accuracy"]
    assert run.metrics == catalog.metrics.summaries(run.id)
    assert "none" not in run.metrics


def test_lists_never_touch_histories(catalog: Catalog) -> None:
    from cloudtui_engine.catalog.run_pages import select_page

    with catalog.read() as db:
        touched: list[str] = []
        db.set_trace_callback(touched.append)
        catalog.runs.list(RunQuery("metric.validation/accuracy > 0", "-metric.validation/accuracy"))
        db.set_trace_callback(None)
        assert not any(word in sql for sql in touched for word in (" tail ", " chunk ", " series "))
        sql, values = select_page(RunQuery(limit=50))
        plan = db.execute("EXPLAIN QUERY PLAN " + sql, values).fetchall()
        assert any("run_created" in str(row) for row in plan)
        assert not any("TEMP B-TREE" in str(row) for row in plan)


def test_runs_that_come_meanwhile_do_not_shift_a_page(tmp_path: Path) -> None:
    fresh = open_catalog(tmp_path)
    for i in range(6):
        create(fresh, f"r{i}", created_at=100.0 + i)
    first = fresh.runs.list(RunQuery(limit=3))
    create(fresh, "new", created_at=200.0)
    second = fresh.runs.list(RunQuery(limit=3, offset_key=key_of(first[-1])))
    assert [run.name for run in [*first, *second]] == ["r5", "r4", "r3", "r2", "r1", "r0"]
    fresh.close()
