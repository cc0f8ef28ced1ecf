"""What lies below a root is listed with its size, and only what nobody needs is removed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cloudtui_host import files, locks, status, upkeep
from cloudtui_host.errors import HostError

OLD, NEW = "a" * 64, "b" * 64


def put(root: Path, name: str, size: int = 10) -> Path:
    folder = root / name
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "file").write_bytes(b"x" * size)
    return folder


def attempt(root: Path, job: str, number: int = 1, spec: dict[str, Any] | None = None) -> Path:
    folder = put(root, f"jobs/{job}/a{number:04d}")
    files.write_new(str(folder / "spec.json"), files.to_json(spec or {}))
    files.write_new(str(folder / "attempt.json"), files.to_json({"machine_id": "m", "boot_id": "b"}))
    files.reserve_exit(str(folder))
    files.write_exit(str(folder), {"code": 0})
    return folder


def names(root: Path) -> list[str]:
    return [one["name"] for one in upkeep.inventory(str(root), None)["entries"]]


@pytest.fixture
def states(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The state of each attempt, `exited` where none is given."""
    known: dict[str, str] = {}
    monkeypatch.setattr(
        status, "read", lambda _root, job, number: {"state": known.get(f"{job}/{number}", "exited")}
    )
    return known


def refused(root: Path, name: object) -> str:
    with pytest.raises(HostError) as error:
        upkeep.remove(str(root), name)
    return error.value.code


def test_an_inventory_tells_size_age_and_state_of_what_is_ours(
    tmp_path: Path, states: dict[str, str]
) -> None:
    put(tmp_path, f"data/{OLD}", 30)
    attempt(tmp_path, "job1")
    states["job1/1"] = "running"
    put(tmp_path, "data/mine")
    put(tmp_path, "thesis")
    (tmp_path / "data" / NEW).symlink_to(tmp_path / "thesis")
    found = upkeep.inventory(str(tmp_path), None)
    job, data = sorted(found["entries"], key=lambda one: one["name"], reverse=True)
    assert (data["name"], data["size_bytes"], data["state"]) == (f"data/{OLD}", 30, "")
    assert (job["name"], job["state"]) == ("jobs/job1/a0001", "running")
    assert 0 <= job["age_s"] < 60
    assert found["unknown"] == ["thesis"]
    assert found["next"] is None


def test_a_long_inventory_comes_in_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "PAGE", 2)
    for i in range(5):
        put(tmp_path, f"script/{i}" + "0" * 63)
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = upkeep.inventory(str(tmp_path), after)
        seen += [one["name"] for one in page["entries"]]
        after = page["next"]
    assert seen == [f"script/{i}" + "0" * 63 for i in range(5)]


def test_what_nobody_needs_goes_whole_and_once(tmp_path: Path, states: dict[str, str]) -> None:
    put(tmp_path, f"trainer/{OLD}", 7)
    put(tmp_path, f"trainer/{NEW}")
    attempt(tmp_path, "job1")
    assert upkeep.remove(str(tmp_path), f"trainer/{OLD}") == {"removed": True, "size_bytes": 7}
    assert upkeep.remove(str(tmp_path), f"trainer/{OLD}") == {"removed": False, "size_bytes": 0}
    assert upkeep.remove(str(tmp_path), "jobs/job1/a0001")["removed"]
    assert names(tmp_path) == [f"trainer/{NEW}"]
    assert upkeep.remove(str(tmp_path), "jobs/none/a0001") == {"removed": False, "size_bytes": 0}


def test_what_a_killed_remover_left_is_swept(tmp_path: Path, states: dict[str, str]) -> None:
    put(tmp_path, f"data/{OLD}")
    put(tmp_path, f"data/{upkeep._GONE}{NEW}")
    upkeep.remove(str(tmp_path), f"data/{OLD}")
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        None, 5, "", "data", "data/", "data/..", "data/../jobs", f"data/{OLD}/sub", f"/data/{OLD}", "thesis",
        f"secrets/{OLD}", "jobs/job1", "jobs/job1/a1", "jobs/../a0001", f"data/{OLD}\n", f"./data/{OLD}",
        "jobs/job1/a0001/artifacts", "data/" + "A" * 64,
    ],
)  # fmt: skip
def test_what_is_no_plain_child_of_ours_is_refused(tmp_path: Path, name: object) -> None:
    put(tmp_path, f"data/{OLD}")
    attempt(tmp_path, "job1")
    assert refused(tmp_path, name) == "bad_path"
    assert names(tmp_path) == [f"data/{OLD}", "jobs/job1/a0001"]


def test_no_link_is_followed(tmp_path: Path, states: dict[str, str]) -> None:
    elsewhere = put(tmp_path, "thesis")
    put(tmp_path, f"thesis/{OLD}")
    (tmp_path / "data").symlink_to(elsewhere)
    assert refused(tmp_path, f"data/{OLD}") == "bad_path"
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / OLD).symlink_to(elsewhere)
    assert refused(tmp_path, f"model/{OLD}") == "bad_path"
    (tmp_path / "script" / OLD).parent.mkdir()
    (tmp_path / "script" / OLD).write_text("a file")
    assert refused(tmp_path, f"script/{OLD}") == "bad_path"
    inner = put(tmp_path, f"trainer/{OLD}")
    (inner / "out").symlink_to(elsewhere)
    upkeep.remove(str(tmp_path), f"trainer/{OLD}")
    assert (elsewhere / "sub" / "file").is_file()


@pytest.mark.parametrize("state", ["running", "starting", "ending", "orphan-running", "elsewhere", "missing"])
def test_an_attempt_that_may_live_keeps_its_job(tmp_path: Path, states: dict[str, str], state: str) -> None:
    attempt(tmp_path, "job1", 1)
    attempt(tmp_path, "job1", 2)
    states["job1/2"] = state
    assert refused(tmp_path, "jobs/job1/a0001") == "in_use"
    assert refused(tmp_path, "jobs/job1/a0002") == "in_use"


def test_what_a_live_job_was_started_with_stays(tmp_path: Path, states: dict[str, str]) -> None:
    given = "/root/jobs/job2/a0001/artifacts"
    spec = {"packages": [f"trainer/{OLD}"], "config": {"dataset": f"/root/data/{OLD}", "given": given}}
    attempt(tmp_path, "job1", 1, spec)
    attempt(tmp_path, "job2")
    states["job1/1"] = "running"
    for name in (f"trainer/{OLD}", f"data/{OLD}", f"host/{OLD}", "jobs/job2/a0001", f"data/{NEW}"):
        if not name.startswith("jobs/"):
            put(tmp_path, name)
        assert (name == f"data/{NEW}") or refused(tmp_path, name) == "in_use"
    assert upkeep.remove(str(tmp_path), f"data/{NEW}")["removed"]
    states["job1/1"] = "exited"
    assert upkeep.remove(str(tmp_path), f"data/{OLD}")["removed"]


def test_a_starter_is_not_disturbed(
    tmp_path: Path, states: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "BUSY_S", 0.0)
    attempt(tmp_path, "job1")
    lock = locks.acquire(str(tmp_path / "jobs" / "job1" / status.STARTER), 0.0)
    assert lock is not None
    assert refused(tmp_path, "jobs/job1/a0001") == "busy"
    os.close(lock)
    assert upkeep.remove(str(tmp_path), "jobs/job1/a0001")["removed"]
