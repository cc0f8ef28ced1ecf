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
from tests.support.home import Home
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


@pytest.mark.timeout(300)
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

    run = home.run("--json", "run", "start", "--dataset", "things", "--on", "box", "--set", "epochs=1", "-f")
    assert run.status == 0, run.out + run.err + home.log()
    assert home.json("model", "evaluate", run.json["name"], "--on", "box")["n"] == made["splits"]["test"]
    status, error = refused(home, "model", "evaluate", run.json["name"])
    assert (status, error["code"]) == (4, "elsewhere")

    listed = home.json("instance", "clean", "box", "--dry-run")
    mine = next(one for one in listed["entries"] if one["name"] == f"data/{made['sha256']}")
    assert (mine["goes"], "only copy" in mine["why"]) == (False, True)
    again = home.json("dataset", "add", "things", f"box:{source}", "--target", "kind")
    assert (again["id"], again["version"]) == (made["id"], 1)
    assert "things v1 lies only on box" in home.run("instance", "forget", "box").err
    assert "on no machine" in home.run("dataset", "show", "things").out
