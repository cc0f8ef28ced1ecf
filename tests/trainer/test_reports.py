"""The arithmetic of evaluations, against scikit-learn's."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from cloudtui_host.journal import MAX_LINE, decode_line
from cloudtui_trainer.recorder import Recorder, without_nan
from cloudtui_trainer.reports import area_under_curve, classification, cross_entropy, regression, wilson
from cloudtui_trainer.reports.calibration import calibration
from cloudtui_trainer.reports.intervals import bootstrap


@settings(max_examples=60)
@given(st.integers(2, 6), st.integers(1, 80), st.integers(0, 2**32 - 1), st.booleans())
def test_as_scikit_learn_has_it(count, rows, seed, few):
    chance = np.random.default_rng(seed)
    truth = chance.integers(0, max(1, count - few), rows)
    logits = chance.normal(size=(rows, count)).astype(np.float32) * 3
    predicted = logits.argmax(1)
    labels = [f"c{number}" for number in range(count)]
    report = classification(logits, truth, labels)
    everything = list(range(count))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=everything, zero_division=0
    )
    assert report["confusion"] == metrics.confusion_matrix(truth, predicted, labels=everything).tolist()
    assert report["metrics"]["accuracy"] == pytest.approx(metrics.accuracy_score(truth, predicted))
    means = metrics.precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)[:3]
    assert [report["metrics"][f"macro_{key}"] for key in ("precision", "recall", "f1")] == pytest.approx(
        means
    )
    assert [entry["f1"] for entry in report["classes"]] == pytest.approx(f1.tolist())
    assert [entry["precision"] for entry in report["classes"]] == pytest.approx(precision.tolist())
    assert [entry["recall"] for entry in report["classes"]] == pytest.approx(recall.tolist())
    assert [entry["support"] for entry in report["classes"]] == support.tolist()
    shares = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(1, keepdims=True)
    assert report["metrics"]["loss"] == pytest.approx(
        metrics.log_loss(truth, shares, labels=everything), rel=1e-5
    )
    low, high = report["confidence"]["accuracy"]
    assert 0 <= low <= report["metrics"]["accuracy"] <= high <= 1
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_classes_that_these_rows_lack_take_nothing_from_a_model_without_mistakes():
    report = classification(np.eye(4)[[0, 1, 1]], np.array([0, 1, 1]), list("abcd"))
    assert {report["metrics"][f"macro_{key}"] for key in ("precision", "recall", "f1")} == {1.0}
    assert [entry["support"] for entry in report["classes"]] == [1, 2, 0, 0]


def test_mistakes_are_the_most_certain_first_and_at_most_a_hundred():
    chance = np.random.default_rng(0)
    logits, truth = chance.normal(size=(500, 3)), chance.integers(0, 3, 500)
    errors = classification(logits, truth, list("abc"))["errors"]
    assert len(errors) == 100
    assert [error["confidence"] for error in errors] == sorted(
        (e["confidence"] for e in errors), reverse=True
    )
    for error in errors:
        assert error["truth"] == "abc"[truth[error["index"]]] != error["predicted"]
        assert error["predicted"] == "abc"[logits[error["index"]].argmax()]


def test_the_wilson_interval_is_the_published_one():
    assert wilson(81, 263) == pytest.approx([0.2553, 0.3662], abs=5e-5)  # Newcombe 1998, table I
    assert wilson(0, 20) == pytest.approx([0.0, 0.1611], abs=5e-5)
    assert wilson(0, 0) == [0.0, 1.0]


def test_huge_logits_do_not_overflow():
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]], dtype=np.float32)
    assert cross_entropy(logits, np.array([0, 1])) == 0
    assert cross_entropy(logits, np.array([1, 1])) == 1e4


def test_json_has_no_nan():
    assert without_nan({"a": [math.nan, 1.0, {"b": math.inf}]}) == {"a": [None, 1.0, {"b": None}]}


@given(st.integers(2, 60), st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_the_area_under_the_curve_is_scikit_learns_with_ties(rows, levels, seed):
    chance = np.random.default_rng(seed)
    truth, scores = chance.integers(0, 2, rows), chance.integers(0, levels, rows).astype(np.float32)
    logits = np.stack([-scores, scores], 1)
    if len(set(truth.tolist())) < 2:
        assert math.isnan(area_under_curve(logits, truth))
        assert "auc" not in classification(logits, truth, ["a", "b"])["metrics"]
    else:
        expected = metrics.roc_auc_score(truth, scores)
        assert area_under_curve(logits, truth) == pytest.approx(expected)
        assert area_under_curve(logits, 1 - truth) == pytest.approx(1 - expected)


@given(st.integers(1, 200), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_calibration_bins_hold_every_row_once_and_give_the_error(rows, count, seed):
    chance = np.random.default_rng(seed)
    logits, truth = chance.normal(size=(rows, count)) * 4, chance.integers(0, count, rows)
    report = classification(logits, truth, [str(number) for number in range(count)])
    bins = report["calibration"]
    assert (len(bins), sum(b["n"] for b in bins)) == (15, rows)
    assert [b["low"] for b in bins[1:]] == [b["high"] for b in bins[:-1]]
    filled = [b for b in bins if b["n"]]
    assert all(b["low"] < b["confidence"] <= b["high"] + 1e-12 for b in filled)
    assert sum(b["n"] * b["accuracy"] for b in filled) == pytest.approx(report["metrics"]["accuracy"] * rows)
    gap = sum(b["n"] * abs(b["accuracy"] - b["confidence"]) for b in filled) / rows
    assert report["metrics"]["ece"] == pytest.approx(gap)


def test_a_model_that_is_right_as_often_as_it_says_has_no_calibration_error():
    logits = np.log(np.tile([0.75, 0.25], (8, 1)))
    assert classification(logits, np.array([0, 0, 0, 0, 0, 0, 1, 1]), "ab")["metrics"]["ece"] < 1e-12
    assert classification(logits, np.zeros(8, int), "ab")["metrics"]["ece"] == pytest.approx(0.25)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 120), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1e6]))
def test_figures_of_regression_are_scikit_learns(rows, seed, far):
    chance = np.random.default_rng(seed)
    truth = chance.normal(size=rows) + far
    predicted = truth + chance.normal(size=rows)
    report = regression(predicted, truth, 2.0)
    found = report["metrics"]
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(truth, predicted))
    assert found["rmse"] == pytest.approx(metrics.root_mean_squared_error(truth, predicted))
    assert found["r2"] == pytest.approx(metrics.r2_score(truth, predicted), rel=1e-6)
    assert found["loss"] == pytest.approx(found["rmse"] ** 2 / 4)
    for key, (low, high) in report["confidence"].items():
        assert low <= high
        assert rows < 30 or low <= found[key] <= high
    assert sum(b["n"] for b in report["residuals"]) == rows
    off = [abs(e["predicted"] - e["truth"]) for e in report["errors"]]
    assert len(off) == min(rows, 100)
    assert all(left >= right - 1e-5 - 2e-6 * far for left, right in itertools.pairwise(off))  # 7 digits
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_the_bootstrap_is_seeded_and_as_wide_as_theory_says(monkeypatch):
    values = np.random.default_rng(3).normal(size=(4000, 1))
    (first,) = bootstrap(values, lambda means: means)
    assert bootstrap(values, lambda means: means) == [first]
    assert bootstrap(values, lambda means: means, seed=1) != [first]
    assert first[1] - first[0] == pytest.approx(2 * 1.96 * values.std() / math.sqrt(4000), rel=0.06)
    monkeypatch.setattr("cloudtui_features.resampling._AT_ONCE", 10_000)  # piece by piece
    (pieces,) = bootstrap(values, lambda means: means)
    assert pieces == pytest.approx(first, abs=0.2 * (first[1] - first[0]))


def test_numbers_that_make_no_figure():
    same = regression(np.array([1.0, 2.0]), np.array([5.0, 5.0]), 1.0)
    assert math.isnan(same["metrics"]["r2"])
    assert all(math.isnan(end) for end in same["confidence"]["r2"])
    assert without_nan(same)["confidence"]["mae"] == pytest.approx([3.0, 4.0])
    none = regression(np.zeros(0), np.zeros(0), 1.0)
    assert (none["n"], none["errors"], none["residuals"]) == (0, [], [])
    assert math.isnan(none["metrics"]["mae"])


def test_a_confidence_on_the_edge_of_two_bins_is_in_the_lower_one():
    bins, _ = calibration(np.array([0.2, 0.21, 1.0, 0.0]), np.ones(4, dtype=bool))
    assert [number for number, entry in enumerate(bins) if entry["n"]] == [0, 2, 3, 14]


@pytest.mark.parametrize(
    ("classes", "left_out"), [(10, set()), (800, {"confusion"}), (20_000, {"confusion", "classes"})]
)
def test_a_report_of_many_classes_is_told_without_what_no_line_holds(tmp_path, classes, left_out):
    labels = [f"class {number}" for number in range(classes)]
    truth = np.arange(100) % 10
    with Recorder(tmp_path / "journal.jsonl") as recorder:
        report = classification(np.eye(10)[truth], truth, labels[:10])
        wide = {"confusion": [[0] * min(classes, 800)] * min(classes, 800)}
        each = [{**report["classes"][0], "label": label} for label in labels]
        recorder.report("evaluation/test", {**report, **wide, "classes": each})
    (line,) = (tmp_path / "journal.jsonl").read_bytes().splitlines(keepends=True)
    assert len(line) <= MAX_LINE
    told = decode_line(line.rstrip(b"\n"))["data"]
    assert {table for table in ("confusion", "classes") if told.get(f"{table}_left_out")} == left_out
    assert told["metrics"] == report["metrics"]
