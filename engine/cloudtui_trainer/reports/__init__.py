"""The arithmetic of evaluations. Numpy alone."""

from __future__ import annotations

from cloudtui_trainer.reports.classification import MOST_ERRORS, classification
from cloudtui_trainer.reports.intervals import wilson
from cloudtui_trainer.reports.regression import regression
from cloudtui_trainer.reports.scores import area_under_curve, cross_entropy, probabilities

__all__ = [
    "MOST_ERRORS",
    "area_under_curve",
    "classification",
    "cross_entropy",
    "probabilities",
    "regression",
    "wilson",
]
