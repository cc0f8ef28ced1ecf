"""`run compare`: what differs, what each run is above the baseline, and many in groups."""

from __future__ import annotations

from array import array
from collections.abc import Callable

import pytest
from tests.tui.cli.conftest import Said
from tests.tui.cli.fake_engine import DONE, a_run

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.catalog.chunks import Points

Cli = Callable[..., Said]


@pytest.fixture
def seven(catalog: Catalog) -> list[str]:
    """Three rates, two or three seeds each; more rate is better."""
    names = []
    for at in range(7):
        rate, seed = (1, 2, 3)[at % 3], at // 3
        run = a_run(catalog, f"r{at}", *DONE, params={"lr": rate, "seed": seed, "epochs": 3})
        reached = array("d", [rate / 10 + seed / 100])
        points = Points(array("q", [1]), array("d", [1.0]), reached)
        catalog.metrics.append(run.id, 1, {"validation/accuracy": points})
        names.append(run.name)
    return names


def test_few_runs_are_told_one_by_one(cli: Cli, seven: list[str]) -> None:
    said = cli("run", "compare", *seven[:3], "--baseline", "r1").out.splitlines()
    assert said[1].split() == ["lr", "1", "2", "3"]
    assert "✓ 0.3000" in next(line for line in said if line.startswith("validation/accuracy (best)"))
    delta = next(line for line in said if line.startswith("  delta"))
    assert delta.split() == ["delta", "-0.100", "baseline", "+0.100"]


def test_many_runs_are_told_in_groups_the_best_first(cli: Cli, seven: list[str]) -> None:
    said = cli("run", "compare", *seven).out.splitlines()
    rows = [line.split() for line in said if " lr=" in line]
    assert [row[-5:] for row in rows] == [
        ["lr=3", "2", "0.3050", "0.007071", "+0.195"],
        ["lr=2", "2", "0.2050", "0.007071", "+0.0950"],
        ["lr=1", "3", "0.1100", "0.01000", "baseline"],
    ]
    assert "1 ×3  2 ×2  3 ×2" in said[1]


def test_groups_are_data_for_scripts(cli: Cli, seven: list[str]) -> None:
    found = cli("run", "compare", *seven, "--by", "seed", "--json").json
    assert found["by"] == "seed"
    assert found["baseline"] == found["runs"][0]["id"]
    assert [len(group["runs"]) for group in found["groups"]] == [3, 3, 1]
    spread = found["groups"][2]["metrics"]["validation/accuracy"]
    assert spread == {"n": 1, "mean": pytest.approx(0.12), "deviation": None}
    few = cli("run", "compare", *seven[:2], "--json").json
    assert (few["by"], few["groups"]) == (None, [])


@pytest.mark.parametrize("option", [("--baseline", "r6"), ("--by", "epochs")])
def test_what_cannot_be_is_said(cli: Cli, seven: list[str], option: tuple[str, str]) -> None:
    failed = cli("run", "compare", *seven[:3], *option)
    assert failed.status == 2
    assert option[1] in failed.err
