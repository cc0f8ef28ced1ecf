"""Data that stays on its machine: made into a version there, used there, refused elsewhere, never pruned."""

from __future__ import annotations

import csv
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.home import Home, wait_until
from tests.support.proxy import Proxy
from tests.support.sshd import Sshd

pytestmark = pytest.mark.sshd


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "laptop" / "home")
    yield made
    made.close()


def add(home: Home, server: Sshd, name: str = "box", port: int | None = None) -> None:
    home.json(
        "instance", "add", name, "--ssh", f"{server.user}@{server.address}:{port or server.port}",
        "--key", str(server.user_key), "--root", str(server.root), "--accept-host-key", server.fingerprint,
    )  # fmt: skip


def write_table(path: Path, rows: int = 300) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    draw = random.Random(7)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["width", "colour", "kind"])
        for _ in range(rows):
            width = draw.random()
            writer.writerow([round(width, 4), draw.choice(["red", "blue"]), "a" if width < 0.5 else "b"])
    return path


def write_idx(folder: Path, rows: int = 200) -> Path:
    folder.mkdir(parents=True)
    draw = np.random.default_rng(3)
    labels = np.arange(rows, dtype=np.uint8) % 2
    pixels = draw.integers(0, 90, (rows, 8, 8), dtype=np.uint8) + labels[:, None, None] * 120
    (folder / "x-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, rows, 8, 8) + pixels.tobytes())
    (folder / "x-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, rows) + labels.tobytes())
    return folder


def state_of(folder: Path) -> list[tuple[str, int, int]]:
    return sorted(
        (str(path), path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    )


def laptop_bytes(home: Home) -> set[str]:
    return {path.name for path in home.paths.home.rglob("*.npy")}


def refused(home: Home, *words: str) -> tuple[int, dict[str, Any]]:
    answer = home.run("--json", *words)
    return answer.status, answer.json["error"]


@pytest.mark.services
@pytest.mark.timeout(500)
def test_a_table_on_a_host_is_used_there_and_nowhere_else(home: Home, make_sshd: Callable[..., Sshd]) -> None:
    server = make_sshd()
    add(home, server)
    source = write_table(server.folder / "data" / "things.csv")
    before = state_of(source.parent)
    made = home.json("dataset", "add", "things", f"box:{source}", "--target", "kind")
    assert (made["task"], made["classes"], made["instances"]) == ("tabular", ["a", "b"], ["box"])
    assert sum(made["splits"].values()) == 300
    assert state_of(source.parent) == before
    assert laptop_bytes(home) == set()
    there = server.root / "data" / made["sha256"]
    assert {path.suffix for path in there.iterdir()} == {".json", ".npy"}
    assert "only on box" in home.run("dataset", "show", "things").out
    assert home.json("run", "list") == []
    (job,) = home.json("run", "list", "--jobs")
    assert (job["status"], [one["name"] for one in job["artifacts"]]) == ("succeeded", ["manifest.json"])

    for words in (
        ("run", "start", "--dataset", "things", "--on", "local"),
        ("dataset", "push", "things", "local"),
    ):
        status, error = refused(home, *words)
        assert (status, error["code"]) == (4, "elsewhere"), words
        assert "only on box" in error["message"]
        assert error["hint"]

    words = ("--dataset", "things", "--on", "box", "--set", "epochs=1", "--follow")
    run = home.json("run", "start", *words, timeout=200)
    judged = home.json("model", "evaluate", run["name"], "--on", "box", timeout=200)
    assert judged["n"] == made["splits"]["test"]
    status, error = refused(home, "model", "evaluate", run["name"])
    assert (status, error["code"]) == (4, "elsewhere")

    listed = home.json("instance", "clean", "box", "--dry-run")
    mine = next(one for one in listed["entries"] if one["name"] == f"data/{made['sha256']}")
    assert (mine["goes"], "only copy" in mine["why"]) == (False, True)
    again = home.json("dataset", "add", "things", f"box:{source}", "--target", "kind")
    assert (again["id"], again["version"]) == (made["id"], 1)
    assert "things v1 lies only on box" in home.run("instance", "forget", "box").err
    assert "on no machine" in home.run("dataset", "show", "things").out


@pytest.mark.services
@pytest.mark.timeout(300)
def test_the_link_is_cut_twice_and_pictures_are_made_once(
    home: Home, make_sshd: Callable[..., Sshd], make_proxy: Callable[..., Proxy]
) -> None:
    server = make_sshd()
    proxy = make_proxy(server)
    add(home, server, port=proxy.port)
    source = write_idx(server.folder / "data" / "pictures")
    before = state_of(source)
    proxy.cut_after(150_000, reset=True)  # while what reads data is sent there
    with home.popen("--json", "dataset", "add", "pictures", f"box:{source}") as command:
        wait_until(lambda: proxy.connections > 2, 60, "the first cut")
        wait_until(
            lambda: any(one.started_at for one in home.catalog().runs.attempts(job_of(home))), 60, "its start"
        )
        proxy.reset()
        out, err = command.communicate(timeout=200)
    assert command.returncode == 0, out + err + home.log()
    (made,) = home.json("dataset", "list")
    assert (made["task"], made["classes"], made["instances"]) == ("image", ["0", "1"], ["box"])
    (job,) = home.json("run", "list", "--jobs")
    assert (job["status"], job["attempt"]) == ("succeeded", 1)
    assert (state_of(source), laptop_bytes(home)) == (before, set())
    shards = list((server.root / "data" / made["sha256"]).glob("*.npy"))
    assert len(shards) == 6
    assert not list((server.root / "jobs").glob("*/a*/made"))
    trained = home.run(
        "--json", "run", "start", "--dataset", "pictures", "--on", "box", "--set", "epochs=1", "-f"
    )
    assert trained.status == 0, trained.out + trained.err + home.log()


def job_of(home: Home) -> str:
    """The preparation, once there is one."""
    operations = home.catalog().operations.list(10)
    return next((one.target for one in operations if one.kind == "run.start"), "")


@pytest.mark.timeout(300)
@pytest.mark.services  # takes as long as one
def test_what_cannot_be_read_there_is_told_with_its_exit_status(
    home: Home, make_sshd: Callable[..., Sshd]
) -> None:
    server = make_sshd()
    add(home, server)
    source = write_table(server.folder / "data" / "things.csv")
    ragged = source.with_name("ragged.csv")
    ragged.write_text("a,b\n1,2\n3\n" * 20)
    for words, status, code, told in (
        ((f"box:{source.with_name('thing.csv')}",), 3, "not_found", "There is no"),
        ((f"box:{ragged}",), 5, "bad_input", "ragged.csv"),
        ((f"box:{source}", "--target", "knid"), 2, "usage", "knid"),
        (("bax:/data/things.csv",), 3, "not_found", "no machine called bax"),
        (("box:data/things.csv",), 2, "usage", "Where on box"),
    ):
        answer = refused(home, "dataset", "add", "things", *words)
        assert (answer[0], answer[1]["code"]) == (status, code), (words, answer)
        assert told in answer[1]["message"]
        assert answer[1]["hint"], words
    missing = refused(home, "dataset", "add", "things", f"box:{source.with_name('thing.csv')}")[1]
    assert "things.csv" in missing["hint"]
    assert home.json("dataset", "list") == []
    assert not (server.root / "data").is_dir() or not list((server.root / "data").iterdir())
    assert home.json("dataset", "add", "things", f"local:{source}")["instances"] == []
