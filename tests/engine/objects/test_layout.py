"""Addresses that are typed, and keys that strangers chose."""

from __future__ import annotations

import pytest

from cloudtui_engine.errors import BadInputError, UsageError
from cloudtui_engine.objects.address import Address, parse
from cloudtui_engine.objects.layout import placed
from cloudtui_providers.stores import StoredObject

FOLDER = Address("s3", "b", "in/")


def paths(*keys: str, address: Address = FOLDER) -> list[str]:
    return [one.path for one in placed(address, [StoredObject(key, 1, "t") for key in keys])]


def test_what_is_an_address_and_what_is_none() -> None:
    assert parse("s3://b/in/x.csv") == Address("s3", "b", "in/x.csv")
    assert parse("S3://b") == Address("s3", "b", "")
    assert [one.is_folder for one in map(parse, ("s3://b", "s3://b/", "s3://b/x/", "s3://b/x")) if one] == [
        True, True, True, False,
    ]  # fmt: skip
    for other in ("digits", "./x.csv", "box-1:/data/x", "https://x.example/a.csv", "s3:/b/x"):
        assert parse(other) is None


def test_a_secret_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="Credentials") as raised:
        parse("s3://AKIA7CANARY:s3cret@b/x.csv")
    assert "s3cret" not in raised.value.message + raised.value.hint


def test_an_access_point_is_named_by_its_alias() -> None:
    with pytest.raises(UsageError, match="access point") as raised:
        parse("s3://arn:aws:s3:us-west-2:123456789012:accesspoint/mine/x.csv")
    assert "alias" in raised.value.hint


@pytest.mark.parametrize("source", ["s3://", "s3:///x", "s3://b\x1b[31m/x", f"s3://b/{'x' * 1025}"])
def test_what_names_no_bucket_is_refused(source: str) -> None:
    with pytest.raises(UsageError, match="no bucket"):
        parse(source)


def test_another_store_says_which_there_are() -> None:
    with pytest.raises(UsageError, match="gs://") as raised:
        parse("gs://b/x.csv")
    assert "s3://" in raised.value.hint


def test_keys_are_paths_below_the_folder_and_its_own_marks_are_none() -> None:
    objects = [
        StoredObject("in/", 0, "t"),
        StoredObject("in/cat/", 0, "t"),
        StoredObject("in/cat/1.png", 5, "t"),
    ]
    assert [one.path for one in placed(FOLDER, objects)] == ["cat/1.png"]
    assert paths("in/..x", "in/.hidden", "in/a b", "in/ä") == ["..x", ".hidden", "a b", "ä"]
    assert paths("in/x.csv", address=Address("s3", "b", "in/x.csv")) == ["x.csv"]
    assert paths("x.csv", address=Address("s3", "b", "x.csv")) == ["x.csv"]
    assert paths("a/x", address=Address("s3", "b", "")) == ["a/x"]


@pytest.mark.parametrize(
    "key",
    [
        "in/../up", "in/a/../../up", "in/./a", "in//etc/passwd", "in/a//b", "in/a\x00b", "in/a\nb",
        "in/a\x1b[2Jb",
        "in/..\\up", "in/a/", f"in/{'x' * 256}", "in/" + "d/" * 40 + "x", "in/\udce4",
    ],
)  # fmt: skip
def test_a_key_that_is_no_path_here_refuses_the_whole(key: str) -> None:
    with pytest.raises(BadInputError, match="cannot be a file here") as raised:
        paths("in/good", key)
    assert raised.value.message.isprintable()


@pytest.mark.parametrize(
    ("first", "second"),
    [("in/a", "in/a/b"), ("in/A.png", "in/a.png"), ("in/A/x", "in/a"), ("in/\u00e4", "in/a\u0308")],
)
def test_two_that_would_be_one_file_are_refused(first: str, second: str) -> None:
    with pytest.raises(BadInputError, match="would be one file here"):
        paths(first, second)
