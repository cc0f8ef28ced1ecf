"""Two models beside each other: what their reports say, what their rows say, and what cannot be told."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support import seed_models, seed_rivals
from tests.tui.desk import check, desktop, screen, settle, wait_until

from cloudtui.areas.evaluation.cells import cell_text
from cloudtui.cli import difference_texts
from cloudtui.cli.json_fields import document
from cloudtui.differing import difference, sentences, with_answers
from cloudtui.handlers import differing
from cloudtui.handlers.session import Session
from cloudtui.widgets.diff_map import changed, most, toned
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import NotFoundError, RefusedError, UsageError
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.evaluation import Evaluation
from cloudtui_features.paired_errors import compare_errors


def of(name: str, **changes: object) -> Evaluation:
    chance = 7 if name == "a" else 8
    report = seed_models.classification(f"{name}@1", chance=chance) | changes
    return Evaluation(f"{name}@1", name, "fashion-mnist", "test", f"run-{name}", 1.0, report, "data")


@pytest.fixture
def catalog(shelf: Path):
    with closing(Catalog.open(Paths(shelf))) as opened:
        seed_rivals.rivals(opened)
        yield opened


def test_metrics_classes_and_cells_are_subtracted_by_name() -> None:
    first, second = of("a"), of("b")
    turned = second.report | {
        "classes": second.report["classes"][::-1],
        "confusion": [row[::-1] for row in second.report["confusion"][::-1]],
    }
    straight = difference(first, second)
    assert difference(first, of("b", **turned)).cells == straight.cells
    assert all(sum(row) == 0 for row in straight.cells)  # the same rows, taken for something else
    accuracy, loss = straight.metrics[0], next(one for one in straight.metrics if one.key == "loss")
    assert accuracy.delta == pytest.approx(
        second.report["metrics"]["accuracy"] - first.report["metrics"]["accuracy"]
    )
    assert accuracy.better is (accuracy.delta > 0)
    assert (loss.delta, loss.better) == (0, None)


@pytest.mark.parametrize(
    "other", [of("b", n=6_000), Evaluation("b@1", "b", "digits", "test", "r", 1.0, of("b").report, "other")]
)
def test_other_rows_are_refused(other: Evaluation) -> None:
    with pytest.raises(RefusedError, match="different rows"):
        difference(of("a"), other)


def test_a_difference_is_told_without_colour() -> None:
    cells = ((5, -5, 0), (0, -1, 1), (0, 0, 0))
    assert [changed(n) for n in cells[0]] == ["▲5", "▼5", "·"]
    assert most(cells) == (5, 5)
    assert [toned(5, 5, right=True), toned(5, 5, right=False), toned(-1, 5, right=False)] == [
        "*good",
        "*bad",
        "good",
    ]


def test_row_by_row_where_the_answers_are_here(catalog: Catalog) -> None:
    session = Session(catalog.paths, catalog)
    found = differing.diff(session, "digits-small", "digits-large")
    assert found.paired is not None
    assert (found.paired.n, found.paired.only_variant - found.paired.only_baseline) == (360, 18)
    told = sentences(found)
    assert told[0] == "digits-large@1 is right more often than digits-small@1."
    assert "+5.00 points [+" in told[1]
    assert "McNemar p 0.00" in told[1] or "McNemar p < 0.001" in told[1]
    text = "\n".join(difference_texts.difference(found, 80))
    assert "▲" not in text  # a pipe is plain text
    assert "Accuracy" in text
    assert document(found)["n"] == 360
    assert document(found)["paired"]["delta_ci"] == [found.paired.low, found.paired.high]
    worst = min((n, i, j) for i, row in enumerate(found.cells) for j, n in enumerate(row) if i != j)
    assert cell_text(found, *worst[1:]).endswith(f"{-worst[0]} errors fewer")


def test_a_draw_is_no_verdict(catalog: Catalog) -> None:
    data = catalog.datasets.find("digits")
    seed_rivals.rival(catalog, "digits-other", data, 13, chance=3, age_s=300)
    found = differing.diff(Session(catalog.paths, catalog), "digits-large", "digits-other")
    assert found.could is not None
    assert found.could > 360
    assert sentences(found)[0] == (
        f"360 rows cannot tell which is better. A difference of 0.5 point would take {found.could:,}."
    )


def test_what_cannot_be_told_says_why(catalog: Catalog) -> None:
    found = differing.diff(Session(catalog.paths, catalog), "resnet-base", "digits-small")
    assert found.paired is None
    assert "resnet-base@1 answered row by row is not on this machine" in sentences(found)[0]
    numbers = Evaluation("n@1", "n", "people", "test", "run", 1.0, seed_models.regression(), None)
    assert "not known which rows" in with_answers(catalog, difference(numbers, numbers)).untold


def test_predicted_numbers_are_told_by_their_errors() -> None:
    numbers = Evaluation("n@1", "n", "people", "test", "run", 1.0, seed_models.regression(), "data")
    found = difference(numbers, replace(numbers, model="m@1"))
    rows = np.arange(100.0)
    far, near = rows + np.where(rows % 2, 9, -9), rows + 2
    errors = compare_errors(rows, far, near)
    told = sentences(replace(found, errors=errors))
    assert told[0] == "m@1 is closer than n@1."
    assert told[1].startswith("MAE -7.00 [-7.00, -7.00] and RMSE -7.00 [")
    assert told[2] == "Of 100 rows, m@1 is closer in 100, n@1 in 0."
    same = sentences(replace(found, errors=compare_errors(rows, far, far[::-1] + 2 * rows - 99)))
    assert same[0] == "100 rows cannot tell which is closer."
    told_json = document(replace(found, errors=errors))["paired_errors"]
    assert (told_json["n"], told_json["mae"]["delta"], told_json["closer_other"]) == (100, -7.0, 100)


def test_models_that_share_no_rows(catalog: Catalog) -> None:
    session = Session(catalog.paths, catalog)
    with pytest.raises(UsageError, match="twice"):
        differing.diff(session, "digits-small", "digits-small@1")
    with pytest.raises(NotFoundError, match="on these rows"):
        differing.diff(session, "resnet-base", "digits-small", dataset="fashion-mnist")
    with pytest.raises(NotFoundError) as raised:
        differing.diff(session, "digits-small", "digits-large", dataset="digits", split="train")
    assert raised.value.hint.endswith("evaluate digits-small@1 --dataset digits@1 --split train")
    with pytest.raises(NotFoundError, match="not been judged"):
        differing.diff(session, "resnet-base-int8", "digits-small")


async def test_on_the_desktop(shelf: Path, catalog: Catalog) -> None:
    """d on an evaluation asks for the other model, and shows what it finds; two marked at once."""
    async with desktop(shelf, (80, 24), first="evaluation") as (app, pilot):
        area = app.area
        assert area is not None
        large = next(one for one in area.listing.records if one.name == "digits-large@1")
        assert area.pane.table.select(large.id)
        await settle(pilot)
        await pilot.press("d")
        await wait_until(pilot, lambda: "digits-small@1 · digits test · 91.67%" in screen(app))
        await pilot.press("ctrl+s")
        await wait_until(pilot, lambda: "is right less often than digits-large@1" in screen(app))
        await settle(pilot)
        check("difference-80x24", screen(app))
        await pilot.press("right_square_bracket")
        await wait_until(pilot, lambda: "→ cell" in screen(app))  # its keys, once it has the focus
        await settle(pilot)
        check("difference-cells-80x24", screen(app))
        assert "less digits-large@1" in screen(app)
        await pilot.press("escape")
        resnet = [
            one.id for one in area.listing.records if one.name == "resnet-base@1" and one.dataset == "digits"
        ]
        area.pane.table.marked = {large.id, resnet[-1]}
        assert area.pane.table.select(next(one.id for one in area.listing.records if one.dataset == "people"))
        await pilot.press("d")
        await wait_until(pilot, lambda: "answered row by row is not" in screen(app))
