"""CSV files as they come: every way to write one, and everything that can be wrong with it."""

from __future__ import annotations

import codecs
import gzip
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloudtui_engine.data import Wishes, build_dataset, csv_files
from cloudtui_engine.errors import BadInputError, UsageError

ROWS = [(f"{n}.5", ("red", "green", "blue")[n % 3], n * n % 7, ("no", "yes")[n % 2]) for n in range(40)]
HEADER = ("size", "colour", "count", "good")


def text_of(rows, delimiter=",", end="\n"):
    return "".join(delimiter.join(str(cell) for cell in row) + end for row in rows)


@pytest.fixture
def build(tmp_path, into):
    """Write a file and prepare it."""

    def write(content, name="t.csv", **wishes):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return build_dataset(str(path), into, name="d", wishes=Wishes(**wishes))

    return write


def shards(into, manifest):
    folder = into / manifest.sha256
    return {split: np.load(folder / f"{split}-x.npy").tobytes() for split in manifest.splits}


def names(manifest):
    return [column["name"] for column in manifest.data["columns"]]


def codes(manifest):
    return {finding["code"] for finding in manifest.data["findings"]}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.tsv", text_of([HEADER, *ROWS], "\t").encode()),
        ("t.csv", text_of([HEADER, *ROWS], ";").encode()),
        ("t.csv", text_of([HEADER, *ROWS], "|").encode()),
        ("t.csv", text_of([HEADER, *ROWS], ", ").encode()),
        ("t.csv", text_of([HEADER, *ROWS], end="\r\n").encode()),
        ("t.csv", text_of([HEADER, *ROWS], end="\n\n").encode()),
        ("t.csv", codecs.BOM_UTF8 + text_of([HEADER, *ROWS]).encode()),
        ("t.csv.gz", gzip.compress(text_of([HEADER, *ROWS]).encode())),
        ("t.csv", text_of([HEADER, *ROWS]).replace("red", '"red"').rstrip("\n").encode()),
        ("t.csv", text_of([HEADER, *ROWS], ", ").replace("red", '"red"').encode()),
    ],
)
def test_one_table_in_many_hands(build, into, name, content):
    plain = build(text_of([HEADER, *ROWS]), "plain.csv")
    other = build(content, name)
    assert shards(into, other) == shards(into, plain)
    assert other.data["features"] == plain.data["features"]
    assert names(other) == ["size", "colour", "count"]
    assert other.data["target"] == {"name": "good", "kind": "classes"}


def test_lines_and_separators_in_quotes(build, into):
    rows = [(n, '"a,\nb"' if n % 2 else '"say ""c"""', ("no", "yes")[n % 3 == 0]) for n in range(40)]
    manifest = build(text_of([("n", "w", "y"), *rows]))
    assert manifest.data["features"]["columns"][-1]["vocabulary"] in (
        ["a,\nb", 'say "c"'],
        ['say "c"', "a,\nb"],
    )


def test_latin_1_is_read_and_told(build):
    manifest = build(text_of([HEADER, *ROWS]).replace("green", "grün").encode("latin-1"))
    assert "encoding" in codes(manifest)
    assert "grün" in manifest.data["features"]["columns"][1]["vocabulary"]
    assert manifest.data["source"]["encoding"] == "latin-1"


def test_latin_1_far_into_the_file_is_read_too(build):
    many = text_of([HEADER, *ROWS * 600])
    assert len(many) > 256 * 1024
    manifest = build((many + "1.5,gelb,2,yes\n1.5,grün,3,no\n").encode("latin-1"))
    assert "encoding" in codes(manifest)


@pytest.mark.parametrize("by", ["good", "4"])
def test_columns_by_name_and_by_number(build, by):
    manifest = build(text_of([HEADER, *ROWS]), target=by, leave_out=("2",))
    assert manifest.data["target"]["name"] == "good"
    assert {"name": "colour", "why": "you asked for it"} in manifest.data["left_out"]
    assert "target_guessed" not in codes(manifest)


@pytest.mark.parametrize("wishes", [{"target": "good"}, {"target": "4"}])
def test_what_is_to_be_predicted_cannot_be_left_out(build, wishes):
    with pytest.raises(UsageError, match="The column good is to be predicted"):
        build(text_of([HEADER, *ROWS]), leave_out=("good",), **wishes)


def test_a_last_column_that_is_left_out_is_not_the_target(build):
    manifest = build(text_of([HEADER, *ROWS]), leave_out=("good",))
    assert manifest.data["target"]["name"] == "count"
    assert {"name": "good", "why": "you asked for it"} in manifest.data["left_out"]
    said = [one for one in manifest.data["findings"] if one["code"] == "target_guessed"]
    assert "the last column that is not left out, count, is predicted" in said[0]["text"]
    with pytest.raises(UsageError, match="All columns are to be left out"):
        build(text_of([HEADER, *ROWS]), leave_out=HEADER)


def test_the_last_column_is_the_target_and_it_is_said(build):
    manifest = build(text_of([HEADER, *ROWS]))
    said = [one for one in manifest.data["findings"] if one["code"] == "target_guessed"]
    assert said[0]["column"] == "good"
    assert "the last column, good" in said[0]["text"]


def test_a_file_without_a_header_is_seen_and_told(build):
    manifest = build(text_of(ROWS))
    assert "header" in codes(manifest)
    assert manifest.data["target"]["name"] == "column_4"
    assert sum(manifest.splits.values()) == 40


def test_no_header_makes_the_first_line_a_row(build):
    words = [(a, b) for n in range(20) for a, b in (("x", "y"), ("v", "z"), ("x", "z"))]
    first = ("left", "right")
    assert sum(build(text_of([first, *words]), header=True).splits.values()) == 60
    assert sum(build(text_of([("x", "y"), *words]), header=False).splits.values()) == 61
    assert sum(build(text_of([("x", "y"), *words])).splits.values()) == 61, "seen: it comes again"


def ragged(line, cells):
    lines = text_of([HEADER, *ROWS]).splitlines()
    lines[line - 1] = ",".join(["1"] * cells)
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (ragged(7, 3), r"Line 7 of t\.csv has 3 cells; those above 4"),
        (ragged(30, 5), r"Line 30 of t\.csv has 5 cells; those above 4"),
        (text_of([HEADER, *ROWS]) + '1,"red,2,yes\n', "Line 42 of .* cannot be read: unexpected end of data"),
        (text_of([HEADER, *ROWS]) + '1,"red"x,2,yes\n', r"Line 42 of .* cannot be read: ',' expected"),
        (b"", "is empty"),
        (b"\xef\xbb\xbf\n \r\n", "is empty"),
        (text_of([HEADER]), "has a header and no rows"),
        (text_of([HEADER])[:-1], "has a header and no rows"),
        (b"\x89PNG\r\n\0\0\0" * 100, "is not text: it holds NUL bytes"),
        (text_of([HEADER, *ROWS * 600]).encode() + b"1.5,re\0d,1,yes\n", "Line 24002 of .* holds a NUL byte"),
        (text_of([HEADER, *ROWS]).encode("utf-16"), "is UTF-16"),
        ("one\n" + "1\n" * 20, "has one column only"),
        (text_of([("a", "b", "a"), *((n, n % 3, n % 2) for n in range(20))]), "two columns named a"),
        (text_of([HEADER, *ROWS[:9]]), "only 9, too few"),
        (text_of([(*HEADER[:3], "y"), *((*row[:3], "same") for row in ROWS)]), "has one value only, same"),
        (text_of([(*HEADER[:3], "y"), *((*row[:3], "") for row in ROWS)]), "y is missing in every row"),
        (text_of([("a", "b"), *((n % 3, f"w{n}") for n in range(60))]), "60 different words .*: too many"),
        (text_of([("a", "b"), *((1, n % 2) for n in range(60))]), "left .* a: it has one value only"),
        (text_of([("a", "b"), *(("", n % 2) for n in range(60))]), "a: all its values are missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_left(build, into, content, why):
    with pytest.raises(BadInputError, match=why) as caught:
        build(content)
    assert caught.value.hint
    assert not into.exists() or list(into.iterdir()) == []


@pytest.mark.parametrize("content", [gzip.compress(text_of([HEADER, *ROWS]).encode())[:-30], b"no gzip"])
def test_a_damaged_gzip_is_said(build, content):
    with pytest.raises(BadInputError, match="is damaged"):
        build(content, "t.csv.gz")


@pytest.mark.parametrize(
    ("wanted", "near"), [("goood", "good"), ("COUNT", "count"), ("9", "size, colour, count, good")]
)
def test_a_wrong_column_names_the_nearest(build, wanted, near):
    for wishes in ({"target": wanted}, {"leave_out": (wanted,)}):
        with pytest.raises(UsageError, match="There is no column") as caught:
            build(text_of([HEADER, *ROWS]), **wishes)
        assert near in caught.value.hint


def test_a_line_without_end_is_not_read_into_memory(build, monkeypatch):
    monkeypatch.setattr(csv_files, "LONGEST_LINE", 1000)
    with pytest.raises(BadInputError, match=r"Line 3 of .* is too long"):
        build("a,b\n1,2\n" + "x" * 5000 + "," + "y" * 10)


def test_too_many_cells_and_columns_are_refused(build, monkeypatch):
    wide = ",".join(f"c{n}" for n in range(10_000)) + "\n" + (",".join(["1"] * 10_000) + "\n") * 12
    with pytest.raises(BadInputError, match=r"10,000 columns; 4,096 can be used"):
        build(wide)
    monkeypatch.setattr(csv_files, "MOST_CELLS", 100)
    with pytest.raises(BadInputError, match="more than 100 cells"):
        build(text_of([HEADER, *ROWS]))


def test_a_table_of_five_hundred_columns_works(build):
    chance = np.random.default_rng(0).integers(0, 99, (30, 500))
    rows = [
        [f"c{n}" for n in range(500)] + ["y"],
        *([*row, ("no", "yes")[row[0] % 2]] for row in chance.tolist()),
    ]
    assert build(text_of(rows)).data["input"]["shape"] == [500]


def test_a_name_from_outside_cannot_steer_the_terminal(build):
    manifest = build(text_of([("\x1b[2Jsize", *HEADER[1:]), *ROWS]))
    assert names(manifest)[0] == "size"


CELLS = st.sampled_from(
    ["1", "2.5", "NA", "", "a", "é", '"', "\t", ",", ";", "\n", "\r", "2020-01-01", "inf", "x", " "]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.lists(CELLS, max_size=120).map("".join).map(str.encode), st.binary(max_size=200)))
def test_any_bytes_become_a_version_or_a_clear_refusal(build, content):
    try:
        build(content)
    except (BadInputError, UsageError) as refusal:
        hint = refusal.hint
    else:
        hint = "not needed"
    assert hint


def test_without_polars_it_is_said_what_to_install(build, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(BadInputError, match="Polars") as caught:
        build(text_of([HEADER, *ROWS]))
    assert caught.value.hint == "pip install 'cloudtui[data]'"


def test_pictures_have_no_columns(build, pictures, into):
    with pytest.raises(UsageError, match="no columns"):
        build_dataset(str(pictures), into, name="d", wishes=Wishes(target="x"))
    with pytest.raises(UsageError, match="for the task tabular, not image"):
        build(text_of([HEADER, *ROWS]), task="image")
