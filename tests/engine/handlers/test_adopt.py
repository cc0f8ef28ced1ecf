"""A manifest that came from a host: kept when it is good, refused when the host lies; and where data lies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.engine.catalog.helpers import finish, open_catalog
from tests.engine.handlers.test_clean import Host, cleaned, lying

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.data import build_dataset, class_balance, read_rows
from cloudtui_engine.errors import FailedError, NotFoundError, RefusedError
from cloudtui_engine.handlers import adopt as adopting
from cloudtui_engine.handlers import stage
from cloudtui_engine.handlers.packing import data_need
from cloudtui_engine.hosts import transfer
from cloudtui_engine.ids import new_id
from cloudtui_engine.records.dataset import Dataset
from cloudtui_engine.records.instance import Instance
from cloudtui_engine.records.run import Run
from cloudtui_engine.runs import commands, preparing

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = open_catalog(tmp_path / "home")
    opened.instances.add(Instance(id=new_id(), name="box", provider="ssh", created_at=1.0))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    folder = tmp_path_factory.mktemp("made")
    rows = [f"{number * 7 % 50},{'ab'[number % 2]}" for number in range(60)]
    (folder / "things.csv").write_text("\n".join(["size,kind", *rows]) + "\n")
    return build_dataset(str(folder / "things.csv"), folder / "data", name="things").data


def prepared(catalog: Catalog, content: bytes) -> Run:
    """A preparation on box that has ended and left this as its manifest, which is here."""
    box = catalog.instances.find("box")
    run = preparing.start_preparing(catalog, name="things", source="/data/x", instance=box, wishes={})
    sha256 = hashlib.sha256(content).hexdigest()
    catalog.runs.add_artifacts(run.id, 1, [("manifest.json", "json", len(content), sha256)])
    finish(catalog, run.id)
    path = catalog.paths.file(sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    catalog.runs.mark_pulled(run.id, 1, "manifest.json")
    return catalog.runs.get(run.id)


def adopt(catalog: Catalog, run: Run) -> Dataset | None:
    return adopting.adopt(cast("Any", SimpleNamespace(catalog=catalog, paths=catalog.paths)), run, 1)


def canonical(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def kept(catalog: Catalog, manifest: Mapping[str, Any]) -> Dataset:
    dataset = adopt(catalog, prepared(catalog, canonical(manifest)))
    assert dataset is not None
    return dataset


def test_a_manifest_is_a_version_that_lies_there(catalog: Catalog, manifest: Mapping[str, Any]) -> None:
    dataset = kept(catalog, manifest)
    assert dataset.sha256 == hashlib.sha256(canonical(manifest)).hexdigest()
    assert (dataset.name, dataset.version) == ("things", 1)
    assert (dataset.source, dataset.instances, dataset.only_on) == ("box:/data/x", ("box",), "only on box")
    assert not dataset.is_here
    again = kept(catalog, manifest)
    assert (again.id, again.version) == (dataset.id, 1)
    assert len(catalog.datasets.list()) == 1
    assert not catalog.datasets.list()[0].is_here


def nan(data: dict[str, Any]) -> None:
    data["columns"][0]["missing"] = float("nan")


HOSTILE: dict[str, Change] = {
    "another name": lambda data: data.update(name="other"),
    "a name that is none": lambda data: data.update(name="../x"),
    "another task": lambda data: data.update(task="\x1b[2J"),
    "another format": lambda data: data.update(format=9),
    "rows without end": lambda data: data["splits"]["train"].update(rows=10**400),
    "rows that are none": lambda data: data["splits"]["train"].update(rows=True),
    "a size below zero": lambda data: data["files"]["train-x.npy"].update(size=-1),
    "a file elsewhere": lambda data: data["files"].update({"../x": {"size": 1, "sha256": "0" * 64}}),
    "half a pair": lambda data: data["findings"].append({"code": "x", "column": "", "text": "\ud800"}),
    "no number": nan,
    "no features": lambda data: data["features"].update(columns=[]),
    "other columns": lambda data: data["columns"].append(data["columns"][0]),
    "no shape": lambda data: data.update(input={}),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_host_that_lies_gets_nothing_into_the_catalog(
    catalog: Catalog, manifest: Mapping[str, Any], change: Change
) -> None:
    data = json.loads(json.dumps(manifest))
    change(data)
    with pytest.raises(FailedError, match="no manifest that can be used") as failed:
        adopt(catalog, prepared(catalog, canonical(data)))
    assert failed.value.code == "bad_manifest"
    assert "\x1b" not in failed.value.message
    assert catalog.datasets.list() == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"[" * 100_000, b'{"format":1}', b"\xff\xfe"],
    ids=["empty", "cut", "list", "deep", "bare", "bytes"],
)
def test_what_is_no_json_of_a_manifest_is_refused(catalog: Catalog, content: bytes) -> None:
    with pytest.raises(FailedError) as failed:
        adopt(catalog, prepared(catalog, content))
    assert failed.value.code == "bad_manifest"


def test_other_spelling_is_not_what_names_the_version(catalog: Catalog, manifest: Mapping[str, Any]) -> None:
    with pytest.raises(FailedError, match="not written as manifests are"):
        adopt(catalog, prepared(catalog, json.dumps(manifest, indent=1).encode()))


def test_a_manifest_beyond_the_limit_is_not_even_fetched(catalog: Catalog) -> None:
    box = catalog.instances.find("box")
    run = preparing.start_preparing(catalog, name="things", source="/x", instance=box, wishes={})
    from cloudtui_engine.runs.pull_policy import Policy

    files = [("manifest.json", "json", preparing.MOST_BYTES + 1, "0" * 64)]
    assert Policy.of(catalog.runs.spec(run.id)).left([], files) == {"manifest.json"}
    assert adopt(catalog, catalog.runs.get(run.id)) is None


def test_no_model_is_made_of_what_a_preparation_leaves(catalog: Catalog) -> None:
    from cloudtui_engine.records.run import RunState
    from cloudtui_engine.runs import lineage

    run = prepared(catalog, b"{}")
    catalog.runs.add_artifacts(run.id, 1, [("model.safetensors", "weights", 5, "b" * 64)])
    lineage.register(catalog, catalog.runs.attempt(run.id, 1), RunState.SUCCEEDED)
    assert catalog.models.list() == []


def test_it_is_used_where_it_lies_and_refused_elsewhere(
    catalog: Catalog, manifest: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = kept(catalog, manifest)
    box, local = catalog.instances.find("box"), catalog.instances.ensure_local()
    with pytest.raises(RefusedError, match="only on box") as refused:
        commands.start_training(catalog, dataset=dataset, instances=[local], params={})
    assert (refused.value.code, "--on box" in refused.value.hint) == ("elsewhere", True)
    assert catalog.runs.list() == []
    assert commands.start_training(catalog, dataset=dataset, instances=[box], params={}).instances == ("box",)

    link = SimpleNamespace(transport=None, root="")
    carrier = stage.Carrier(catalog.paths, cast("Any", link), lambda *_: None, lambda: False)
    asked: list[str] = []
    present = True

    def is_there(_transport: object, *, root: str, dest: str, cancelled: object) -> bool:
        asked.append(dest)
        return present

    monkeypatch.setattr(transfer, "is_there", is_there)
    assert carrier.dataset(dataset, "box") == f"data/{dataset.sha256}" == asked[0]
    with pytest.raises(RefusedError):
        carrier.dataset(dataset, "local")
    present = False
    with pytest.raises(NotFoundError, match="neither on this machine nor on box") as gone:
        carrier.dataset(dataset, "box")
    assert gone.value.hint == "Add it again: cloudtui dataset add things box:/data/x"


def test_it_is_never_cleaned_away(catalog: Catalog, manifest: Mapping[str, Any]) -> None:
    dataset = kept(catalog, manifest)
    host = Host([lying(f"data/{dataset.sha256}"), *map(lying, sorted(stage.own_folders()))])
    done = cleaned(catalog, host, remove=[f"data/{dataset.sha256}", *stage.own_folders()])
    assert host.removed == []
    why = {one["name"]: one["why"] for one in done["entries"]}
    assert "only copy of things v1" in why[f"data/{dataset.sha256}"]
    assert {why[name] for name in stage.own_folders()} == {"In use."}
    assert len(stage.own_folders()) == 2


def test_its_rows_are_told_to_lie_there(catalog: Catalog, manifest: Mapping[str, Any]) -> None:
    dataset = kept(catalog, manifest)
    with pytest.raises(NotFoundError, match="only on box"):
        read_rows(catalog.paths, dataset, "train", [0])
    with pytest.raises(NotFoundError, match="only on box"):
        class_balance(catalog.paths, dataset)
    catalog.instances.forget(catalog.instances.find("box").id, 2.0)
    assert catalog.datasets.get(dataset.id).only_on == "on no machine that is known"


def test_a_copy_here_makes_it_one_like_any_other(catalog: Catalog, manifest: Mapping[str, Any]) -> None:
    dataset = kept(catalog, manifest)
    folder = catalog.paths.data / dataset.sha256
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(canonical(manifest))
    now = catalog.datasets.get(dataset.id)
    assert (now.is_here, now.only_on, now == dataset) == (True, "", True)
    local = catalog.instances.ensure_local()
    assert commands.start_training(catalog, dataset=now, instances=[local], params={})


@pytest.mark.parametrize(
    ("source", "need"),
    [
        ("/d/a.csv", "tables"), ("/d/a.csv.gz", "tables"), ("~/a.parquet", "tables"),
        ("/d/a.zip", "archives"), ("/d/a.tsv", "tables"),
        ("/d/train-images-idx3-ubyte", "arrays"), ("/d/train-images-idx3-ubyte.gz", "arrays"),
        ("/d/pets", "pictures"), ("/d/csv/", "pictures"),
    ],
)  # fmt: skip
def test_what_reading_takes_is_seen_by_the_name(source: str, need: str) -> None:
    assert data_need(source) == need
