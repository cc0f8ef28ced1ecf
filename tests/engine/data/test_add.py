"""Adding to the catalog, and what is said of sources that are not there."""

from __future__ import annotations

import pytest

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.data import add_dataset, verify
from cloudtui_engine.errors import BadInputError, UsageError
from cloudtui_engine.paths import Paths


@pytest.fixture
def catalog(tmp_path):
    opened = Catalog.open(Paths(tmp_path / "home"))
    yield opened
    opened.close()


def test_versions_count_up_only_when_the_content_changes(catalog, pictures):
    first = add_dataset(catalog, "pets", str(pictures))
    assert (first.name, first.version, first.task) == ("pets", 1, "image")
    assert first.splits == {"train": 11, "validation": 2, "test": 3} or sum(first.splits.values()) == 16
    assert add_dataset(catalog, "pets", str(pictures)).id == first.id
    (pictures / "cat" / "0.png").unlink()
    second = add_dataset(catalog, "pets", str(pictures))
    assert second.version == 2
    assert catalog.datasets.find("pets").id == second.id
    assert verify(catalog.paths.data / second.sha256).sha256 == second.sha256


def test_arrays_that_were_removed_are_made_again(catalog, pictures):
    first = add_dataset(catalog, "pets", str(pictures))
    folder = catalog.paths.data / first.sha256
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    assert add_dataset(catalog, "pets", str(pictures)).id == first.id
    assert verify(folder)


@pytest.mark.parametrize("name", ["", "a/b", "pets@2", "../x", "-x", "a" * 65, "x\n"])
def test_names_that_cannot_be(catalog, name):
    with pytest.raises(UsageError, match="cannot be named"):
        add_dataset(catalog, name, "digits")


def test_a_missing_file_names_what_is_near(catalog, pictures):
    with pytest.raises(BadInputError) as caught:
        add_dataset(catalog, "pets", str(pictures.with_name("picture")))
    assert "pictures" in caught.value.hint


def test_a_missing_built_in_names_what_is_near(catalog):
    with pytest.raises(BadInputError) as caught:
        add_dataset(catalog, "d", "digit")
    assert "digits" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a.7z", "archive"),
        ("a.zip", "unpacked"),
        ("a.tgz", "unpacked"),
        ("a.xlsx", "a table"),
        ("a.txt", "neither a table"),
    ],
)
def test_files_of_other_kinds(catalog, tmp_path, name, why):
    (tmp_path / name).write_text("x")
    with pytest.raises(BadInputError, match=why):
        add_dataset(catalog, "d", str(tmp_path / name))


@pytest.mark.parametrize("source", ["s3://bucket/x", "a\0b", "x" * 5000, ""])
def test_sources_that_are_no_path(catalog, source):
    with pytest.raises(BadInputError):
        add_dataset(catalog, "d", source)
