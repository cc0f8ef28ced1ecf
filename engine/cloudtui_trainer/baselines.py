"""What is shown beside a model: how good simple ways are on the same rows, learned from the train rows.

For tables scikit-learn's boosting and its linear model, where it is on the host; for pictures the most
frequent class.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from cloudtui_trainer import reports
from cloudtui_trainer.recorder import Recorder
from cloudtui_trainer.reports.regression import figures
from cloudtui_trainer.tasks.base import Task

MOST_ROWS = 50_000
"""Of train that a baseline learns from."""
_MOST_WORDS = 255
"""Of a category that scikit-learn's boosting takes as one."""
_SHOWN = ("accuracy", "macro_f1", "loss", "auc")


def beside(task: Task, splits: Sequence[str], recorder: Recorder | None = None) -> dict[str, dict[str, Any]]:
    """For each split: `baselines`, each a name and metrics, and perhaps `baselines_note`."""
    if recorder:
        recorder.progress(now=True, text="Computing the baselines")
    about = task.exported()
    if about["features"]["kind"] != "tabular":
        return _most_frequent(task, splits, about["labels"])
    if importlib.util.find_spec("sklearn") is None:
        note = "There is no baseline: this host has no scikit-learn. pip install scikit-learn"
        return {split: {"baselines": [], "baselines_note": note} for split in splits}
    return _of_tables(task, splits, about)


def _most_frequent(task: Task, splits: Sequence[str], labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    counts = np.bincount(task.targets("train"), minlength=len(labels))
    with np.errstate(divide="ignore"):
        logits = np.log((counts + 1) / (counts.sum() + len(labels)))
    found = {}
    for split in splits:
        truth = task.targets(split)
        metrics = reports.classification(np.tile(logits, (len(truth), 1)), truth, labels)["metrics"]
        name = f"always {labels[int(counts.argmax())]}"
        found[split] = {"baselines": [{"name": name, "metrics": _shown(metrics)}]}
    return found


def _of_tables(task: Task, splits: Sequence[str], about: dict[str, Any]) -> dict[str, dict[str, Any]]:
    x, y = _all(task, "train")
    notes = []
    if len(x) > MOST_ROWS:
        chosen = np.sort(np.random.default_rng(0).permutation(len(x))[:MOST_ROWS])
        x, y = x[chosen], y[chosen]
        notes.append(f"The baselines learned from {MOST_ROWS:,} of the {task.rows('train'):,} train rows.")
    is_number = about["target"]["kind"] == "number"
    found: dict[str, dict[str, Any]] = {split: {"baselines": []} for split in splits}
    for name, model in _estimators(about["features"]["columns"], is_number):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that logistic regression has not quite converged
            try:
                model.fit(x, y)
            except ValueError as error:  # no rows, one class, a class of one row: no reason to lose a run
                notes.append(f"There is no {name}: {str(error).splitlines()[0]}")
                continue
        for split in splits:
            metrics = _measured(model, *_all(task, split), about)
            found[split]["baselines"].append({"name": name, "metrics": metrics})
    note = {"baselines_note": " ".join(notes)} if notes else {}
    return {split: entry | note for split, entry in found.items()}


def _estimators(columns: Sequence[dict[str, Any]], is_number: bool) -> list[tuple[str, Any]]:
    """Boosting as it comes, and the linear model over standardised numbers and a column a category."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [at for at, column in enumerate(columns) if column["kind"] == "number"]
    words = [at for at, column in enumerate(columns) if column["kind"] == "category"]
    few = [at for at in words if len(columns[at]["vocabulary"]) < _MOST_WORDS]
    boosting = HistGradientBoostingRegressor if is_number else HistGradientBoostingClassifier
    plain = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    prepared = make_column_transformer((plain, numbers), (OneHotEncoder(handle_unknown="ignore"), words))
    linear = LinearRegression() if is_number else LogisticRegression(max_iter=1000)
    return [
        ("scikit-learn boosting", boosting(categorical_features=few or None, random_state=0)),
        (f"scikit-learn {'linear' if is_number else 'logistic'} regression", make_pipeline(prepared, linear)),
    ]


def _measured(model: Any, x: npt.NDArray[Any], y: npt.NDArray[Any], about: dict[str, Any]) -> dict[str, Any]:
    if not len(x):
        return {}
    if about["target"]["kind"] == "number":
        return figures(model.predict(x), y, float(about["features"]["target"]["std"]))
    labels = about["labels"]
    shares = np.zeros((len(x), len(labels)))
    # A class that train has not gets no share; of one class alone, boosting gives a second column.
    shares[:, model.classes_] = model.predict_proba(x)[:, : len(model.classes_)]
    logits = np.log(np.maximum(shares, 1e-15))
    return _shown(reports.classification(logits, y, labels)["metrics"])


def _shown(metrics: dict[str, Any]) -> dict[str, Any]:
    return {key: metrics[key] for key in _SHOWN if key in metrics}


def _all(task: Task, split: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Raw rows and targets of a whole split."""
    rows = task.batch(split, torch.arange(task.rows(split)))[0]
    return rows.cpu().numpy(), task.targets(split)
