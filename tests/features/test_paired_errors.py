"""Two models' errors on the same rows: against what theory says, and against what must hold of any rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cloudtui_features import paired_errors
from cloudtui_features.paired_errors import compare_errors


def rows(n: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truth, and two models that find the same rows hard, the second one's errors a tenth smaller."""
    chance = np.random.default_rng(seed)
    truth, hard = chance.normal(size=n) * 50, chance.gamma(2, 5, size=n)
    return truth, truth + hard, truth - hard * 0.9 + chance.normal(size=n) * 0.1


def test_the_interval_is_that_of_a_paired_mean() -> None:
    """Of a mean of differences theory knows the width, and it is far below that of unpaired errors."""
    truth, first, second = rows(2000)
    found = compare_errors(truth, first, second)
    gaps = np.abs(second - truth) - np.abs(first - truth)
    assert found.mae.delta == pytest.approx(gaps.mean())
    width = 2 * 1.96 * gaps.std() / math.sqrt(len(gaps))
    assert found.mae.high - found.mae.low == pytest.approx(width, rel=0.08)
    unpaired = 2 * 1.96 * math.sqrt((np.abs(first - truth).var() + np.abs(second - truth).var()) / len(gaps))
    assert width < unpaired / 5
    assert found.mae.sign == found.rmse.sign == -1
    assert found.rmse.low < found.rmse.delta < found.rmse.high
    assert found.closer_second > found.closer_first


def test_the_other_way_round_is_the_same_with_another_sign() -> None:
    truth, first, second = rows(300)
    one, other = compare_errors(truth, first, second), compare_errors(truth, second, first)
    assert (one.mae.low, one.mae.high) == pytest.approx((-other.mae.high, -other.mae.low))
    assert (one.closer_first, one.closer_second) == (other.closer_second, other.closer_first)
    same = compare_errors(truth, first, first)
    assert (same.mae.delta, same.mae.low, same.mae.high, same.mae.sign) == (0, 0, 0, 0)


def test_it_covers_as_often_as_it_says() -> None:
    """Of 200 samples the interval holds the true difference in about 95 of a hundred."""
    truth, first, second = rows(200_000, 99)
    gap = (np.abs(second - truth) - np.abs(first - truth)).mean()
    held = 0
    for seed in range(200):
        mae = compare_errors(*rows(120, seed)).mae
        held += mae.low <= gap <= mae.high
    assert 180 <= held <= 199


def test_many_rows_take_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def bootstrap(_columns: object, _figures: object, _seed: int, resamples: int) -> list[list[float]]:
        drawn.append(resamples)
        return [[0.0, 0.0], [0.0, 0.0]]

    monkeypatch.setattr(paired_errors, "bootstrap", bootstrap)
    for n in (100, 500_000, 2_000_000):
        compare_errors(*rows(n))
    assert drawn == [2000, 800, 400]


@pytest.mark.parametrize("sizes", [(0, 0, 0), (3, 2, 3), (3, 3, 2)])
def test_other_rows_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be paired"):
        compare_errors(*(np.zeros(size) for size in sizes))
