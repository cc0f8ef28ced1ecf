"""Which of a host's pythons trains."""

from __future__ import annotations

from typing import Any

import pytest

from cloudtui_engine.errors import FailedError
from cloudtui_engine.handlers.stage import find_python


def python(path: str, version: str = "3.11.7", **has: Any) -> dict[str, Any]:
    return {"path": path, "version": version, "torch": None, "numpy": None, "cuda": None, "onnx": None} | has


def test_one_with_a_gpu_build_is_taken_before_one_that_exports() -> None:
    facts = {
        "pythons": [
            python("/usr/bin/python3"),
            python("/a/python", torch="2.13", numpy="2", onnx="1.23"),
            python("/b/python", torch="2.13", numpy="2", cuda="13.0"),
        ]
    }
    assert find_python(facts, "box") == "/b/python"


@pytest.mark.parametrize(
    "pythons",
    [
        [],
        [python("/usr/bin/python3")],
        [python("/old/python", "3.9.2", torch="2.6", numpy="1")],
        [python("/odd/python", "?", torch="2.6", numpy="1")],
        [python("/half/python", torch="2.6")],
    ],
)
def test_none_is_said_with_what_was_found_and_what_to_do(pythons: list[dict[str, Any]]) -> None:
    with pytest.raises(FailedError) as failed:
        find_python({"pythons": pythons}, "box")
    assert failed.value.code == "no_torch"
    assert "pip install" in failed.value.hint
    assert all(one["path"] in failed.value.message for one in pythons)
