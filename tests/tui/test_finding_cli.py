"""Finding on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cloudtui.cli.main import main


def test_a_wrong_filter_is_shown_with_its_place(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "list", "--home", str(story), "--filter", "status:failed and speed > 5"]) == 2
    out, said = capsys.readouterr()
    lines = said.splitlines()
    assert out == ""
    assert lines[0].startswith("The filter cannot be read at position 19: there is no field 'speed'")
    assert lines[1] == "  status:failed and speed > 5"
    assert lines[2] == " " * 20 + "^"
    assert lines[3].startswith("For example:")


def test_as_json_it_has_the_position(story: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "list", "--home", str(story), "--filter", "tag:", "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "filter"
    assert (error["filter"], error["position"]) == ("tag:", 5)


def test_the_filter_orders_and_an_order_that_is_given_comes_before_it(
    story: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def listed(*words: str) -> list[str]:
        assert main(["run", "list", "--home", str(story), "--json", *words]) == 0
        return [run["name"] for run in json.loads(capsys.readouterr().out)]

    names = listed("--filter", "gpu:A100 sort:name")
    assert names == sorted(names, key=str.lower)
    assert listed("--filter", "gpu:A100 sort:name", "--sort", "-name") == names[::-1]
    assert len(names) > 2
    assert not listed("--filter", "gpu:A10")
