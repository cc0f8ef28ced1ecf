"""Folders of pictures: every mode, every size, and everything that can be wrong with them."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from cloudtui_engine.data import build_dataset
from cloudtui_engine.data.pictures import decode
from cloudtui_engine.errors import BadInputError


def build(source, into):
    return build_dataset(str(source), into, name="d")


def test_small_pictures_of_one_size_stay_as_they_are(pictures, into):
    manifest = build(pictures, into)
    assert manifest.data["input"]["shape"] == [1, 12, 12]
    assert manifest.classes == ("cat", "dog")
    assert manifest.data["features"]["mode"] == "L"


def test_one_picture_in_colour_makes_all_of_them_so(pictures, into):
    Image.new("RGB", (12, 12), "red").save(pictures / "cat" / "0.png")
    assert build(pictures, into).data["input"]["shape"] == [3, 12, 12]


def test_sizes_that_differ_become_a_square_of_the_median_side(pictures, into):
    Image.new("L", (40, 30)).save(pictures / "cat" / "0.png")
    assert build(pictures, into).data["input"]["shape"] == [1, 12, 12]


def test_large_pictures_become_64_wide(pictures, into):
    for path in pictures.rglob("*.png"):
        Image.new("L", (200, 100), 9).save(path)
    manifest = build(pictures, into)
    assert manifest.data["input"]["shape"] == [1, 64, 64]
    assert manifest.data["features"]["resize"] == "centre-crop"


def test_given_splits_are_kept_and_missing_ones_are_drawn(pictures, into):
    train = pictures.rename(pictures.with_name("train"))
    root = train.parent / "root"
    root.mkdir()
    train.rename(root / "train")
    for label in ("cat", "dog"):
        (root / "test" / label).mkdir(parents=True)
        Image.new("L", (12, 12), 3).save(root / "test" / label / "t.png")
    assert build(root, into).splits == {"train": 14, "validation": 2, "test": 2}
    (root / "test" / "bird").mkdir()
    Image.new("L", (12, 12)).save(root / "test" / "bird" / "b.png")
    with pytest.raises(BadInputError, match="bird has no pictures to train on"):
        build(root, into)


def test_class_ten_comes_after_class_nine(pictures, into):
    (pictures / "cat").rename(pictures / "10")
    (pictures / "dog").rename(pictures / "9")
    assert build(pictures, into).classes == ("9", "10")


def test_links_are_followed_and_a_circle_is_not(pictures, into, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    (pictures / "cat").rename(elsewhere)
    (pictures / "cat").symlink_to(elsewhere)
    (elsewhere / "again").symlink_to(elsewhere)
    (pictures / "dog" / "linked.png").symlink_to(elsewhere / "0.png")
    assert sum(build(pictures, into).splits.values()) == 17


def test_hidden_and_other_files_are_left_out(pictures, into):
    (pictures / "cat" / "notes.txt").write_text("x")
    (pictures / "cat" / "._0.png").write_bytes(b"x")
    (pictures / ".cache").mkdir()
    assert sum(build(pictures, into).splits.values()) == 16


def truncated(folder):
    path = folder / "cat" / "1.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-3000])


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / "cat" / "0.png").write_bytes(b"hello"), r"cat/0.png \(not a picture\)"),
        (lambda folder: (folder / "cat" / "0.png").write_bytes(b""), r"cat/0.png \(not a picture\)"),
        (truncated, r"cat/1.jpg \(image file is truncated"),
        (lambda folder: (folder / "dog" / "x.png").symlink_to("nowhere"), r"dog/x.png \(no such file"),
        (lambda folder: Image.new("F", (12, 12)).save(folder / "cat" / "f.tiff"), "floating-point"),
        (lambda folder: (folder / "bird").mkdir(), "bird has no pictures"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_left(pictures, into, spoil, why):
    spoil(pictures)
    with pytest.raises(BadInputError, match=why):
        build(pictures, into)
    assert not into.exists() or list(into.iterdir()) == []


def test_the_number_of_further_bad_files_is_told(pictures, into):
    for index in range(3):
        (pictures / "cat" / f"{index}.png").write_bytes(b"hello")
    with pytest.raises(BadInputError, match=r"cat/0.png \(not a picture\), and 2 more"):
        build(pictures, into)


def test_a_name_from_outside_cannot_steer_the_terminal(pictures, into):
    (pictures / "cat" / "\x1b[2Jx.png").write_bytes(b"hello")
    with pytest.raises(BadInputError) as caught:
        build(pictures, into)
    assert "\x1b" not in caught.value.message


def test_too_many_pixels_are_refused(pictures, into, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(BadInputError, match="too many pixels"):
        build(pictures, into)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_are_named(pictures, into):
    (pictures / "cat" / "0.png").chmod(0)
    with pytest.raises(BadInputError, match=r"cat/0\.png"):
        build(pictures, into)


def test_folders_without_classes(tmp_path, into):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInputError, match="no class folders"):
        build(tmp_path / "empty", into)
    Image.new("L", (12, 12)).save(tmp_path / "empty" / "a.png")
    with pytest.raises(BadInputError, match="lie in no class folder"):
        build(tmp_path / "empty", into)


def test_one_class_and_too_few_rows(pictures, into, tmp_path):
    (pictures / "dog").rename(tmp_path / "dog")
    with pytest.raises(BadInputError, match="only 8 rows"):
        build(pictures, into)
    for index in range(8):
        (pictures / "cat" / f"{index}b.png").write_bytes((pictures / "cat" / f"{index}.png").read_bytes())
    with pytest.raises(BadInputError, match="only one class, cat"):
        build(pictures, into)


WHITE = {
    "1": 1, "L": 255, "P": "white", "LA": (255, 255), "RGB": "white", "RGBA": "white", "CMYK": (0, 0, 0, 0),
    "I;16": 65535, "I": 65535, "YCbCr": (255, 128, 128),
}  # fmt: skip


@pytest.mark.parametrize("mode", WHITE)
def test_every_mode_becomes_bytes(tmp_path, mode):
    path = tmp_path / ("p.tiff" if mode in {"CMYK", "I", "YCbCr"} else "p.png")
    Image.new(mode, (8, 8), WHITE[mode]).save(path)
    for wanted in ("L", "RGB"):
        pixels = decode(path, wanted, (8, 8))
        assert pixels.shape == (1 if wanted == "L" else 3, 8, 8)
        assert pixels.min() >= 254


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path):
    Image.fromarray(np.full((8, 8), 32896, dtype=np.uint16)).save(tmp_path / "p.png")
    assert np.unique(decode(tmp_path / "p.png", "L", (8, 8))).tolist() == [128]


def test_what_is_transparent_becomes_white(tmp_path):
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "p.png")
    assert decode(tmp_path / "p.png", "RGB", (8, 8)).min() == 255


def test_a_photo_is_turned_as_its_camera_says(tmp_path):
    picture = Image.new("L", (16, 8), 0)
    picture.paste(255, (0, 0, 8, 8))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "p.jpg", exif=exif, quality=95)
    pixels = decode(tmp_path / "p.jpg", "L", (8, 16))[0]
    assert pixels[:6].min() > 200
    assert pixels[10:].max() < 50
