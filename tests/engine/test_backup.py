from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import create, metric, open_catalog, store

from cloudtui_engine.backup import backup, restore
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import BadInputError, CatalogError, FailedError, RefusedError
from cloudtui_engine.lock import EngineLock
from cloudtui_engine.paths import Paths


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Catalog]:
    """A home with a run, a pulled file, a dataset and a log."""
    catalog = open_catalog(tmp_path / "home")
    run = create(catalog, "kept")
    store(catalog, run, b"".join(metric(i, {"loss": 1.0 / (i + 1)}) for i in range(2000)))
    store(catalog, run, b"console text\n", name="console")
    content = b"weights" * 1000
    stored = catalog.paths.file(hashlib.sha256(content).hexdigest())
    stored.parent.mkdir(parents=True)
    stored.write_bytes(content)
    manifest = {"name": "d", "files": {"x.npy": {"size": 4, "sha256": hashlib.sha256(b"rows").hexdigest()}}}
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()
    folder = catalog.paths.data / hashlib.sha256(text).hexdigest()
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_bytes(text)
    (folder / "x.npy").write_bytes(b"rows")
    (catalog.paths.data / ".being-written").write_text("no")
    yield catalog
    catalog.close()


def content(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for folder in ("files", "data", "logs")
        for path in (home / folder).rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_a_home_goes_into_a_file_and_comes_back(home: Catalog, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    size = backup(home.paths, tmp_path / "b.tar", lambda done, total: told.append((done, total)))
    assert size == (tmp_path / "b.tar").stat().st_size
    assert told[-1][0] == told[-1][1]
    assert (tmp_path / "b.tar").stat().st_mode & 0o077 == 0
    other = Paths(tmp_path / "new" / "home")
    assert restore(other, tmp_path / "b.tar") is None
    assert content(other.home) == content(home.paths.home)
    restored = open_catalog(other.home)
    (run,) = restored.runs.list()
    assert run.metrics["loss"].count == 2000
    assert restored.metrics.series(run.id) == home.metrics.series(run.id)
    assert restored.paths.console(run.id, 1).read_bytes() == b"console text\n"
    restored.close()
    assert not list(tmp_path.rglob("*.part"))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["home"]


def test_a_backup_of_a_busy_catalog_is_of_one_moment(home: Catalog, tmp_path: Path) -> None:
    done = threading.Event()

    def write() -> None:
        i = 0
        while not done.is_set():
            with home.write():
                home.settings.set("a", i)
                home.settings.set("b", i)
            i += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for place in range(3):
            backup(home.paths, tmp_path / "b.tar")
            restore(Paths(tmp_path / f"r{place}"), tmp_path / "b.tar")
            found = open_catalog(tmp_path / f"r{place}")
            assert found.settings.get("a") == found.settings.get("b")
            found.close()
    finally:
        done.set()
        writer.join(30)


def test_a_home_is_replaced_only_by_force_and_kept_aside(home: Catalog, tmp_path: Path) -> None:
    backup(home.paths, tmp_path / "b.tar")
    create(home, "after the backup")
    home.close()
    with pytest.raises(RefusedError) as raised:
        restore(home.paths, tmp_path / "b.tar")
    assert raised.value.code == "needs_force"
    aside = restore(home.paths, tmp_path / "b.tar", force=True)
    assert aside is not None
    for place, wanted in ((home.paths.home, ["kept"]), (aside, ["after the backup", "kept"])):
        found = open_catalog(place)
        assert [run.name for run in found.runs.list()] == wanted
        found.close()


def test_a_running_engine_is_not_pulled_the_ground_from_under(home: Catalog, tmp_path: Path) -> None:
    backup(home.paths, tmp_path / "b.tar")
    with EngineLock(home.paths) as held:
        assert held.acquire()
        with pytest.raises(RefusedError) as raised:
            restore(home.paths, tmp_path / "b.tar", force=True)
    assert raised.value.code == "engine_runs"


def archive(file: Path, *members: tuple[str, bytes | None]) -> None:
    with tarfile.open(file, "w") as tar:
        for name, data in members:
            member = tarfile.TarInfo(name)
            if data is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            member.size = len(data or b"")
            tar.addfile(member, io.BytesIO(data or b""))


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/evil",
        "files/../../evil",
        "files",
        "other/x",
        "engine.lock",
        "./catalog.db",
        "files//x",
        "data/a/../b",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(home: Catalog, tmp_path: Path, name: str) -> None:
    backup(home.paths, tmp_path / "b.tar")
    with tarfile.open(tmp_path / "b.tar", "a") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(BadInputError):
        restore(Paths(tmp_path / "new"), tmp_path / "b.tar")
    assert not (tmp_path / "new").exists()
    assert not list(tmp_path.glob("**/evil"))


def test_links_and_twins_are_refused(home: Catalog, tmp_path: Path) -> None:
    archive(tmp_path / "link.tar", ("catalog.db", b"x"), ("files/aa/x", None))
    archive(tmp_path / "twin.tar", ("known_hosts", b"x"), ("known_hosts", b"y"))
    for name in ("link.tar", "twin.tar"):
        with pytest.raises(BadInputError):
            restore(Paths(tmp_path / "new"), tmp_path / name)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("kept", [0, 10, 600, 50_000])
def test_a_cut_off_backup_is_refused(home: Catalog, tmp_path: Path, kept: int) -> None:
    backup(home.paths, tmp_path / "b.tar")
    (tmp_path / "b.tar").write_bytes((tmp_path / "b.tar").read_bytes()[:kept])
    home.close()
    with pytest.raises(BadInputError):
        restore(home.paths, tmp_path / "b.tar", force=True)
    assert [run.name for run in open_catalog(home.paths.home).runs.list()] == ["kept"]


@pytest.mark.parametrize("needle", [b"weightsweights", b"rows\x00", b'"files":'])
def test_changed_content_is_refused(home: Catalog, tmp_path: Path, needle: bytes) -> None:
    backup(home.paths, tmp_path / "b.tar")
    data = (tmp_path / "b.tar").read_bytes()
    assert needle in data
    (tmp_path / "b.tar").write_bytes(data.replace(needle, b"W" + needle[1:]))
    with pytest.raises(BadInputError, match="damaged"):
        restore(Paths(tmp_path / "new"), tmp_path / "b.tar")
    assert not (tmp_path / "new").exists()


def test_what_cannot_be_is_said(home: Catalog, tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="cannot be written"):
        backup(home.paths, tmp_path / "no" / "b.tar")
    with pytest.raises(CatalogError, match="no catalog"):
        backup(Paths(tmp_path / "none"), tmp_path / "b.tar")
    with pytest.raises(BadInputError, match="no file"):
        restore(Paths(tmp_path / "new"), tmp_path / "b.tar")
    archive(tmp_path / "empty.tar")
    with pytest.raises(BadInputError, match="no backup"):
        restore(Paths(tmp_path / "new"), tmp_path / "empty.tar")
