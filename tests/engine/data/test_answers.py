"""What two models answered on the same rows: counted, and refused where a file does not fit its report."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from tests.support import seed_rivals

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.data import Wishes, add_dataset, read_targets
from cloudtui_engine.data.answers import Answered, pair_answers, pair_numbers, rows_that_could
from cloudtui_engine.errors import BadInputError
from cloudtui_engine.paths import Paths


@pytest.fixture
def catalog(tmp_path):
    opened = Catalog.open(Paths(tmp_path / "home"))
    yield opened
    opened.close()


@pytest.fixture
def data(catalog, tmp_path):
    lines = [f"{n * 7 % 90 / 2},{('no', 'yes')[n % 3 == 0]}" for n in range(300)]
    (tmp_path / "t.csv").write_text("\n".join(["n,good", *lines]))
    return add_dataset(catalog, "towns", str(tmp_path / "t.csv"), wishes=Wishes(target="good"))


@pytest.fixture
def answered(catalog, data, tmp_path):
    """A model with these test rows wrong; its labels may stand in another order than the dataset's."""
    truth = [str(one) for one in read_targets(catalog.paths, data, "test", range(data.splits["test"]))]

    def make(name: str, wrong: set[int], labels: tuple[str, ...] = data.classes, **file: object) -> Answered:
        said = [
            labels.index(one) if row not in wrong else 1 - labels.index(one) for row, one in enumerate(truth)
        ]
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"predictions": {"test": said}} | file))
        return Answered(name, path, seed_rivals.report(labels, truth, said))

    return make


def test_rows_are_paired_whatever_the_order_of_labels(catalog, data, answered):
    first = answered("a", {0, 1, 2, 3, 4})
    second = answered("b", {4, 5}, tuple(reversed(data.classes)))
    found = pair_answers(catalog.paths, data, "test", first, second)
    assert (found.only_baseline, found.only_variant, found.n) == (1, 4, data.splits["test"])
    assert math.isclose(found.delta, 3 / found.n)
    assert found.low < found.delta < found.high
    assert math.isclose(found.p, 2 * (1 + 5) / 2**5)  # a fair coin, five times: at most one of them heads
    assert rows_that_could(found, 0.5) > found.n


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({}, id="no such split"),
        pytest.param({"test": [0, 1]}, id="too few"),
        pytest.param({"test": ["no"] * 1000}, id="words"),
        pytest.param({"test": None}, id="nothing"),
        pytest.param([], id="a list"),
    ],
)
def test_what_does_not_fit_is_refused(catalog, data, answered, said):
    with pytest.raises(BadInputError, match="do not fit"):
        pair_answers(
            catalog.paths, data, "test", answered("a", set()), answered("b", set(), predictions=said)
        )


def test_answers_of_another_day_do_not_pass_for_these(catalog, data, answered):
    """As many rows and all labels known, but not what the report counted."""
    other = answered("b", {1, 2})
    rows = data.splits["test"]
    other.file.write_text(json.dumps({"predictions": {"test": np.zeros(rows, int).tolist()}}))
    with pytest.raises(BadInputError, match="b left do not fit its report"):
        pair_answers(catalog.paths, data, "test", answered("a", set()), other)


def test_no_file_is_told(catalog, data, answered, tmp_path):
    gone = Answered("b", Path(tmp_path / "nowhere.json"), answered("b", set()).report)
    with pytest.raises(BadInputError, match="cannot be read"):
        pair_answers(catalog.paths, data, "test", answered("a", set()), gone)


@pytest.fixture
def prices(catalog, tmp_path):
    lines = [f"{n % 60},{n * 3.5 + n % 7}" for n in range(300)]
    (tmp_path / "p.csv").write_text("\n".join(["rooms,price", *lines]))
    return add_dataset(catalog, "prices", str(tmp_path / "p.csv"), wishes=Wishes(target="price"))


def priced(catalog, prices, path: Path, off: float, **file: object) -> Answered:
    truth = np.array(read_targets(catalog.paths, prices, "test", range(prices.splits["test"])))
    said = [float(f"{one:.7g}") for one in truth + off * np.where(np.arange(len(truth)) % 2, 1, -1)]
    path.write_text(json.dumps({"predictions": {"test": said}} | file))
    return Answered(path.stem, path, {"metrics": {"mae": float(abs(off))}})


def test_predicted_numbers_are_paired(catalog, prices, tmp_path):
    first, second = (
        priced(catalog, prices, tmp_path / f"{name}.json", off) for name, off in (("a", 4), ("b", 3))
    )
    found = pair_numbers(catalog.paths, prices, "test", first, second)
    assert found.mae.delta == pytest.approx(-1, abs=1e-3)
    assert (found.mae.sign, found.closer_second, found.n) == (
        -1,
        prices.splits["test"],
        prices.splits["test"],
    )


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"test": [1.0]}, id="too few"),
        pytest.param({"test": ["no"] * 60}, id="words"),
        pytest.param({"test": [float("nan")] * 60}, id="no numbers"),
        pytest.param({"test": [0.5] * 60}, id="another day's"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(catalog, prices, tmp_path, said):
    good = priced(catalog, prices, tmp_path / "a.json", 4)
    with pytest.raises(BadInputError, match="b left do not fit"):
        pair_numbers(
            catalog.paths,
            prices,
            "test",
            good,
            priced(catalog, prices, tmp_path / "b.json", 3, predictions=said),
        )
