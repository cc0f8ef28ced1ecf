"""Two models on the same rows: Tango's interval against published numbers, McNemar's p against scipy's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cloudtui_features.paired import Paired, compare, mcnemar, rows_needed, tango, verdict


def rows(both=0, only_baseline=0, only_variant=0, neither=0):
    """Right or wrong, a row each, of baseline and variant."""
    counts = [both, only_baseline, only_variant, neither]
    return np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)


@pytest.mark.parametrize(
    ("won", "lost", "n", "low", "high"),
    [
        (1, 7, 21, -0.517, -0.026),  # Fagerland, Lydersen, Laake, Statistics in Medicine 33 (2014) 2850
        (16, 8, 86, -0.020, 0.207),  # Agresti, Min, Statistics in Medicine 24 (2005) 729
    ],
)
def test_tangos_interval_is_the_published_one(won, lost, n, low, high):
    assert tango(won, lost, n) == pytest.approx((low, high), abs=5e-4)


def test_where_nothing_differs_the_interval_has_a_closed_form():
    z = stats.norm.ppf(0.975) ** 2
    assert tango(0, 0, 50) == pytest.approx((-z / (50 + z), z / (50 + z)))
    assert tango(0, 0, 0) == (-1.0, 1.0)


def test_where_all_rows_are_lost_or_won_the_end_is_reached():
    assert tango(0, 9, 9)[0] == -1.0
    assert tango(9, 0, 9)[1] == 1.0


counts = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40)).filter(lambda c: sum(c) > 0)


@given(counts)
def test_an_interval_holds_its_difference_and_mirrors(given_counts):
    won, lost, _ = given_counts
    n = sum(given_counts)
    low, high = tango(won, lost, n)
    assert -1 <= low <= (won - lost) / n <= high <= 1
    assert tango(lost, won, n) == pytest.approx((-high, -low), abs=1e-9)


@given(counts)
def test_the_ends_are_where_the_score_statistic_is_z(given_counts):
    """By the likelihood, maximised here on a grid: not by the formula that is tested."""
    won, lost, same = given_counts
    n = sum(given_counts)
    low, high = tango(won, lost, n)
    for end in (low, high):
        if not -0.999 < end < 0.999:
            continue
        lost_share = np.linspace(max(0, -end), (1 - end) / 2, 200_001)[1:-1]
        with np.errstate(divide="ignore"):
            logs = (
                won * np.log(lost_share + end)
                + lost * np.log(lost_share)
                + same * np.log(1 - 2 * lost_share - end)
            )
        best = lost_share[logs.argmax()]
        statistic = ((won - lost) / n - end) / math.sqrt((2 * best + end * (1 - end)) / n)
        assert abs(statistic) == pytest.approx(1.96, abs=0.02)


@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemars_p_is_scipys(won, lost):
    expected = stats.binomtest(min(won, lost), won + lost).pvalue if won + lost else 1.0
    assert mcnemar(won, lost) == pytest.approx(expected, rel=1e-9)


def test_a_p_of_many_rows_neither_overflows_nor_vanishes():
    assert 0 < mcnemar(3000, 3300) < 0.001


def test_counts_are_of_the_right_side():
    found = compare(*rows(both=90, only_baseline=6, only_variant=2, neither=2))
    assert (found.n, found.only_baseline, found.only_variant) == (100, 6, 2)
    assert found.delta == pytest.approx(-0.04)
    assert found.discordance == pytest.approx(0.08)
    assert (found.low, found.high) == tango(2, 6, 100)


def test_other_rows_are_refused():
    with pytest.raises(ValueError, match="cannot be paired"):
        compare(np.ones(3, bool), np.ones(4, bool))


def test_the_sentence_of_the_digits():
    word, sentence = verdict(compare(*rows(both=360)), 0.5)
    assert (word, sentence) == ("undecided", "360 rows cannot tell a drop of 0.5 point; 765 could.")
    assert verdict(compare(*rows(both=765)), 0.5)[0] == "passes"
    assert verdict(compare(*rows(both=764)), 0.5)[0] == "undecided"
    assert verdict(compare(*rows(both=360)), 3)[0] == "passes"


def test_words_go_by_the_interval_and_not_by_the_difference():
    assert verdict(Paired(-0.001, -0.004, 0.002, 0.5, 9000, 9, 5), 0.5)[0] == "passes"
    assert verdict(Paired(-0.001, -0.006, 0.004, 0.5, 3000, 9, 5), 0.5)[0] == "undecided"
    assert verdict(Paired(-0.02, -0.03, -0.01, 0.001, 3000, 90, 5), 0.5)[0] == "fails"
    word, sentence = verdict(Paired(-0.02, -0.03, 0.001, 0.1, 300, 9, 5), 0.5)
    assert word == "undecided"
    assert "could" not in sentence
    assert "-2.00 [-3.00, +0.10] points" in sentence
    assert verdict(compare(*rows()), 0.5) == (
        "undecided",
        "No rows cannot tell a drop of 0.5 point; 765 could.",
    )


@given(st.sampled_from([0.002, 0.005, 0.01, 0.03]), st.integers(0, 20))
def test_rows_needed_are_enough_and_one_pair_less_is_not(drop, percent):
    needed = rows_needed(drop, percent / 100)
    if needed < 2:
        return
    half = percent / 200
    assert tango(half * needed, half * needed, needed)[0] > -drop
    assert tango(half * (needed - 1), half * (needed - 1), needed - 1)[0] <= -drop


@pytest.mark.parametrize(("drop", "discordance"), [(0, 0.1), (1, 0.1), (0.005, 1.1)])
def test_what_no_rows_can_show(drop, discordance):
    with pytest.raises(ValueError, match="cannot be shown"):
        rows_needed(drop, discordance)
