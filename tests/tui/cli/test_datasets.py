"""Datasets on the command line: added from a table, shown for people and for scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.tui.cli.conftest import Said

Cli = Callable[..., Said]


@pytest.fixture
def table(tmp_path: Path) -> str:
    path = tmp_path / "people.csv"
    lines = [
        f"{n},{n * 37 % 91},{('Rome', 'Oslo', '')[n % 3]},x,{('no', 'yes')[n % 2]}" for n in range(1, 121)
    ]
    path.write_text("\n".join(["row,age,town,same,good", *lines]))
    return str(path)


def test_a_table_is_added_with_what_is_to_be_known_of_it(cli: Cli, table: str) -> None:
    said = cli("dataset", "add", "people", table, "--target", "good", "--seed", "4", "--json")
    assert said.status == 0
    found = said.json
    assert found["task"] == "tabular"
    assert found["target"] == {"name": "good", "kind": "classes"}
    assert [column["name"] for column in found["columns"]] == ["age", "town"]
    assert found["columns"][1] == {
        "name": "town", "kind": "category", "type": "category", "missing": 0.333333, "distinct": 2,
    }  # fmt: skip
    assert [one["name"] for one in found["left_out"]] == ["row", "same"]
    assert "missing" in {one["code"] for one in found["findings"]}
    assert "Reading rows" in said.err
    assert cli("dataset", "show", "people", "--json").json == found
    assert (
        cli("dataset", "add", "people", table, "--target", "5", "--seed", "4", "--json").json["version"] == 1
    )
    assert cli("dataset", "add", "people", table, "--target", "5", "--json").json["version"] == 2


def test_the_page_of_a_table(cli: Cli, table: str) -> None:
    cli("dataset", "add", "people", table, "--leave-out", "town")
    page = cli("dataset", "show", "people").out
    for line in (
        "Target   good, one of 2 classes",
        "Rows     train 84, validation 12, test 24",
        "Column  Type     Missing  Different",
        "age     integer        –         91",
        "  - row: it numbers the rows",
        "  - town: you asked for it",
        "  - No target was named, so the last column, good, is predicted.",
    ):
        assert line in page.splitlines()


def test_a_page_of_pictures_has_no_columns(cli: Cli) -> None:
    page = cli("dataset", "add", "digits", "digits").out
    assert "Column" not in page
    assert "Input    1 x 8 x 8" in page.splitlines()


def test_a_file_without_a_header(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("".join(f"{('u', 'v', 'w')[n % 3]},{('no', 'yes')[n % 2]}\n" for n in range(60)))
    named = cli("dataset", "add", "d", str(path), "--no-header", "--json").json
    assert sum(named["splits"].values()) == 60
    assert named["target"]["name"] == "column_2"


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("--target", "goood"), 2, "There is no column goood."),
        (("--task", "image"), 2, "This source is for the task tabular, not image."),
        (("--seed", "many"), 2, "invalid int value"),
    ],
)
def test_wrong_usage(cli: Cli, table: str, words: tuple[str, ...], status: int, message: str) -> None:
    said = cli("dataset", "add", "people", table, *words, "--json")
    assert said.status == status
    assert message in said.json["error"]["message"]
    assert said.json["error"]["hint"]


@pytest.mark.parametrize(
    ("source", "status", "message"),
    [
        ("box-1:/data/x", 3, "no machine called box-1"),
        ("nothing.csv", 5, "There is no nothing.csv"),
        ("mnist", 6, "Cannot fetch mnist from 127.0.0.1"),
    ],
)
def test_sources_that_cannot_be_had(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, source: str, status: int, message: str
) -> None:
    monkeypatch.setenv("CLOUDTUI_DOWNLOAD_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    said = cli("dataset", "add", "d", source, "--json")
    assert said.status == status
    assert message in said.json["error"]["message"]
    assert said.json["error"]["hint"]
