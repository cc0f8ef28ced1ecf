from __future__ import annotations

import gc
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import create, no_mounts, open_catalog

from cloudtui_engine.catalog import Catalog, integrity, opening
from cloudtui_engine.catalog.database import IDLE_MOST, _Handle
from cloudtui_engine.errors import CatalogError
from cloudtui_engine.paths import Paths

OPEN = (
    "import sys; from pathlib import Path; from cloudtui_engine.catalog import Catalog;"
    " from cloudtui_engine.paths import Paths; c = Catalog.open(Paths(Path(sys.argv[1])), mounts=lambda: '');"
    " c.settings.set(sys.argv[2], 1); print(c.instances.ensure_local().id)"
)


def test_eight_processes_may_create_it_at_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    starters = [
        subprocess.Popen([sys.executable, "-c", OPEN, str(home), f"k{i}"], stdout=subprocess.PIPE, text=True)
        for i in range(8)
    ]
    printed = {starter.communicate(timeout=60)[0] for starter in starters}
    assert [starter.returncode for starter in starters] == [0] * 8
    assert len(printed) == 1  # all see the same local instance
    catalog = open_catalog(home)
    assert all(catalog.settings.get(f"k{i}") == 1 for i in range(8))
    catalog.close()


def test_the_version_is_the_number_of_steps() -> None:
    from cloudtui_engine.catalog.migrations import migrations

    assert len(migrations._migrations) == opening.VERSION


def test_an_up_to_date_catalog_is_opened_without_the_migrator(tmp_path: Path) -> None:
    open_catalog(tmp_path).close()
    code = f"{OPEN}; assert 'sqlite_utils' not in sys.modules and 'numpy' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path), "k"], check=False).returncode == 0


def test_it_is_private_and_in_wal_mode(catalog: Catalog) -> None:
    assert catalog.paths.catalog.stat().st_mode & 0o077 == 0
    with catalog.read() as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("PRAGMA foreign_keys").fetchone() == (1,)
        assert db.execute("PRAGMA secure_delete").fetchone() == (1,)
        assert db.execute("PRAGMA synchronous").fetchone() == (1,)
        assert db.execute("PRAGMA busy_timeout").fetchone() == (10_000,)


def test_a_missing_one_is_only_made_when_asked(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="no catalog") as raised:
        Catalog.open(Paths(tmp_path / "none"), create=False, mounts=no_mounts)
    assert raised.value.code == "catalog_missing"
    assert not (tmp_path / "none").exists()


def test_a_newer_one_is_refused_untouched(tmp_path: Path) -> None:
    catalog = open_catalog(tmp_path)
    with catalog.write() as db:
        db.execute(f"PRAGMA user_version = {opening.VERSION + 1}")
    catalog.close()
    before = catalog.paths.catalog.read_bytes()
    with pytest.raises(CatalogError, match="newer") as raised:
        open_catalog(tmp_path)
    assert "pip install" in raised.value.hint
    assert catalog.paths.catalog.read_bytes() == before


@pytest.mark.parametrize("content", [b"hello, this is no database" * 100, b"SQLite format 3\x00", b"x"])
def test_what_is_no_database_is_reported_and_left(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "catalog.db"
    file.write_bytes(content)
    with pytest.raises(CatalogError, match="damaged") as raised:
        open_catalog(tmp_path)
    assert "restore" in raised.value.hint
    assert file.read_bytes() == content


def test_a_truncated_one_is_reported_and_left(tmp_path: Path) -> None:
    catalog = open_catalog(tmp_path)
    create(catalog)
    catalog.close()
    whole = catalog.paths.catalog.read_bytes()
    catalog.paths.catalog.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CatalogError, match="damaged"):
        open_catalog(tmp_path)
    assert catalog.paths.catalog.read_bytes() == whole[: len(whole) // 2]


def _look_at_all(catalog: Catalog) -> None:
    for i in range(200):
        catalog.settings.get(f"key{i}")


def test_damage_that_shows_later_is_an_error_with_a_hint(tmp_path: Path) -> None:
    catalog = open_catalog(tmp_path)
    for i in range(200):
        catalog.settings.set(f"key{i}", "x" * 2000)
    catalog.close()
    whole = bytearray(catalog.paths.catalog.read_bytes())
    half = len(whole) // 2
    whole[half:] = b"\xff" * (len(whole) - half)
    catalog.paths.catalog.write_bytes(whole)
    damaged = open_catalog(tmp_path)
    with pytest.raises(CatalogError, match="damaged"):
        _look_at_all(damaged)
    with pytest.raises(CatalogError, match="damaged"):
        _fill(damaged)
    damaged.close()
    assert integrity.check(damaged.paths)


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "catalog.db") as db:
        db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(CatalogError, match="another program"):
        open_catalog(tmp_path)


def test_an_empty_file_is_what_a_crash_before_the_first_commit_leaves(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").touch()
    open_catalog(tmp_path).close()


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p", "lustre"])
def test_a_network_file_system_is_refused(tmp_path: Path, kind: str) -> None:
    point = str(tmp_path).replace(" ", "\\040")
    mounts = "1 0 8:1 / / rw shared:1 - ext4 /dev/sda rw\n"
    mounts += f"2 1 0:9 / {point} rw,relatime shared:7 - {kind} server:/x rw\n"
    with pytest.raises(CatalogError, match="network") as raised:
        Catalog.open(Paths(tmp_path / "a" / "home"), mounts=lambda: mounts)
    assert kind in raised.value.message
    assert "--home" in raised.value.hint
    assert not (tmp_path / "a").exists()


def test_a_local_mount_over_a_network_one_counts(tmp_path: Path) -> None:
    inner = tmp_path / "local"
    inner.mkdir()
    mounts = (
        f"2 1 0:9 / {tmp_path} rw - nfs4 server:/x rw\n"
        f"3 2 0:9 / {inner} rw - ext4 /dev/sdb rw\n"
        "nonsense\n4 3 0:9 / /other rw - nfs x\n"
    )
    Catalog.open(Paths(inner), mounts=lambda: mounts).close()


def test_a_full_disk_says_so_and_loses_nothing(catalog: Catalog) -> None:
    with catalog.read() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(CatalogError) as raised:
        _fill(catalog)
    assert raised.value.code == "disk_full"
    assert "space" in raised.value.hint
    with catalog.read() as db:
        db.execute("PRAGMA max_page_count = 100000")
    catalog.settings.set("after", 1)
    assert catalog.settings.get("after") == 1


def _fill(catalog: Catalog) -> None:
    for i in range(100):
        catalog.settings.set(f"key{i}", "x" * 2000)


def test_no_permission_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(CatalogError, match="cannot be opened") as raised:
        open_catalog(tmp_path / "file" / "home")
    assert raised.value.hint


def _set_and_fail(catalog: Catalog, why: str, key: str) -> None:
    with catalog.write("setting"):
        catalog.settings.set(key, 1)
        raise RuntimeError(why)


def test_a_write_is_all_or_nothing(catalog: Catalog) -> None:
    before = catalog.topics()
    with pytest.raises(RuntimeError, match="stop"):
        _set_and_fail(catalog, "stop", "a")
    assert catalog.settings.get("a") is None
    assert catalog.topics() == before


def test_an_inner_write_joins_the_outer_one_and_undoes_only_itself(catalog: Catalog) -> None:
    with catalog.write("outer") as outer:
        catalog.settings.set("kept", 1)
        with catalog.write("inner") as inner:
            assert inner is outer
        with pytest.raises(RuntimeError, match="stop"):
            _set_and_fail(catalog, "stop", "dropped")
    assert (catalog.settings.get("kept"), catalog.settings.get("dropped")) == (1, None)
    assert {"outer", "setting"} <= catalog.topics().keys()


def test_a_write_inside_a_read_is_refused(catalog: Catalog) -> None:
    with catalog.read(), pytest.raises(RuntimeError, match="read"):
        catalog.settings.set("a", 1)
    catalog.settings.set("a", 1)


def test_a_read_is_one_view(catalog: Catalog, tmp_path: Path) -> None:
    other = open_catalog(tmp_path / "home")
    with catalog.read():
        assert catalog.settings.get("x") is None
        other.settings.set("x", 1)
        assert catalog.settings.get("x") is None
    assert catalog.settings.get("x") == 1
    other.close()


def test_topics_and_the_version_move_with_every_commit(catalog: Catalog, tmp_path: Path) -> None:
    other = open_catalog(tmp_path / "home")
    mine, theirs = catalog.data_version(), other.data_version()
    version, names = catalog.changed(0)
    catalog.settings.set("a", 1)
    assert catalog.data_version() != mine  # one's own commits, too
    assert other.data_version() != theirs
    assert other.changed(version) == (version + 1, frozenset({"setting"}))
    assert other.changed(version + 1) == (version + 1, frozenset())
    assert catalog.topics()["setting"] == version + 1
    with catalog.write("a", "b"):
        pass
    assert catalog.changed(version + 1)[1] == {"a", "b"}
    assert names <= catalog.topics().keys()
    other.close()


def test_a_durable_write_is_full_and_the_next_one_is_not(catalog: Catalog) -> None:
    with catalog.write(durable=True) as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    with catalog.write() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (1,)


def test_writers_of_many_threads_wait_for_each_other(catalog: Catalog) -> None:
    def count() -> None:
        for _ in range(50):
            with catalog.write("n"):
                catalog.settings.set("n", catalog.settings.get("n", 0) + 1)

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert catalog.settings.get("n") == 300
    assert catalog.topics()["n"] > 0


def test_writers_of_many_processes_wait_for_each_other(tmp_path: Path) -> None:
    open_catalog(tmp_path).close()
    code = (
        "import sys; from pathlib import Path; from cloudtui_engine.catalog import Catalog;"
        " from cloudtui_engine.paths import Paths\n"
        "c = Catalog.open(Paths(Path(sys.argv[1])), mounts=lambda: '')\n"
        "for _ in range(50):\n"
        "    with c.write():\n"
        "        c.settings.set('n', c.settings.get('n', 0) + 1)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    catalog = open_catalog(tmp_path)
    assert catalog.settings.get("n") == 150
    catalog.close()


def connections() -> int:
    """How many this process holds; SQLite keeps the files of closed ones open for their locks."""
    gc.collect()
    return sum(isinstance(one, _Handle) for one in gc.get_objects())


def test_a_threads_connection_goes_with_it(catalog: Catalog) -> None:
    def look() -> None:
        catalog.topics()

    before = connections()
    for _ in range(5):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(10)
    assert connections() <= before + 1


def test_closing_twice_is_fine_and_using_it_afterwards_is_not(tmp_path: Path) -> None:
    catalog = open_catalog(tmp_path)
    catalog.close()
    catalog.close()
    with pytest.raises((CatalogError, sqlite3.ProgrammingError)):
        catalog.settings.get("x")


_A_SECOND_PROCESS = """
import sys
from pathlib import Path
from cloudtui_engine.catalog import Catalog
from cloudtui_engine.paths import Paths
catalog = Catalog.open(Paths(Path(sys.argv[1])))
catalog.settings.set("second", 1)
catalog.close()
"""


def test_opening_once_more_keeps_the_locks_of_what_is_open(tmp_path: Path) -> None:
    """A process that opens it twice must not lose its locks, or the next to leave takes away its log."""
    first = Catalog.open(Paths(tmp_path))
    first.settings.set("first", 1)
    log = Path(f"{first.paths.catalog}-wal")
    before = log.stat().st_ino
    Catalog.open(Paths(tmp_path)).close()
    subprocess.run([sys.executable, "-c", _A_SECOND_PROCESS, str(tmp_path)], check=True)
    assert log.exists()
    assert log.stat().st_ino == before
    first.settings.set("third", 1)
    third = Catalog.open(Paths(tmp_path))
    assert [third.settings.get(key, 0) for key in ("first", "second", "third")] == [1, 1, 1]


def test_threads_that_wait_hold_no_connection(tmp_path: Path) -> None:
    before = connections()
    catalog = open_catalog(tmp_path)
    rested, leave = threading.Barrier(3 * IDLE_MOST + 1), threading.Event()

    def look() -> None:
        catalog.topics()
        rested.wait(20)
        leave.wait(20)

    threads = [threading.Thread(target=look) for _ in range(3 * IDLE_MOST)]
    for thread in threads:
        thread.start()
    rested.wait(20)
    assert 1 <= connections() - before <= IDLE_MOST
    leave.set()
    for thread in threads:
        thread.join(20)
    catalog.close()


def test_threads_that_wait_for_their_turn_to_write_hold_no_connection(tmp_path: Path) -> None:
    before = connections()
    catalog = open_catalog(tmp_path)
    done: list[None] = []

    def write() -> None:
        asked.release()
        with catalog.write("setting"):
            done.append(None)

    asked = threading.Semaphore(0)
    threads = [threading.Thread(target=write) for _ in range(20)]
    with catalog.write("setting"):
        for thread in threads:
            thread.start()
        assert all(asked.acquire(timeout=20) for _ in threads)
        catalog.topics()  # a moment in which each of them comes as far as it can
        assert connections() == before + 1
    for thread in threads:
        thread.join(20)
    assert len(done) == 20
    catalog.close()


def test_closing_takes_no_connection_from_under_another_thread(tmp_path: Path) -> None:
    before = connections()
    catalog = open_catalog(tmp_path)
    begun, closed, read = threading.Event(), threading.Event(), []

    def look() -> None:
        with catalog.read() as db:
            begun.set()
            assert closed.wait(20)
            read.extend(db.execute("SELECT 1").fetchall())

    thread = threading.Thread(target=look)
    thread.start()
    assert begun.wait(20)
    catalog.close()
    closed.set()
    thread.join(20)
    assert [tuple(row) for row in read] == [(1,)]
    assert connections() == before, "what was open when it was closed is closed by whoever had it"
