"""What differs between runs, groups and figures: pure."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from cloudtui.areas.compare.chosen import Chosen
from cloudtui.areas.compare.compared import Compared, without
from cloudtui.areas.compare.curves import band
from cloudtui.areas.compare.rows import best, change, signed
from cloudtui.comparing import (
    ALIKE,
    Outcome,
    compare_runs,
    groups,
    main_metric,
    ranked,
    settings_of,
    spread,
    usual_way,
    ways,
)
from cloudtui_engine.records.run import Goal, MetricSummary, Run, RunState


def summary(key: str, last: float, best: float | None = None, goal: Goal | None = None) -> MetricSummary:
    return MetricSummary(key, goal, 10, 9, last, best, 5, None, None)


def run(name: str, params: dict[str, Any] | None = None, *metrics: MetricSummary, **more: Any) -> Run:
    found = {one.key: one for one in metrics}
    return Run(
        name, name, "train", RunState.SUCCEEDED, 1, ("local",), params=params or {}, metrics=found, **more
    )


def test_settings_that_differ_are_told_and_equal_ones_counted() -> None:
    found = compare_runs([run("a", {"lr": 0.1, "epochs": 3}), run("b", {"lr": 0.2, "epochs": 3, "ema": 0.9})])
    assert [(one.key, one.values) for one in found.different] == [("lr", (0.1, 0.2)), ("ema", (None, 0.9))]
    assert found.equal == 3, "epochs, and model and dataset, which neither has"
    assert settings_of(found, 0) == "lr=0.1"
    assert settings_of(found, 1) == "lr=0.2 ema=0.9"


def test_nested_settings_and_the_command_of_a_script_are_settings() -> None:
    found = compare_runs(
        [
            run("a", {"optimizer": {"name": "sgd", "lr": 1}}, spec={"command": ["python", "a.py"]}),
            run("b", {"optimizer": {"name": "sgd", "lr": 2}}, spec={"command": ["python", "b.py"]}),
        ]
    )
    assert {one.key: one.values for one in found.different} == {
        "optimizer.lr": (1, 2), "command": ("python a.py", "python b.py"),
    }  # fmt: skip


@pytest.mark.parametrize(("goal", "winner", "better"), [("max", 1, True), ("min", 0, False)])
def test_the_best_and_the_difference_know_the_direction(goal: Goal, winner: int, better: bool) -> None:
    one = Outcome("m", goal, (0.5, 0.8, None), (0.5, 0.8, None))
    assert one.winners == {winner}
    assert one.delta(1, 0) == pytest.approx(0.3)
    assert one.improves(one.delta(1, 0)) is better
    assert one.delta(0, 0) is None
    assert one.delta(2, 0) is None


def test_without_a_direction_nothing_is_best_or_better() -> None:
    one = Outcome("m", None, (1.0, 2.0), (None, None))
    assert one.winners == frozenset()
    assert one.improves(one.delta(1, 0)) is None
    assert signed(one.delta(1, 0), one) == ("+1.00", "muted")


def test_what_is_no_number_wins_nothing() -> None:
    one = Outcome("loss", "min", (math.nan, 2.0, 3.0), (-math.inf, 2.0, 3.0))
    assert one.winners == {1}
    assert one.delta(1, 0) is None


def test_cells_say_baseline_best_and_sign() -> None:
    one = Outcome("acc", "max", (0.5, 0.8), (0.5, 0.8))
    assert best(one, 1) == ("✓ 0.8000", "good")
    assert best(one, 0) == ("0.5000", "")
    assert change(one, 0, 0) == ("baseline", "accent")
    assert change(one, 1, 0) == ("+0.300", "good")
    assert change(one, 0, 1) == ("-0.300", "bad")
    assert change(None, 0, 1) == ("–", "muted")


def test_the_first_metric_is_one_that_most_have_of_rows_not_learned_from() -> None:
    all_have = [summary("train/loss", 1), summary("validation/loss", 1), summary("validation/accuracy", 1)]
    rare = summary("test/accuracy", 1)
    assert main_metric(compare_runs([run("a", {}, rare, *all_have), run("b", {}, *all_have)])) == (
        "validation/accuracy"
    )
    assert main_metric(compare_runs([run("a")])) is None


def test_runs_that_differ_in_the_seed_alone_are_one_group() -> None:
    found = compare_runs([run(f"{lr}-{seed}", {"lr": lr, "seed": seed}) for lr in (10, 9) for seed in (0, 1)])
    assert [(one.label, one.places) for one in groups(found, ALIKE)] == [("lr=9", (2, 3)), ("lr=10", (0, 1))]
    assert [one.places for one in groups(found, "seed")] == [(0, 2), (1, 3)]
    assert ways(found) == [ALIKE, "lr", "seed"]
    only_seeds = compare_runs([run(str(seed), {"seed": seed}) for seed in range(3)])
    assert [(one.label, one.places) for one in groups(only_seeds, ALIKE)] == [("all alike", (0, 1, 2))]


def test_many_that_all_differ_are_grouped_by_a_setting_with_few_values() -> None:
    found = compare_runs([run(str(at), {"lr": at / 7, "width": at % 2 * 16}) for at in range(8)])
    assert usual_way(found) == "width"
    same = compare_runs([run(str(at), {"lr": at % 2, "seed": at}) for at in range(8)])
    assert usual_way(same) == ALIKE


def test_settings_that_cannot_be_sorted_or_hashed_are_grouped_all_the_same() -> None:
    odd = (None, [1, 2], True, "x", math.nan, 10**400)
    found = compare_runs([run(str(at), {"p": value}) for at, value in enumerate(odd)])
    assert sorted(place for one in groups(found, "p") for place in one.places) == list(range(6))


def test_mean_and_deviation_take_what_is_known() -> None:
    known = spread([1.0, 3.0, None, math.nan])
    assert (known.n, known.mean, known.deviation) == (2, 2.0, pytest.approx(math.sqrt(2)))
    assert spread([5.0]).deviation is None
    assert spread([None]).mean is None


def test_figures_too_large_for_a_mean_are_left_out_of_it() -> None:
    assert spread([1.7e308, 1.7e308]).mean is None
    found = spread([1.0, 3.0, -1.7e308, math.inf])
    assert (found.n, found.mean) == (2, 2.0)


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, "1"), (None, "–"), (True, 1), (False, 0), ("a" * 600 + "x", "a" * 600 + "y"), ([1], "[1]")],
)
def test_settings_that_look_alike_are_told_apart(one: object, other: object) -> None:
    found = compare_runs([run("a", {"p": one}), run("b", {"p": other}), run("c", {"p": one})])
    assert [diff.key for diff in found.different] == ["p"]
    assert sorted(group.places for group in groups(found, "p")) == [(0, 2), (1,)]
    assert len(found.different[0].distinct()) == 2
    assert sorted(count for _, count in found.different[0].counted()) == [1, 2]


@pytest.mark.parametrize(("one", "other"), [(math.nan, float("nan")), (1, 1.0), ({"a": 1}, {"a": 1})])
def test_settings_that_are_the_same_do_not_differ(one: object, other: object) -> None:
    found = compare_runs([run("a", {"p": [one], "q": one}), run("b", {"p": [one], "q": other})])
    assert found.different == ()


def test_runs_that_disagree_on_the_goal_have_no_best() -> None:
    runs = [run(str(at), {}, summary("m", at, at, goal)) for at, goal in enumerate(("max", "min", None))]
    assert compare_runs(runs).metrics[0].goal is None
    assert compare_runs([runs[0], runs[2]]).metrics[0].goal == "max", "those that have one agree"


def test_groups_are_ranked_by_mean_those_without_last() -> None:
    found = compare_runs(
        [
            run("a", {"p": 1}, summary("acc", 0.1, 0.1, "max")),
            run("b", {"p": 2}),
            run("c", {"p": 3}, summary("acc", 0.9, 0.9, "max")),
        ]
    )
    assert ranked(groups(found, "p"), found.outcome("acc")) == [2, 0, 1]


def test_a_chosen_baseline_way_and_metric_that_are_gone_fall_back() -> None:
    found = compare_runs([run("a", {"p": 1}, summary("m", 1.0)), run("b", {"p": 2})])
    compared = Compared(Chosen(("a", "b"), baseline="c", way="q", metric="z"), found)
    assert (compared.baseline, compared.way, compared.metric) == (0, "", "m")
    assert Compared(Chosen(("a", "b"), baseline="b", way="p"), found).baseline == 1
    assert without(Chosen(("a", "b"), baseline="b"), "b") == Chosen(("a",))


def test_of_too_many_groups_the_best_have_lines() -> None:
    runs = [run(str(at), {"p": at}, summary("acc", at, at, "max")) for at in range(9)]
    compared = Compared(Chosen(tuple(one.id for one in runs), way="p"), compare_runs(runs))
    assert compared.drawn == (8, 7, 6, 5, 4, 3)
    assert compared.marker(8) == ("●", "s0")
    assert compared.marker(0) == (" ", "")


def test_a_band_is_mean_and_deviation_where_runs_are() -> None:
    steps = np.arange(0, 101)
    x, y = band([(steps, np.full(101, 1.0)), (steps, np.full(101, 3.0)), (steps[:51], np.full(51, 2.0))])
    mean, low, high, again = y.reshape(-1, 4).T
    assert x[0] == 0
    assert x[-1] == 100
    np.testing.assert_allclose(mean, 2.0)
    np.testing.assert_allclose(again, mean)
    np.testing.assert_allclose((high - low)[x[::4] <= 50], 2.0)  # of 1, 2 and 3
    np.testing.assert_allclose((high - low)[x[::4] > 50], 2 * math.sqrt(2))  # of 1 and 3: the third has ended


def test_a_band_above_zero_stays_there_and_what_is_no_number_is_passed_over() -> None:
    _, y = band([([0, 1, 2], [0.1, math.nan, 0.1]), ([0, 2], [10.0, 10.0])])
    assert np.isfinite(y).all()
    assert (y > 0).all()
    assert len(band([([], [])])[0]) == 0
    assert len(band([([5], [1.0])])[0]) == 4
