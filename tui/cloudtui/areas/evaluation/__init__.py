"""Evaluation: how good a model version is on the rows of a split, and where it errs."""
