"""Pure parts of the screens that judge: nothing that a report holds breaks them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.catalog.helpers import open_catalog
from tests.support import seed_models

from cloudtui.areas.compression import tried
from cloudtui.areas.compression.detail import points, sentences
from cloudtui.areas.compression.tried import Tried, tried_row
from cloudtui.areas.evaluation.calibration import calibration_bars
from cloudtui.areas.evaluation.confusion import matrix_of, pair_rows
from cloudtui.areas.evaluation.errors import error_row
from cloudtui.areas.evaluation.figures import figures
from cloudtui.areas.evaluation.inputs import errors_of, rows_of
from cloudtui.areas.evaluation.judged import Judged, judged_row, too_small
from cloudtui.areas.evaluation.residuals import residual_bars
from cloudtui.areas.models.lineage import in_families
from cloudtui.areas.parts import Request
from cloudtui.areas.runs import pages
from cloudtui.dialogs.form_field import FormField, problem
from cloudtui.dialogs.train_params import MODELS, TRAIN_PARAMS
from cloudtui.widgets import pareto, picture
from cloudtui.widgets.bars import Bar, drawn
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.model import Model
from cloudtui_engine.records.run import Run, RunState

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.just(10**400)
    | st.floats()
    | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
EVALUATION = seed_models.classification(rows=500) | {"residuals": seed_models.regression()["residuals"]}
COMPRESSION = seed_models.compression()


def judged(report: dict[str, Any]) -> Judged:
    return Judged("r/test", "m@1", None, None, "data", "test", 0.0, report, None)


def broken(report: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The report with some of its fields replaced by anything."""
    return st.dictionaries(st.sampled_from(sorted(report)), JUNK, max_size=4).map(lambda some: report | some)


@given(broken(EVALUATION))
@settings(max_examples=150, deadline=None)
def test_no_evaluation_breaks_the_screen(report: dict[str, Any]) -> None:
    one = judged(report)
    judged_row(one, 0.0)
    figures(one)
    pair_rows(matrix_of(report))
    calibration_bars(report)
    residual_bars(report)
    rows_of(errors_of(one))
    for place, error in enumerate(errors_of(one)):
        error_row(place, error, one)
    assert "\x1b" not in too_small(report)


@given(broken(COMPRESSION))
@settings(max_examples=150, deadline=None)
def test_no_compression_breaks_the_screen(report: dict[str, Any]) -> None:
    one = Tried("r", "m@1", None, None, 0.0, report)
    tried_row(one, 0.0)
    tried.heading(one, 0.0)
    tried.noise(report)
    for variant in one.variants:
        tried.variant_row(variant, report.get("chosen"))
        sentences(one, variant)
    for width, height in ((29, 12), (9, 3), (120, 30), (12, 1)):
        lines = pareto.draw(points(one), "int8", 1e6, width, height)
        assert len(lines) <= height
        assert all(sum(len(text) for text, _ in line) <= width for line in lines)


@given(
    st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3)), max_size=20),
    st.integers(20, 120),
    st.integers(6, 40),
)
@settings(max_examples=100, deadline=None)
def test_every_variant_is_in_the_plot(ratios: list[tuple[float, float]], width: int, height: int) -> None:
    found = [pareto.Point(f"v{i}", speed, size, "●", "good") for i, (speed, size) in enumerate(ratios)]
    text = "".join(text for line in pareto.draw(found, "", 1e6, width, height) for text, _ in line)
    assert text.count("●") == 0 if not found else 1 <= text.count("●") <= len(found)


@given(st.integers(0, 4), st.integers(0, 40), st.integers(0, 40), st.integers(0, 50), st.integers(0, 30))
@settings(max_examples=150, deadline=None)
def test_a_picture_keeps_within_its_room(
    channels: int, high: int, wide: int, columns: int, rows: int
) -> None:
    found = picture.fit(np.full((channels, high, wide), 200, np.uint8), columns, rows)
    cells = picture.half_blocks(found)
    assert len(cells) <= rows
    assert all(len(row) <= columns for row in cells)
    if channels and high and wide and columns and rows:
        assert cells
        assert set(np.unique(found)) == {200}


def test_a_small_picture_is_not_blurred_and_a_large_one_is_averaged() -> None:
    small = np.zeros((1, 2, 2), np.uint8)
    small[0, 0, 1] = 255
    assert np.unique(picture.fit(small, 10, 5)).tolist() == [0, 255]
    large = np.zeros((1, 100, 100), np.uint8)
    large[:, :, ::2] = 200
    assert picture.fit(large, 50, 25).tolist() == np.full((50, 50, 3), 100).tolist()


@given(st.floats(0, 1), st.integers(4, 60), st.none() | st.floats(0, 1))
def test_a_bar_has_its_width(share: float, width: int, mark: float | None) -> None:
    assert sum(len(text) for text, _ in drawn(Bar("a", share, "", mark), width)) == width


def test_too_few_rows_are_told_with_how_many_would_do() -> None:
    small = seed_models.classification(rows=360, classes=tuple("0123456789"), chance=2)
    assert too_small(small) == "360 rows cannot tell a difference of 0.5 point; about 5,000 could."
    one = {"n": 1, "metrics": {"accuracy": 0.0}, "confidence": {"accuracy": [0.0, 0.79]}}
    assert too_small(one).startswith("1 row cannot tell")
    assert too_small(seed_models.classification(rows=10_000)) == ""
    assert too_small(seed_models.regression()) == ""


def model(identity: str, parent: str | None) -> Model:
    return Model(identity, identity, 1, "r", "image", "cnn", parent_id=parent)


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.none() | st.sampled_from("abcdefghx")))
def test_no_model_is_lost_in_its_family(parents: dict[str, str | None]) -> None:
    found = in_families([model(name, parent) for name, parent in parents.items()])
    assert sorted(one.id for one, _ in found) == sorted(parents)
    for one, depth in found:
        assert depth == 0 or parents[one.id] in parents


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("3", ""), ("3.5", "a whole number"), ("x", "a whole number"), ("nan", "a whole number"),
     ("0", "1 to 9"), ("1e1", "1 to 9")],
)  # fmt: skip
def test_a_number_is_held_to_its_range(text: str, expected: str) -> None:
    assert problem(FormField("params.x", "X", "text", low=1, high=9, whole=True), text) == expected


def test_the_form_asks_for_what_the_trainer_takes() -> None:
    from cloudtui_trainer.tasks.image import ImageTask
    from cloudtui_trainer.tasks.tabular import TabularTask

    tasks = {"image": ImageTask, "tabular": TabularTask}
    assert {name: tuple(kind.models) for name, kind in tasks.items()} == MODELS
    for name, kind in tasks.items():
        taken = {field.name: field for field in dataclasses.fields(kind.Params)}
        for line in TRAIN_PARAMS:
            if line.tasks and name not in line.tasks:
                continue
            field = taken[line.name.removeprefix("params.")]
            if line.kind == "choice":
                words = tuple(one.value for one in line.options[1:])
                assert words == field.metadata["choices"], line.name
            else:
                # Nothing stands for what a task takes by itself, which a table's rows of an update call 0.
                assert field.metadata["low"] <= line.low, line.name
                assert line.high == field.metadata["high"], line.name
                assert line.whole == (field.type in {"int", int}), line.name


def test_the_title_of_runs_counts_what_is_listed_there(tmp_path: Path) -> None:
    catalog = open_catalog(tmp_path)
    try:
        local = catalog.instances.ensure_local()
        for kind in ("train", "evaluate", "compress"):
            run = Run(new_id(), kind, kind, RunState.QUEUED, 1, (), created_at=1.0)
            catalog.runs.create(run, [local.id])
        listing = pages.listing(catalog, Request(sort="-created"))
        assert (listing.total, listing.note) == (1, "1 live")
    finally:
        catalog.close()
