"""What is told of pictures: those that come again, classes that differ, sizes and colours that do."""

from __future__ import annotations

import shutil

import pytest
from PIL import Image

from cloudtui_engine.data import build_dataset


@pytest.fixture
def told(pictures, into):
    """Prepare the folder of pictures; the texts of its findings by code."""

    def build():
        manifest = build_dataset(str(pictures), into, name="d")
        return {one["code"]: one["text"] for one in manifest.data["findings"]}

    return build


def test_pictures_that_are_all_different(told):
    assert set(told()) == {"small_test", "rare_classes"}


def test_a_picture_in_two_classes(told, pictures):
    shutil.copy(pictures / "cat" / "3.png", pictures / "dog" / "9.png")
    found = told()
    assert "1 pictures stand in more than one class" in found["contradicting"]
    assert "duplicates" in found or "duplicates_across_splits" in found


def test_pictures_that_come_again(told, pictures):
    for index in range(8):
        shutil.copy(pictures / "cat" / f"{index}.png", pictures / "cat" / f"{index}b.png")
    assert "8 pictures are the same as another one; " in told()["duplicates_across_splits"]


def test_sizes_and_colours_that_differ(told, pictures):
    Image.new("RGB", (20, 14), "red").save(pictures / "cat" / "0.png")
    found = told()
    assert "2 different sizes; all are cropped at the centre and resized to 12 x 12" in found["mixed_sizes"]
    assert "15 of 16 pictures are grey" in found["mixed_modes"]


def test_classes_that_differ_in_size(told, pictures):
    for index in range(100):
        Image.new("L", (12, 12), index + 20).save(pictures / "cat" / f"more{index}.png")
    assert "cat has 108 rows, dog 8" in told()["imbalanced"]
