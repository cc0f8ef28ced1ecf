"""The python of a job: proven once, passed over when it fails, made anew when it is gone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import open_catalog

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import CloudtuiError, FailedError, UnreachableError
from cloudtui_engine.handlers import environment
from cloudtui_engine.handlers.context import Context
from cloudtui_engine.handlers.environment import Environments
from cloudtui_engine.hosts.transfer import Cancelled
from cloudtui_engine.records.instance import Address, Instance

BARE = {"path": "/usr/bin/python3", "version": "3.11.2"}
TORCH = {"path": "/a/python", "version": "3.11.2", "torch": "2.9.0", "numpy": "2.1"}


class Host:
    """Answers as a host does; `asked` says what it was asked."""

    def __init__(self, *pythons: Mapping[str, Any]) -> None:
        self.hello = {"machine_id": "m", "root": "/root"}
        self.facts: dict[str, Any] = {"libc": "glibc 2.36", "pythons": list(pythons), "gpus": []}
        self.broken: dict[str, CloudtuiError] = {}
        self.made: dict[str, Mapping[str, Any]] = {}
        self.jobs: dict[str, list[Mapping[str, Any]]] = {}
        self.fails: list[Mapping[str, Any]] = []
        """How the coming attempts of the job end; made without."""
        self.asked: list[str] = []

    def request(self, verb: str, args: Mapping[str, Any], *, timeout: float) -> dict[str, Any]:
        assert timeout > 0
        self.asked.append(verb)
        return dict(getattr(self, f"_{verb}")(**args))

    def _probe(self) -> Mapping[str, Any]:
        return self.facts

    def _smoke(self, python: str, wanted: str) -> Mapping[str, Any]:
        if python in self.broken:
            raise self.broken[python]
        return {"device": wanted, "seconds": 1.5, "torch": "2.9.0"}

    def _environment(self, env: str, job: str) -> Mapping[str, Any]:
        if env in self.made:
            return {"python": f"/root/{env}/bin/python", "record": self.made[env]}
        ended = self.jobs.get(job, [])
        state = {"state": "exited", **ended[-1]} if ended else {"state": "missing"}
        return {"python": "", "attempt": len(ended), "error": None} | state

    def _start(self, job: str, attempt: int, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        config = spec["config"]
        self.jobs.setdefault(job, [])
        assert attempt == len(self.jobs[job]) + 1
        self.jobs[job].append(self.fails.pop(0) if self.fails else {})
        if not self.jobs[job][-1]:
            tested = {"device": config["accelerator"]}
            self.made[config["env"]] = {**TORCH, "onnx": "1", "tested": tested, "path": "/elsewhere"}
        return {"state": "running"}

    def _status(self, job: str) -> Mapping[str, Any]:
        return {"state": "exited", "exit": {"reason": "Killed by SIGKILL."}, "sources": {}}


class Case:
    def __init__(self, catalog: Catalog, host: Host) -> None:
        catalog.instances.add(Instance("box", "box", "ssh", Address("h"), facts=host.facts))
        self.catalog, self.host = catalog, host
        self.warnings: list[str] = []
        self.said: list[str] = []
        self.cancelled = False
        none = cast("Any", None)
        self.context = Context(catalog, catalog.paths, none, none, threading.Event())

    def python(self, need: environment.Need = "train", *, best: bool = False) -> str:
        environments = Environments(
            self.context,
            cast("Any", SimpleNamespace(instance_id="box")),
            report=lambda text, *_: self.said.append(text),
            cancelled=lambda: self.cancelled,
            warn=self.warnings.append,
        )
        return environments.python_for(cast("Any", self.host), need, best=best)

    @property
    def facts(self) -> Mapping[str, Any]:
        return self.catalog.instances.get("box").facts


@pytest.fixture
def catalog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalog]:
    monkeypatch.setattr(environment, "LOOK_S", 0.0)
    opened = open_catalog(tmp_path / "home")
    yield opened
    opened.close()


def test_a_torch_is_proven_once(catalog: Catalog) -> None:
    case = Case(catalog, Host(TORCH))
    assert [case.python(), case.python()] == ["/a/python", "/a/python"]
    assert case.host.asked == ["smoke"]
    assert case.facts["tested"]["/a/python torch 2.9.0"]["device"] == "cpu"


def test_a_torch_that_fails_is_told_passed_over_and_not_tried_again(catalog: Catalog) -> None:
    case = Case(catalog, Host(TORCH, {**TORCH, "path": "/b/python"}))
    first = case.python()
    other = {"/a/python": "/b/python", "/b/python": "/a/python"}
    catalog.instances.update("box", facts=case.host.facts)
    case.host.broken[first] = FailedError("Its torch lacks libgomp.", "apt-get install libgomp1")
    case.host.asked.clear()
    assert [case.python(), case.python()] == [other[first], other[first]]
    assert case.host.asked == ["smoke", "smoke"]
    assert case.warnings == ["Its torch lacks libgomp. apt-get install libgomp1"]


def test_where_no_own_torch_works_one_of_ours_is_made(catalog: Catalog) -> None:
    case = Case(catalog, Host(TORCH))
    case.host.broken["/a/python"] = FailedError("It does not work.", "")
    made = case.python()
    assert made.startswith("/root/env/")
    (entry,) = case.facts["environments"]
    assert entry["path"] == made
    assert case.python() == made
    assert case.host.asked.count("smoke") == 1, "what failed is remembered over the probe"
    assert case.host.asked.count("start") == 1


def test_a_link_that_breaks_says_nothing_of_the_torch(catalog: Catalog) -> None:
    case = Case(catalog, Host(TORCH))
    case.host.broken["/a/python"] = UnreachableError("The link is down.")
    with pytest.raises(UnreachableError):
        case.python()
    assert not case.facts.get("tested")
    case.host.broken.clear()
    assert case.python() == "/a/python"


def test_a_gpu_that_others_use_says_nothing_of_the_torch(catalog: Catalog) -> None:
    case = Case(catalog, Host({**TORCH, "sees_cuda": True, "cuda": "12.8"}))
    case.host.broken["/a/python"] = FailedError("It is used by others.", code="gpu_busy")
    assert case.python() == "/a/python"
    assert not case.facts.get("tested")
    assert case.warnings == []


def test_somebody_who_has_installed_torch_since_is_seen(catalog: Catalog) -> None:
    case = Case(catalog, Host(BARE))
    case.host.facts = {**case.host.facts, "pythons": [BARE, TORCH]}
    assert case.python() == "/a/python"
    assert case.host.asked == ["probe", "smoke"]


def test_an_environment_that_is_gone_from_the_host_is_made_again(catalog: Catalog) -> None:
    case = Case(catalog, Host(BARE))
    made = case.python()
    assert case.python() == made
    case.host.made.clear()
    case.host.jobs.clear()
    assert case.python() == made
    assert case.host.asked.count("start") == 2
    assert len(case.facts["environments"]) == 1


def test_why_it_could_not_be_made_is_the_hosts_word_and_the_next_job_tries_again(catalog: Catalog) -> None:
    case = Case(catalog, Host(BARE))
    case.host.fails = [{"error": {"code": "disk_full", "message": "Full.", "hint": "Free some."}}]
    with pytest.raises(CloudtuiError) as failed:
        case.python()
    assert (failed.value.code, failed.value.message) == ("disk_full", "Full.")
    assert case.python().startswith("/root/env/")


def test_a_maker_that_never_began_or_lost_its_machine_is_started_again(catalog: Catalog) -> None:
    case = Case(catalog, Host(BARE))
    case.host.fails = [{"state": "stillborn"}, {"state": "lost-reboot"}]
    assert case.python().startswith("/root/env/")
    assert case.host.asked.count("start") == 3


def test_a_maker_that_was_killed_is_said(catalog: Catalog) -> None:
    case = Case(catalog, Host(BARE))
    case.host.fails = [{"state": "exited", "error": None}]
    with pytest.raises(FailedError) as failed:
        case.python()
    assert "SIGKILL" in failed.value.message
    assert "console" in failed.value.hint


def test_a_lost_gpu_is_a_warning_and_prepare_makes_one_that_sees_it(catalog: Catalog) -> None:
    case = Case(catalog, Host(TORCH))
    gpu = {"index": 0, "name": "H200"}
    case.host.facts = {**case.host.facts, "gpus": [gpu]}
    catalog.instances.update("box", facts=case.host.facts)
    assert case.python() == "/a/python"
    assert "instance prepare" in case.warnings[0]
    made = case.python("export", best=True)
    assert case.facts["environments"][0]["sees_cuda"] is True
    case.warnings.clear()
    assert case.python() == made
    assert case.warnings == []


def test_one_that_is_not_wanted_any_more_ends(catalog: Catalog) -> None:
    case = Case(catalog, Host(BARE))
    case.cancelled = True
    with pytest.raises(Cancelled):
        case.python()


def test_a_python_that_reads_data_is_tested_with_no_training_step(catalog: Catalog) -> None:
    reads = {**BARE, "numpy": "2.1", "polars": "1.31.0"}
    case = Case(catalog, Host(reads))
    assert case.python("tables") == "/usr/bin/python3"
    assert case.host.asked == []


def test_one_that_reads_data_is_made_where_there_is_none(catalog: Catalog) -> None:
    case = Case(catalog, Host(BARE))
    configs: list[Mapping[str, Any]] = []
    begin = case.host._start

    def start(job: str, attempt: int, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        configs.append(spec["config"])
        return begin(job, attempt, spec)

    case.host._start = start  # type: ignore[method-assign]
    assert case.python("pictures").startswith("/root/env/")
    assert configs[0]["imports"] == ["numpy", "PIL", "polars"]
    assert case.host.asked.count("smoke") == 0
    assert "torch" not in str(configs[0]["requirements"])


def test_one_with_torch_is_tested_by_a_training_step(catalog: Catalog) -> None:
    case = Case(catalog, Host(BARE))
    configs: list[Mapping[str, Any]] = []
    begin = case.host._start

    def start(job: str, attempt: int, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        configs.append(spec["config"])
        return begin(job, attempt, spec)

    case.host._start = start  # type: ignore[method-assign]
    case.python("train")
    assert configs[0]["imports"] == []
