"""Handlers against hosts that are hostile, locked or have lost what they had."""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import create, open_catalog

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import FailedError
from cloudtui_engine.handlers import enrol
from cloudtui_engine.handlers.context import Asked, Context
from cloudtui_engine.handlers.pull import pull
from cloudtui_engine.handlers.push import push
from cloudtui_engine.hosts.transport.keys import PassphraseError
from cloudtui_engine.hosts.transport.local import LocalTransport
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.operation import Operation
from cloudtui_engine.secret_channel import SecretBox


class _Links:
    """Every link is this one."""

    def __init__(self, root: Path, answer: Callable[[], Mapping[str, Any]] = dict) -> None:
        self.transport, self.root = LocalTransport(), str(root)
        self.put_lock = threading.Lock()
        self._answer = answer

    def to(self, _instance_id: str) -> _Links:
        return self

    @contextlib.contextmanager
    def session(self, _timeout: float) -> Iterator[Any]:
        reply = self._answer()
        yield SimpleNamespace(request=lambda *_args, **_options: reply)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path / "home")
    yield opened
    opened.close()


def context(catalog: Catalog, links: _Links) -> Context:
    no_secrets = cast("SecretBox", None)
    return Context(catalog, catalog.paths, cast("Any", links), no_secrets, threading.Event())


def operation(catalog: Catalog, kind: str, target: str, **args: Any) -> Operation:
    return catalog.operations.submit(kind, target, args, None)


def test_a_hostile_probe_is_not_kept(catalog: Catalog, tmp_path: Path) -> None:
    local = catalog.instances.ensure_local()
    links = _Links(tmp_path, lambda: {"gpus": 5, "os": "Linux"})
    with pytest.raises(FailedError):
        enrol.probe(context(catalog, links), operation(catalog, "instance.probe", local.id))
    assert catalog.instances.list() == [local]
    links = _Links(tmp_path, lambda: {"gpus": [{"index": 0, "name": 5}], "os": ["Linux"], "x": 1})
    enrol.probe(context(catalog, links), operation(catalog, "instance.probe", local.id))
    (kept,) = catalog.instances.list()
    assert kept.gpus == ({"index": 0, "name": None, "processes": []},)
    assert kept.facts["os"] is None
    assert "x" not in kept.facts


@pytest.mark.parametrize("kind", ["instance.probe", "run.pull", "dataset.push"])
def test_a_lost_passphrase_is_asked_for_again(catalog: Catalog, tmp_path: Path, kind: str) -> None:
    def locked() -> Mapping[str, Any]:
        raise PassphraseError("The key is locked.", "Enter its passphrase.", "/k")

    local = catalog.instances.ensure_local().id
    if kind == "instance.probe":
        handler, made = enrol.probe, operation(catalog, kind, local)
    elif kind == "run.pull":
        run = create(catalog)
        catalog.runs.add_artifacts(run.id, 1, [("m", "onnx", 1, "ab" * 32)])
        handler, made = pull, operation(catalog, kind, run.id, attempt=1)
    else:
        dataset = Dataset(new_id(), "d", 1, "image", "ab" * 32, 1, {}, ())
        catalog.datasets.add(dataset)
        handler, made = push, operation(catalog, kind, dataset.id, instance=local)
    with pytest.raises(Asked) as asked:
        handler(context(catalog, _Links(tmp_path, locked)), made)
    question = asked.value.question
    assert (question["kind"], question["key_file"], question["subject"]) == ("passphrase", "/k", local)


def test_artifacts_that_are_gone_keep_no_other_from_coming(catalog: Catalog, tmp_path: Path) -> None:
    run = create(catalog)
    root = tmp_path / "root"
    folder = root / f"jobs/{run.id}/a0001/artifacts"
    folder.mkdir(parents=True)
    listed = []
    for number in range(12):
        content = bytes([number]) * (number * 1000 + 1)
        (folder / f"f{number:02}").write_bytes(content)
        listed.append((f"f{number:02}", "file", len(content), hashlib.sha256(content).hexdigest()))
    catalog.runs.add_artifacts(run.id, 1, listed)
    (folder / "f03").unlink()
    (folder / "f05").write_bytes(b"longer" * 9000)
    (folder / "f08").write_bytes(b"x" * 8001)
    made = operation(catalog, "run.pull", run.id, attempt=1)
    for _ in range(2):
        with pytest.raises(FailedError) as failed:
            pull(context(catalog, _Links(root)), made)
        assert failed.value.code == "results_lost"
        assert all(name in failed.value.message for name in ("f03", "f05", "f08"))
        artifacts = catalog.runs.artifacts(run.id, 1)
        assert [one.name for one in artifacts if one.local is None] == ["f03", "f05", "f08"]
        assert not list(catalog.paths.files.glob(".pull-*"))
    for one in artifacts:
        if one.local is not None:
            assert hashlib.sha256(Path(one.local).read_bytes()).hexdigest() == one.sha256
