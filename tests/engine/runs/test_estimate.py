"""How long a training will take."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cloudtui_engine.records.run import MetricSummary, Run, RunState
from cloudtui_engine.runs.estimate import Wanted, estimate, seconds_an_epoch

DONE = Run(
    "r1", "first", "train", RunState.SUCCEEDED, 1, ("box-1",), dataset_id="d1", model="cnn",
    progress={"epoch": 10, "epochs": 10}, duration_s=50.0,
)  # fmt: skip
WANTED = Wanted("d1", 1000, "cnn", "box-1", 20)
ROWS = {"d1": 1000, "d2": 500}


def test_the_same_data_model_and_machine_are_a_measurement() -> None:
    found = estimate(WANTED, [DONE], ROWS)
    assert (found.seconds, found.epoch_s, found.ground, found.run) == (100.0, 5.0, "measured", "first")
    assert found.usd(1.8) == pytest.approx(0.05)
    assert found.usd(None) is None


def test_the_newest_three_count_by_their_median() -> None:
    times = (80.0, 50.0, 60.0, 1000.0)
    runs = [replace(DONE, name=f"n{i}", duration_s=s) for i, s in enumerate(times)]
    found = estimate(WANTED, runs, ROWS)
    assert (found.epoch_s, found.run) == (6.0, "n0")


def test_other_data_are_scaled_by_rows() -> None:
    found = estimate(WANTED, [replace(DONE, dataset_id="d2")], ROWS)
    assert (found.epoch_s, found.ground) == (10.0, "scaled")


def test_a_measurement_comes_before_what_is_scaled() -> None:
    assert estimate(WANTED, [replace(DONE, dataset_id="d2"), DONE], ROWS).ground == "measured"


@pytest.mark.parametrize(
    "other",
    [
        replace(DONE, model="resnet"),
        replace(DONE, instances=("local",)),
        replace(DONE, status=RunState.FAILED),
        replace(DONE, kind="evaluate"),
        replace(DONE, attempt=2),
        replace(DONE, progress={}),
        replace(DONE, progress={"epoch": True}),
        replace(DONE, progress={"epoch": 0}),
        replace(DONE, duration_s=None),
        replace(DONE, dataset_id="gone"),
        replace(DONE, dataset_id=None),
    ],
)
def test_nothing_is_known_from_what_is_not_alike_or_not_whole(other: Run) -> None:
    found = estimate(WANTED, [other], ROWS)
    assert (found.seconds, found.ground, found.usd(1.0)) == (None, "none", None)


def test_a_last_word_without_epochs_is_made_up_for_by_validations() -> None:
    points = MetricSummary("validation/loss", "min", 5, 80, 0.1, 0.1, 80, 0.1, 0.3)
    run = replace(DONE, progress={"text": "Exporting"}, metrics={points.key: points})
    assert seconds_an_epoch(run) == 10.0


def test_an_epoch_shares_start_and_evaluation() -> None:
    assert seconds_an_epoch(DONE) == 5.0
