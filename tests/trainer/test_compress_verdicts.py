"""What measured figures are worth, without measuring anything."""

from __future__ import annotations

import json

import numpy as np
import pytest

from cloudtui_features import paired
from cloudtui_trainer.compress.verdicts import Measured, choose, judge

BANDS = {"batch1": [0.93, 1.08], "batch64": [0.95, 1.05]}


def compared(n=10_000, lost=0, won=0):
    """A comparison on n rows."""
    whole = np.arange(n) >= won
    variant = np.arange(n) < n - lost
    return paired.compare(whole, variant)


def candidate(name="one", **changed):
    values = {
        "id": name, "kind": "int8", "method": "", "settings": {}, "sha256": "", "size_bytes": 300,
        "size_ratio": 4.0, "coverage": None, "validation": compared(), "accuracy": 0.9, "predictions": [],
        "broken": "", "latency_ms": 1.0, "throughput": 1.0, "latency_ratio": 2.0, "throughput_ratio": 2.5,
        "control": {"batch1": [1.0], "batch64": [1.0]}, "baseline_seconds": {"batch1": 1.0, "batch64": 1.0},
    }  # fmt: skip
    return Measured(**{**values, **changed})


def said(one, *others, max_drop=0.5, goal="smallest", **more):
    return judge(one, [one, *others], max_drop=max_drop, goal=goal, bands=BANDS, **more)


def test_sparsity_sold_as_speed_gives_no_speed_up():
    sparse = candidate(kind="sparse", size_ratio=1.0, latency_ratio=1.02, throughput_ratio=0.99)
    verdict = said(sparse)
    assert verdict.word == "no speed-up"
    assert not verdict.eligible
    assert "no faster than the noise of the baseline beside itself: 1.02x" in verdict.why


def test_sparsity_that_is_even_slower_is_still_called_by_its_name():
    sparse = candidate("sparse", kind="sparse", size_ratio=1.0, latency_ratio=0.8, throughput_ratio=0.9)
    verdict = said(sparse, candidate("better"))
    assert (verdict.word, verdict.why[:12]) == ("no speed-up", "It is slower")


def test_a_speed_up_counts_only_above_the_control():
    inside = candidate(size_ratio=1.0, latency_ratio=1.07, throughput_ratio=1.0)
    above = candidate(size_ratio=1.0, latency_ratio=1.09, throughput_ratio=1.0)
    assert said(inside).word == "no speed-up"
    assert said(above).word == "passes"


def test_smaller_is_bought_by_who_wants_it_small_and_speed_is_not_claimed():
    same_speed = candidate(size_ratio=3.8, latency_ratio=1.0, throughput_ratio=1.0)
    verdict = said(same_speed)
    assert verdict.word == "passes"
    assert "It is no faster" in verdict.why
    assert said(same_speed, goal="fastest").word == "no speed-up"


def test_slower_optimised_is_dominated_by_what_is_better_in_all():
    dynamic = candidate("dynamic", kind="dynamic", latency_ratio=0.56, throughput_ratio=0.49)
    static = candidate("static", size_bytes=299)
    verdict = said(dynamic, static)
    assert verdict.word == "dominated"
    assert "static is no worse in accuracy, size and both latencies" in verdict.why
    assert "slower" in verdict.why
    assert said(dynamic).word == "no speed-up"


@pytest.mark.parametrize(
    "worse", [{"accuracy": 0.89}, {"size_bytes": 301}, {"latency_ratio": 1.9}, {"throughput_ratio": 2.4}]
)
def test_one_figure_that_is_worse_is_enough_to_dominate_no_one(worse):
    one, other = candidate(), candidate("other", throughput_ratio=2.6)
    assert said(one, other).word == "dominated"
    assert said(one, candidate("other", **{"throughput_ratio": 2.6, **worse})).word == "passes"


def test_what_fails_dominates_no_one():
    failed = candidate("failed", size_bytes=100, validation=compared(lost=400))
    assert said(failed).word == "fails"
    assert said(candidate(), failed).word == "passes"


def test_what_runs_in_floating_point_is_told():
    verdict = said(candidate(coverage=0.4))
    assert "Only 40% of its heavy layers run in integers" in verdict.why
    assert "heavy layers" not in said(candidate(coverage=0.9)).why


def test_ten_rows_decide_nothing():
    verdict = said(candidate(validation=compared(n=10)))
    assert verdict.word == "undecided"
    assert "10 rows cannot tell a drop of 0.5 point" in verdict.why
    assert verdict.eligible


def test_a_large_p_value_is_no_pass():
    few = compared(n=360, lost=2, won=1)
    assert few.p > 0.05
    assert said(candidate(validation=few)).word == "undecided"
    assert not said(candidate(validation=compared(n=360, lost=5, won=1))).eligible


def test_broken_answers_fail_whatever_the_rest():
    verdict = said(candidate(broken="It gives the same class for every validation row."))
    assert (verdict.word, verdict.eligible) == ("fails", False)


def chosen(*candidates, goal="smallest", **more):
    verdicts = {one.id: said(one, *candidates, goal=goal, **more) for one in candidates}
    found = choose(candidates, verdicts, goal)
    return found and found.id


def test_what_is_proven_goes_before_what_is_smaller():
    proven = candidate("proven")
    unproven = candidate("unproven", size_bytes=100, accuracy=0.89, validation=compared(n=200))
    assert chosen(proven, unproven) == "proven"
    assert chosen(unproven) == "unproven"


def test_among_the_proven_the_smallest_or_the_fastest_is_chosen():
    small = candidate("small", size_bytes=100)
    fast = candidate("fast", latency_ratio=4.0)
    assert chosen(small, fast) == "small"
    assert chosen(small, fast, goal="fastest") == "fast"
    twin = candidate("twin", size_bytes=100, accuracy=0.89, throughput_ratio=3.0)
    assert chosen(small, twin) == "twin"


def test_none_is_chosen_where_none_may_be():
    assert chosen(candidate(validation=compared(lost=100)), candidate("b", broken="No.")) is None


def test_the_test_rows_decide_on_the_chosen_one():
    verdict = said(candidate(), candidate("better", size_bytes=1), on=compared(n=360))
    assert verdict.word == "undecided"
    assert verdict.why == "360 rows cannot tell a drop of 0.5 point; 765 could."


def test_a_candidate_survives_json():
    one = candidate(notes=["a"], sensitivity=[{"layer": "a", "kl": 0.5}])
    assert Measured.from_json(json.loads(json.dumps(one.to_json()))) == one


def test_a_small_file_is_not_given_up_for_one_slower_batch():
    small = candidate(size_ratio=2.8, latency_ratio=0.7, throughput_ratio=1.0)
    assert said(small).word == "passes"
    slower = candidate(size_ratio=2.8, latency_ratio=0.7, throughput_ratio=0.9)
    assert (said(slower).word, said(slower).eligible) == ("no speed-up", False)
