"""Which python of a host does a job, and what an environment of ours is made of."""

from __future__ import annotations

from typing import Any

import pytest

from cloudtui_engine.errors import FailedError
from cloudtui_engine.hosts import environment, wheels
from cloudtui_engine.hosts.environment import choose, need_of
from cloudtui_engine.records.facts import renewed

GPU = {"index": 0, "name": "NVIDIA H200"}
EXPORTS = {"onnx": "1.23", "onnxruntime": "1.31", "onnxscript": "0.7"}


def python(path: str, version: str = "3.11.7", **has: Any) -> dict[str, Any]:
    return {"path": path, "version": version, "torch": None, "numpy": None, "cuda": None} | has


def torch(path: str, **has: Any) -> dict[str, Any]:
    return python(path, torch="2.9.0", numpy="2.1.0", **has)


def facts(*pythons: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "arch": "x86_64",
        "libc": "glibc 2.36",
        "kernel": "6.1",
        "pythons": list(pythons),
        "gpus": [],
    } | more


def test_the_hosts_own_torch_is_taken_as_it_is() -> None:
    chosen = choose(facts(python("/usr/bin/python3"), torch("/a/python")), "train")
    assert (chosen.kind, chosen.python, chosen.plan, chosen.warning) == ("own", "/a/python", None, "")
    assert choose(facts(torch("/a/python"), torch("/b/python", **EXPORTS)), "train").python == "/b/python"


def test_on_a_gpu_host_the_torch_that_sees_the_gpu_is_taken_before_one_that_exports() -> None:
    found = facts(torch("/a/python", **EXPORTS), torch("/b/python", cuda="12.8", sees_cuda=True), gpus=[GPU])
    chosen = choose(found, "train")
    assert (chosen.python, chosen.accelerator, chosen.warning) == ("/b/python", "cuda", "")


@pytest.mark.parametrize(("cuda", "why"), [(None, "has no CUDA"), ("13.0", "CUDA 13.0, which the driver")])
def test_a_torch_that_loses_the_gpu_is_used_and_told(cuda: str | None, why: str) -> None:
    chosen = choose(facts(torch("/a/python", cuda=cuda, sees_cuda=False), gpus=[GPU]), "train")
    assert (chosen.python, chosen.accelerator) == ("/a/python", "cpu")
    assert why in chosen.warning
    assert "instance prepare" in chosen.hint


def test_prepare_plans_one_that_sees_the_gpu_and_the_next_choice_takes_it() -> None:
    found = facts(torch("/a/python", sees_cuda=False), gpus=[GPU])
    chosen = choose(found, "train", best=True)
    assert chosen.plan is not None
    assert (chosen.kind, chosen.plan.accelerator, chosen.plan.on_top) == ("new", "cuda", False)
    made = torch("/root/env/1/bin/python", env=chosen.plan.env, sees_cuda=True, **EXPORTS)
    assert choose(found | {"environments": [made]}, "train").python == made["path"]


def test_small_packages_that_are_missing_beside_a_torch_stand_on_top_of_it() -> None:
    plan = choose(facts(torch("/a/python", onnx="1.23", safetensors="0.5")), "export").plan
    assert plan is not None
    assert plan.on_top
    assert plan.python == "/a/python"
    assert [one.split(">")[0] for one in plan.requirements] == ["onnxruntime", "onnxscript", "scikit-learn"]
    assert plan.constraints == ("numpy==2.1.0",)
    assert plan.disk_bytes < 10**9


def test_without_a_torch_all_is_made_with_the_best_python_that_is_there() -> None:
    found = facts(
        python("/usr/bin/python3", "3.9.2"), python("/b/python3.14", "3.14.0"), python("/c", "3.12.1")
    )
    plan = choose(found, "train").plan
    assert plan is not None
    assert (plan.python, plan.version, plan.on_top) == ("/c", "3.12", False)
    assert len(plan.requirements) == len(environment.REQUIREMENTS)


@pytest.mark.parametrize(
    "pythons",
    [
        [],
        [python("/usr/bin/python3", "3.8.10")],
        [python("/old/python", "3.9.2", torch="2.6", numpy="1")],
        [python("/odd/python", "?", torch="2.6", numpy="1")],
    ],
)
def test_no_python_is_said_with_what_was_found_and_uv_brings_one(pythons: list[dict[str, Any]]) -> None:
    with pytest.raises(FailedError) as failed:
        choose(facts(*pythons), "train")
    assert failed.value.code == "no_python"
    assert all(one["path"] in failed.value.message for one in pythons)
    assert "uv" in failed.value.hint
    plan = choose(facts(*pythons, uv="/usr/bin/uv"), "train").plan
    assert plan is not None
    assert (plan.python, plan.version) == ("", environment.MANAGED)


def test_a_torch_that_failed_its_step_is_not_taken_again() -> None:
    found = facts(torch("/a/python"), torch("/b/python"))
    first = choose(found, "train")
    second = choose(found, "train", avoid={first.key})
    assert {first.python, second.python} == {"/a/python", "/b/python"}
    assert choose(found, "train", avoid={first.key, second.key}).kind == "new"


def test_the_hash_changes_with_all_that_an_environment_is_of() -> None:
    def key(found: dict[str, Any], need: environment.Need = "train") -> str:
        plan = choose(found, need).plan
        assert plan is not None
        return plan.key

    plain = facts(python("/usr/bin/python3"))
    assert key(plain) == key(facts(python("/elsewhere/python3"))), "the same interpreter at another path"
    assert key(plain) == key(plain, "boosting"), "one environment for all jobs"
    different = [
        plain,
        facts(python("/usr/bin/python3", "3.12.1")),
        plain | {"arch": "aarch64"},
        plain | {"gpus": [GPU]},
        facts(torch("/a")) | {"pythons": [torch("/a")]},
        facts(torch("/a") | {"torch": "2.9.1"}),
    ]
    keys = [key(one, "export") for one in different]
    assert len(set(keys)) == len(keys)
    assert all(len(one) == 24 for one in keys)


def test_what_a_job_needs() -> None:
    assert need_of("train", "cnn") == "train"
    assert need_of("train", "boosting") == "boosting"
    assert need_of("compress", "cnn", ["model.safetensors"]) == "export"
    assert need_of("evaluate", "cnn", ["model.onnx", "model.safetensors"]) == "train"
    assert need_of("evaluate", "boosting", ["model.onnx"]) == "export"


def test_a_probe_keeps_what_was_learned_and_still_holds() -> None:
    known = {
        "environments": [{"env": "env/1"}],
        "tested": {
            "/a torch 2.9.0": {"ok": True},
            "/gone torch 2": {"ok": True},
            "/b torch 2.9.0": {"ok": False},
        },
    }
    fresh = facts(torch("/a"), torch("/b"))
    assert renewed(known, fresh)["environments"] == [{"env": "env/1"}]
    assert set(renewed(known, fresh)["tested"]) == {"/a torch 2.9.0"}
    assert set(renewed(known, fresh, forgive=False)["tested"]) == {"/a torch 2.9.0", "/b torch 2.9.0"}
    assert renewed({}, fresh) == {**fresh, "environments": [], "tested": {}}


def test_platforms_are_those_that_the_hosts_pip_would_take() -> None:
    tags = wheels.platforms({"arch": "x86_64", "libc": "glibc 2.31"})
    assert tags[0] == "manylinux_2_31_x86_64"
    assert {"manylinux_2_28_x86_64", "manylinux2014_x86_64", "manylinux1_x86_64", "linux_x86_64"} <= set(tags)
    assert "manylinux_2_34_x86_64" not in tags
    arm = wheels.platforms({"arch": "aarch64", "libc": ""})
    assert arm[0] == "manylinux_2_28_aarch64"
    assert "manylinux1_aarch64" not in arm
