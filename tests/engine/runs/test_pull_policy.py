"""Which files come here by themselves."""

from __future__ import annotations

import pytest

from cloudtui_engine.records.run import Artifact
from cloudtui_engine.runs.pull_policy import MAX_BYTES, Policy

FILES = [
    ("big.bin", "file", 900, "1" * 64),
    ("int8/model.onnx", "onnx", 50, "2" * 64),
    ("model.safetensors", "weights", 100, "3" * 64),
    ("report.json", "json", 10, "4" * 64),
    ("small.bin", "file", 5, "5" * 64),
    ("supermodel.onnx", "onnx", 5, "6" * 64),
]


@pytest.mark.parametrize(
    ("spec", "left"),
    [
        ({}, set()),
        ({"pull": "all"}, set()),
        ({"pull": "none"}, {one[0] for one in FILES}),
        ({"pull": "best"}, {"big.bin", "small.bin", "supermodel.onnx"}),
        ({"pull": "all", "pull_max": 170}, {"big.bin"}),
        ({"pull": "all", "pull_max": 169}, {"big.bin", "supermodel.onnx"}),
        ({"pull": "best", "pull_max": 60}, {"big.bin", "small.bin", "supermodel.onnx", "model.safetensors"}),
        ({"pull": "all", "pull_max": 0}, {one[0] for one in FILES}),
    ],
)
def test_models_and_reports_come_first_and_a_limit_leaves_the_rest(
    spec: dict[str, object], left: set[str]
) -> None:
    assert Policy.of(spec).left([], FILES) == left


@pytest.mark.parametrize("spec", [{"pull": "some"}, {"pull": 5}, {"pull_max": 1}])
def test_a_run_that_says_nothing_of_use_brings_all(spec: dict[str, object]) -> None:
    assert Policy.of(spec) == Policy()


@pytest.mark.parametrize("most", [None, -1, True, "2"])
def test_without_a_usable_limit_there_is_the_usual_one(most: object) -> None:
    assert Policy.of({"pull": "best", "pull_max": most}).max_bytes == MAX_BYTES


def test_what_is_here_or_was_asked_for_counts_and_stays_wanted() -> None:
    policy = Policy("all", 100)
    here = [
        Artifact("model.onnx", "onnx", 80, "a" * 64, "/here"),
        Artifact("x", "file", 5, "b" * 64, None, False),
    ]
    assert policy.left(here, [("new", "file", 21, "c" * 64)]) == {"new"}
    assert policy.left(here, [("new", "file", 20, "c" * 64)]) == set()
    told_again = [("model.onnx", "onnx", 80, "a" * 64), ("x", "file", 5, "b" * 64)]
    assert Policy("none", 100).left(here, told_again) == {"x"}
    assert Policy("none", 100).left(here, [("model.onnx", "onnx", 80, "d" * 64)]) == {"model.onnx"}
