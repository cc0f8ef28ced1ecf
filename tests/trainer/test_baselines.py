"""What is shown beside a model: where scikit-learn is there, where it is not, where there are many rows."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from tests.trainer import tables

from cloudtui_trainer import baselines
from cloudtui_trainer.tasks.image import ImageParams, ImageTask
from cloudtui_trainer.tasks.tabular import TabularParams, TabularTask

CPU = torch.device("cpu")


@pytest.fixture
def diabetes(tmp_path):
    return TabularTask(tmp_path / tables.diabetes(tmp_path), TabularParams(), CPU)


def test_the_linear_baseline_is_scikit_learns_own(diabetes):
    (boosting, linear) = baselines.beside(diabetes, ("test",))["test"]["baselines"]
    x, y, rows = (diabetes.store.batch(*which)[part].numpy() for which, part in _parts(diabetes))
    predicted = LinearRegression().fit(x, y).predict(rows)
    rmse = np.sqrt(((predicted - diabetes.targets("test")) ** 2).mean())
    assert linear["metrics"]["rmse"] == pytest.approx(rmse, rel=1e-4)
    assert boosting["metrics"]["rmse"] != linear["metrics"]["rmse"]


def _parts(task):
    train, test = (torch.arange(task.rows(split)) for split in ("train", "test"))
    return [(("train", train), 0), (("train", train), 1), (("test", test), 0)]


def test_without_scikit_learn_there_is_a_note(diabetes, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    found = baselines.beside(diabetes, ("validation", "test"))
    assert set(found) == {"validation", "test"}
    assert found["test"]["baselines"] == []
    assert "pip install scikit-learn" in found["test"]["baselines_note"]


def test_many_rows_are_thinned_and_it_is_told(diabetes, monkeypatch):
    whole = baselines.beside(diabetes, ("test",))["test"]
    assert "baselines_note" not in whole
    monkeypatch.setattr(baselines, "MOST_ROWS", 100)
    few = baselines.beside(diabetes, ("test",))["test"]
    assert few["baselines_note"] == "The baselines learned from 100 of the 309 train rows."
    assert few["baselines"] != whole["baselines"]


def test_words_beyond_what_scikit_learn_takes_do_not_stop_it(tmp_path):
    chance = np.random.default_rng(0)
    words = [f"w{number % 300}" for number in range(900)]
    columns = {"many": words, "gap": [None if n % 9 == 0 else float(n) for n in range(900)]}
    kinds = [("yes", "no")[bit] for bit in chance.integers(0, 2, 900)]
    task = TabularTask(tmp_path / tables.write_table(tmp_path, columns, kinds), TabularParams(), CPU)
    found = baselines.beside(task, ("test",))["test"]["baselines"]
    assert [set(entry["metrics"]) for entry in found] == [{"accuracy", "macro_f1", "loss", "auc"}] * 2


def test_one_class_alone_leaves_out_the_linear_model_and_says_so(tmp_path):
    sha = tables.write_table(tmp_path, {"a": [float(n % 7) for n in range(60)]}, ["a"] * 60)
    task = TabularTask(tmp_path / sha, TabularParams(), CPU)
    found = baselines.beside(task, ("test",))["test"]
    assert [(e["name"], e["metrics"]["accuracy"]) for e in found["baselines"]] == [
        ("scikit-learn boosting", 1)
    ]
    assert "There is no scikit-learn logistic regression: This solver needs" in found["baselines_note"]


def test_a_class_of_one_row_among_many_leaves_out_boosting_and_says_so(tmp_path, monkeypatch):
    """Of more than 10,000 rows scikit-learn's boosting holds some back, class by class."""
    kinds = ["abc"[n % 3] for n in range(16_000)]
    sha = tables.write_table(tmp_path, {"a": [float(n % 7) for n in range(16_000)]}, kinds, shares=(0.8, 0.1))
    task = TabularTask(tmp_path / sha, TabularParams(), CPU)
    once = task.targets("train") % 2
    once[0] = 2
    monkeypatch.setitem(task._truth, "train", once)
    found = baselines.beside(task, ("test",))["test"]
    assert [entry["name"] for entry in found["baselines"]] == ["scikit-learn logistic regression"]
    assert "There is no scikit-learn boosting: The least populated class" in found["baselines_note"]


def test_of_pictures_it_is_the_most_frequent_class(datasets):
    folder, sha = datasets
    task = ImageTask(folder / sha, ImageParams(), CPU)
    (entry,) = baselines.beside(task, ("test",))["test"]["baselines"]
    most = np.bincount(task.targets("train")).argmax()
    assert entry["name"] == f"always {most}"
    assert entry["metrics"]["accuracy"] == pytest.approx((task.targets("test") == most).mean())
