"""What a probe says is kept only as far as it is what it should be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloudtui_engine.errors import FailedError
from cloudtui_engine.hosts.facts import checked_facts, checked_gpus
from cloudtui_host import probe

GPU = {
    "index": 0, "name": "A100", "memory_bytes": 80, "memory_used_bytes": 5, "utilization": 71.0,
    "temperature_c": None, "power_w": 50.5, "processes": [{"pid": 1, "user": "u", "memory_bytes": 5}],
}  # fmt: skip


def test_what_the_host_part_says_is_kept() -> None:
    said = probe.facts("/tmp")
    kept = checked_facts(said)
    assert kept.pop("gpus") == checked_gpus(said.pop("gpus"))
    assert kept == said


def test_a_good_gpu_is_kept_as_it_is() -> None:
    assert checked_gpus([GPU]) == [GPU]
    assert checked_gpus(None) == []


@pytest.mark.parametrize("value", [5, "x", {"index": 0}, True])
def test_gpus_that_are_no_list_are_refused(value: Any) -> None:
    with pytest.raises(FailedError):
        checked_gpus(value)
    with pytest.raises(FailedError):
        checked_facts({"gpus": value})
    with pytest.raises(FailedError):
        checked_facts({"pythons": value})


def test_fields_are_taken_of_their_types_only() -> None:
    said = {
        "os": "\x1b]0;x\x07Linux", "kernel": 6, "memory_bytes": True, "disk_bytes": 10**400, "flock": "yes",
        "cpu": 7, "driver": "9" * 9999, "evil": {"a": 1}, "slurm": False, "linger": None,
        "pythons": [5, {"path": "/a\n"}, {"path": "/p", "version": "3.11", "torch": [1], "x": 1}],
        "gpus": [3, {"index": True}, {"name": "no index"}, GPU, GPU | {"name": "again"},
                 {"index": 2, "utilization": float("inf"), "processes": "x"}],
    }  # fmt: skip
    kept = checked_facts(said)
    assert kept["os"] == "Linux"
    assert kept["kernel"] is kept["memory_bytes"] is kept["disk_bytes"] is kept["flock"] is None
    assert (kept["cpu"], kept["slurm"], kept["linger"]) == ({}, False, None)
    assert len(kept["driver"]) <= 200
    assert "evil" not in kept
    assert kept["pythons"] == [{"path": "/p", "version": "3.11", "torch": None}]
    assert kept["gpus"] == [GPU, {"index": 2, "utilization": None, "processes": []}]
    json.dumps(kept, allow_nan=False)


def test_lists_have_an_end() -> None:
    many = [GPU | {"index": n, "processes": GPU["processes"] * 999} for n in range(999)]
    kept = checked_gpus(many)
    assert len(kept) == 64
    assert all(len(gpu["processes"]) == 64 for gpu in kept)
    assert len(checked_facts({"pythons": [{"path": "/p", "version": "3"}] * 99})["pythons"]) == 32
