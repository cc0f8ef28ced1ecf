"""What is fitted sees train alone; the test rows are touched for one candidate."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.trainer.compress_models import task_of, write_pictures

from cloudtui_trainer.compress.rows import CalibrationReader, Judge, LeakError, TrainRows
from cloudtui_trainer.errors import TrainerError


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    return task_of(write_pictures(tmp_path_factory.mktemp("rows") / "data"))


def without(tmp_path, split):
    sizes = {"train": 40, "validation": 20, "test": 20} | {split: 0}
    return task_of(write_pictures(tmp_path / "data", sizes))


@pytest.mark.parametrize("split", ["validation", "test"])
def test_nothing_is_fitted_on_what_judges(task, split):
    with pytest.raises(LeakError, match=f"fitted on the {split} rows"):
        TrainRows(task, split)


def test_a_calibration_reader_takes_no_other_source_of_rows(task):
    class Test:
        count = 160

        def sample(self, count, seed):
            return task.batch("test", np.arange(count))[0]

    with pytest.raises(LeakError, match="train and no others"):
        CalibrationReader(Test(), 64, 0, "pixels")


def test_calibration_reads_rows_of_train_each_once(task, tmp_path):
    reader = CalibrationReader(TrainRows(task), 256, 0, "pixels")
    read = []
    while (batch := reader.get_next()) is not None:
        read.append(batch["pixels"])
    assert [len(part) for part in read] == [64] * 4
    train = {row.tobytes() for row in task.batch("train", torch.arange(400))[0].numpy()}
    seen = [row.tobytes() for part in read for row in part]
    assert set(seen) <= train
    assert len(set(seen)) == 256


def test_the_test_rows_are_closed_until_one_is_chosen(task):
    judge = Judge(task)
    with pytest.raises(LeakError, match="chosen candidate alone"):
        next(judge.batches("test"))
    judge.open_test("int8")
    assert sum(len(truth) for _, truth in judge.batches("test")) == 160
    with pytest.raises(LeakError, match="already used for int8"):
        judge.open_test("prune50")


def test_a_dataset_without_train_rows_is_refused(tmp_path):
    with pytest.raises(TrainerError, match="no train rows"):
        TrainRows(without(tmp_path, "train"))


def test_a_dataset_without_validation_rows_is_refused(tmp_path):
    with pytest.raises(TrainerError, match="no validation rows"):
        Judge(without(tmp_path, "validation"))
