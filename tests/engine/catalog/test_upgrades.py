"""Every released format is upgraded, and nothing of it is lost."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlite_utils
from tests.engine.catalog.helpers import metric, open_catalog

from cloudtui_engine.catalog import Catalog, RunQuery, integrity, opening
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.lock import EngineLock, holder
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.launch import AttemptState, LaunchState
from cloudtui_engine.records.run import RunState
from cloudtui_engine.runs.ingest import Ingest

OLD = Path(__file__).parents[2] / "support" / "old_databases"
FORMATS = sorted(OLD.glob("v*.sql"))


def upgraded(home: Path, dump: Path) -> Catalog:
    """The catalog that an older program left, as this one opens it."""
    with closing(sqlite3.connect(home / "catalog.db")) as db:
        db.executescript(dump.read_text())
    return open_catalog(home)


def test_there_is_one_of_every_format() -> None:
    assert [file.stem for file in FORMATS] == [f"v{number}" for number in range(1, opening.VERSION + 1)]


@pytest.mark.parametrize("file", FORMATS, ids=lambda file: file.stem)
def test_an_old_catalog_keeps_its_rows(tmp_path: Path, file: Path) -> None:
    catalog = upgraded(tmp_path, file)
    assert integrity.check(catalog.paths) == []
    run = catalog.runs.find("first")
    assert (run.status, run.params, run.tags, run.note, run.dataset) == (
        RunState.SUCCEEDED, {"lr": 0.1}, ("baseline",), "a note", "digits",
    )  # fmt: skip
    assert run.spec == {"argv": ["x"]}
    assert (run.metrics["train/loss"].count, run.metrics["train/loss"].best) == (1030, 1 / 1030)
    (series,) = catalog.metrics.series(run.id)
    assert series.steps == list(range(1030))
    assert series.values == [1 / (step + 1) for step in range(1030)]
    assert [artifact.name for artifact in run.artifacts] == ["model.onnx"]
    assert catalog.runs.reports(run.id) == {"evaluation/test": {"accuracy": 0.5}}
    model = catalog.models.find("best")
    assert (model.run_id, model.variant, model.parent_id, run.model_id) == (run.id, "", None, None)
    assert [one.wanted for one in run.artifacts] == [True]
    (*_, trained) = catalog.models.evaluations(model.id)
    assert (trained.run_id, trained.split, trained.report) == (run.id, "test", {"accuracy": 0.5})
    assert [one.name for one in catalog.runs.list(RunQuery(deleted=True))] == ["second"]
    assert catalog.datasets.find("digits").instances == ("box",)
    assert [event.name for event in catalog.events.list(run.id)] == ["started", "done"]
    assert [one.kind for one in catalog.operations.pending()] == ["run.start"]
    assert catalog.settings.get("theme") == "dark"
    source = catalog.sources.open(catalog.runs.attempt(run.id, 1).instance_id, run.id, 1, "trainer")
    into = Ingest(catalog, source, 0.0)
    into.feed(source.offset, metric(1030, {"train/loss": 0.0}))
    into.commit()
    assert catalog.metrics.summaries(run.id)["train/loss"].count == 1031
    catalog.close()


def test_a_catalog_of_the_second_format_keeps_variants_and_jobs(tmp_path: Path) -> None:
    catalog = upgraded(tmp_path, OLD / "v2.sql")
    model = catalog.models.find("best")
    (variant,) = catalog.models.children(model.id)
    assert (variant.label, variant.variant, variant.parent) == ("first-int8@1", "int8", "first@1")
    assert [(file.name, file.wanted) for file in variant.files] == [("model.onnx", False)]
    assert [one.split for one in catalog.models.evaluations(model.id)] == ["test", "test"]
    (made,) = catalog.models.compressions(model.id)
    assert (made.status, made.report["chosen"]) == (RunState.SUCCEEDED, "int8")
    assert [run.kind for run in catalog.runs.list(RunQuery(kinds=("evaluate", "compress")))] == [
        "compress", "evaluate",
    ]  # fmt: skip
    catalog.close()


def test_a_catalog_of_the_third_format_keeps_what_was_rented(tmp_path: Path) -> None:
    catalog = upgraded(tmp_path, OLD / "v3.sql")
    rented = catalog.instances.find("rented")
    assert (rented.cloud_id, rented.cloud_state, rented.spot, rented.is_rented) == (
        "i-1",
        "running",
        True,
        True,
    )
    launch = catalog.launches.get(rented.launch_id)
    assert (launch.state, launch.wish.regions) == (LaunchState.READY, ("eu-west-1",))
    (attempt,) = catalog.launches.attempts(launch.id)
    assert (attempt.state, attempt.token, attempt.payload) == (
        AttemptState.ADOPTED, "claunch1-1", {"type": "g5.xlarge"},
    )  # fmt: skip
    assert [one.complete for one in catalog.listings.list("aws")] == [True]
    assert catalog.orphans.find("i-9").address.host == "127.77.0.9"
    assert not catalog.instances.find("box").is_rented
    catalog.close()


def test_a_catalog_of_the_fourth_format_keeps_what_accrued(tmp_path: Path) -> None:
    catalog = upgraded(tmp_path, OLD / "v4.sql")
    rented = catalog.instances.find("rented")
    paid = {one.interval.what: one.interval for one in catalog.costs.paid()}
    assert (paid["machine"].cost(), paid["machine"].is_open) == (1_006_000 // 30, False)
    assert catalog.costs.open() == {rented.id: paid["disk"].ended_ms}
    price = catalog.prices.find("aws", "eu-west-1", "g5.xlarge", spot=True)
    assert price is not None
    assert price.rate == 412_300
    catalog.close()


def test_a_catalog_of_the_seventh_format_keeps_what_was_taken_of_a_store(tmp_path: Path) -> None:
    catalog = upgraded(tmp_path, OLD / "v7.sql")
    assert catalog.datasets.find("digits").taken == {"objects": 1, "bytes": 7, "etag": "ab", "version": "v1"}
    catalog.close()


def test_a_catalog_of_the_fifth_format_keeps_what_gpus_did(tmp_path: Path) -> None:
    catalog = upgraded(tmp_path, OLD / "v5.sql")
    rented = catalog.instances.find("rented")
    assert (rented.idle_since, rented.looked_at) == (1_790_000_000.0, 1_790_000_060.0)
    (minute,) = catalog.gpu_use.since(rented.id, 1_790_000_060.0)
    assert (minute.gpu, minute.utilization, minute.memory_used) == (0, 3.0, 1e9)
    catalog.close()


@pytest.mark.parametrize("set_since", [False, True])
def test_a_webhook_that_was_a_row_goes_to_its_file_and_is_in_no_copy(tmp_path: Path, set_since: bool) -> None:
    hook, newer = "https://h.example/T0/canary-7f3a", "https://h.example/T0/newer"
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as db:
        db.executescript((OLD / "v5.sql").read_text())
        db.execute("INSERT INTO setting VALUES ('notify.webhook', ?)", (json.dumps(hook),))
        db.commit()
        (tmp_path / "backups").mkdir()
        with closing(sqlite3.connect(tmp_path / "backups" / "catalog-v4-1.db")) as copy:
            db.backup(copy)
    file = tmp_path / "webhook"
    if set_since:
        file.write_text(json.dumps(newer))
    catalog = open_catalog(tmp_path)
    assert catalog.settings.get("notify.webhook") == (newer if set_since else hook)
    assert set_since or file.stat().st_mode & 0o777 == 0o600
    catalog.close()
    copies = sorted((tmp_path / "backups").iterdir())
    assert [one.name[:11] for one in copies] == ["catalog-v4-", "catalog-v5-"]
    for one in (tmp_path / "catalog.db", *copies):
        assert b"canary-7f3a" not in one.read_bytes(), one.name


def test_an_upgrade_keeps_a_copy_and_undoes_itself_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cloudtui_engine.catalog import migrations

    open_catalog(tmp_path).close()
    steps = sqlite_utils.Migrations("cloudtui")
    steps._migrations = list(migrations.migrations._migrations)

    now = opening.VERSION

    @steps()
    def m999_next(db: sqlite_utils.Database) -> None:
        db.conn.execute("ALTER TABLE run ADD COLUMN colour TEXT")
        if not allowed:
            raise RuntimeError("stop")

    allowed: list[bool] = []
    monkeypatch.setattr(migrations, "migrations", steps)
    monkeypatch.setattr(opening, "VERSION", now + 1)
    with pytest.raises(RuntimeError, match="stop"):
        open_catalog(tmp_path)
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (now,)
        assert "colour" not in str(db.execute("SELECT sql FROM sqlite_master WHERE name = 'run'").fetchone())
    allowed.append(True)
    open_catalog(tmp_path).close()
    copies = sorted((tmp_path / "backups").iterdir())
    assert len(copies) == 2
    for copy in copies:
        with closing(sqlite3.connect(copy)) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (now,)
            assert db.execute("SELECT name FROM instance").fetchall() == []


def test_half_a_copy_of_an_upgrade_that_was_killed_does_not_stay(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as db:
        db.executescript((OLD / "v1.sql").read_text())
    backups = tmp_path / "backups"
    backups.mkdir()
    for name in ("catalog-v1-7.part", "catalog-v1-7.part-journal", "catalog-v1-6.db", "mine.part"):
        (backups / name).write_bytes(b"half")
    open_catalog(tmp_path).close()
    left = {path.name for path in backups.iterdir()}
    assert {"catalog-v1-6.db", "mine.part"} < left
    assert not [name for name in left if name.startswith("catalog-v1-7")]


HOLD = """
import signal, sys
from pathlib import Path
from cloudtui_engine import lock
from cloudtui_engine.paths import Paths
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
held = lock.EngineLock(Paths(Path(sys.argv[1])))
print(held.acquire(), flush=True)
sys.stdin.read()
"""
Hold = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Hold]:
    """An engine of the older program: all that is seen of it is that it holds the lock."""
    running = []

    def start(manner: str) -> subprocess.Popen[str]:
        words = [sys.executable, "-c", HOLD, str(tmp_path), manner]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def _v1(home: Path) -> None:
    with closing(sqlite3.connect(home / "catalog.db")) as db:
        db.executescript((OLD / "v1.sql").read_text())


def test_an_engine_of_the_older_program_ends_before_the_upgrade(tmp_path: Path, engine: Hold) -> None:
    _v1(tmp_path)
    older = engine("decent")
    open_catalog(tmp_path).close()
    assert older.wait(10) == -signal.SIGTERM


def test_no_upgrade_beside_an_older_engine_that_does_not_end(
    tmp_path: Path, engine: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    _v1(tmp_path)
    older = engine("stubborn")
    monkeypatch.setattr(opening, "_ENGINE_S", 0.2)
    with pytest.raises(CatalogError, match=f"process {older.pid}"):
        open_catalog(tmp_path)
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    assert older.poll() is None


def test_the_engine_itself_may_upgrade(tmp_path: Path) -> None:
    _v1(tmp_path)
    with EngineLock(Paths(tmp_path)) as own:
        assert own.acquire()
        assert os.getpid() == holder(Paths(tmp_path))
        open_catalog(tmp_path).close()
