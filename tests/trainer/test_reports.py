"""The arithmetic of evaluations, against scikit-learn's."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from cloudtui_trainer.recorder import without_nan
from cloudtui_trainer.reports import classification, cross_entropy, wilson


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
    assert report["metrics"]["macro_f1"] == pytest.approx(f1.mean())
    assert report["metrics"]["macro_precision"] == pytest.approx(precision.mean())
    assert report["metrics"]["macro_recall"] == pytest.approx(recall.mean())
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
