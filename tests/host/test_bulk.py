from __future__ import annotations

import hashlib
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.host.lane import HostSaysNoError, Lane, session

from cloudtui_host import fetch, frames

DEST = "data/" + "5a" * 32


def make(sizes: dict[str, int], seed: int = 3) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    rng = random.Random(seed)
    contents = {path: rng.randbytes(size) for path, size in sizes.items()}
    manifest = [
        {
            "path": path,
            "size": len(c),
            "sha256": hashlib.sha256(c).hexdigest(),
            "mode": 0o755 if "bin" in path else 0o644,
        }
        for path, c in contents.items()
    ]
    return contents, manifest


SIZES = {
    "manifest.json": 300,
    "empty": 0,
    "a/b/train-x.npy": 3_000_000,
    "a/train-y.npy": 70_000,
    "bin/run me.sh": 10,
}


def missing(contents: dict[str, bytes], offsets: dict[str, int]) -> bytes:
    return b"".join(content[offsets[path] :] for path, content in contents.items())


def stream(lane: Lane, content: bytes, start: int = 0) -> None:
    step = frames.LIMIT - frames.DATA_HEAD.size
    for at in range(0, len(content), step):
        lane.write(frames.data(0, start + at, content[at : at + step]))


def put(
    lane: Lane, contents: dict[str, bytes], manifest: list[dict[str, Any]], dest: str = DEST
) -> dict[str, int]:
    offsets: dict[str, int] = lane.request("put", dest=dest, files=manifest)["offsets"]
    stream(lane, missing(contents, offsets))
    lane.request("commit")
    return offsets


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_files_are_put_in_place_whole(root: Path) -> None:
    contents, manifest = make(SIZES)
    with session(root, "bulk") as lane:
        assert not lane.request("have", dest=DEST)["present"]
        put(lane, contents, manifest)
        assert lane.request("have", dest=DEST)["present"]
        assert [event["bytes"] for event in lane.events if event["event"] == "received"][-1] == sum(
            SIZES.values()
        )
        # Present already: no byte is asked for again.
        assert put(lane, contents, manifest) == SIZES
    assert tree(root / DEST) == contents
    assert os.access(root / DEST / "bin/run me.sh", os.X_OK)
    assert not os.access(root / DEST / "manifest.json", os.X_OK)
    assert sorted(path.name for path in (root / "data").iterdir()) == ["5a" * 32]


def test_a_cut_put_goes_on_where_it_was_cut(root: Path) -> None:
    contents, manifest = make(SIZES)
    whole = missing(contents, dict.fromkeys(contents, 0))
    sent = 0
    for cut in (100, 1_500_000, 2_999_999, 3_000_300, 3_040_000):
        with session(root, "bulk") as lane:
            offsets = lane.request("put", dest=DEST, files=manifest)["offsets"]
            assert sum(offsets.values()) == sent
            stream(lane, whole[sent:cut])
            # An answer proves that all before it was taken.
            with pytest.raises(HostSaysNoError, match="incomplete"):
                lane.request("commit")
            sent = cut
            lane.kill()
    assert not (root / DEST).exists()
    with session(root, "bulk") as lane:
        assert sum(put(lane, contents, manifest).values()) == sent
    assert tree(root / DEST) == contents


def test_what_a_killed_session_left_is_verified(root: Path) -> None:
    contents, manifest = make(SIZES)
    staging = root / "data" / (".new-" + "5a" * 32)
    (staging / "a/b").mkdir(parents=True)
    (staging / "manifest.json").write_bytes(b"x" * 300)  # right in length, wrong in content
    (staging / "a/b/train-x.npy").write_bytes(b"y" * 1000)  # a wrong beginning
    (staging / "not-in-manifest").write_bytes(b"z")
    (staging / "a/train-y.npy").symlink_to("/etc/passwd")
    with session(root, "bulk") as lane:
        with pytest.raises(HostSaysNoError, match="sha_mismatch"):
            put(lane, contents, manifest)
        offsets = put(lane, contents, manifest)
        assert offsets["manifest.json"] == offsets["a/b/train-x.npy"] == 0
        assert offsets["a/train-y.npy"] == 70_000
    assert tree(root / DEST) == contents


def test_bytes_that_were_changed_on_the_way_are_refused(root: Path) -> None:
    contents, manifest = make({"a": 50_000, "b": 10})
    with session(root, "bulk") as lane:
        lane.request("put", dest=DEST, files=manifest)
        stream(lane, b"!" + missing(contents, {"a": 0, "b": 0})[1:])
        with pytest.raises(HostSaysNoError, match="sha_mismatch"):
            lane.request("commit")
        assert not (root / DEST).exists()
        assert put(lane, contents, manifest) == {"a": 0, "b": 10}
    assert tree(root / DEST) == contents


def test_bytes_out_of_order_and_too_many_fail_the_put(root: Path) -> None:
    contents, manifest = make({"a": 1000})
    with session(root, "bulk") as lane:
        for offset, chunk in ((5, b"x"), (0, b"x" * 1001)):
            lane.request("put", dest=DEST, files=manifest)
            lane.write(frames.data(0, offset, chunk))
            with pytest.raises(HostSaysNoError, match="bad_request"):
                lane.request("commit")
            shutil.rmtree(root / "data")
        put(lane, contents, manifest)
    assert tree(root / DEST) == contents


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/etc/x",
        "a/../../x",
        "a//b",
        "",
        ".",
        "a/.",
        "a\0b",
        "a\nb",
        "x" * 300,
        "/".join("a" * 600),
        None,
        "\ud800",
    ],
)
def test_hostile_paths_are_refused(root: Path, path: Any) -> None:
    file = {"path": path, "size": 1, "sha256": "0" * 64, "mode": 0o644}
    with session(root, "bulk") as lane:
        with pytest.raises(HostSaysNoError, match="bad_path"):
            lane.request("put", dest=DEST, files=[file])
        with pytest.raises(HostSaysNoError, match="bad_path"):
            lane.request("get", base="jobs/a/a0001/artifacts", files=[{"path": path, "offset": 0}])
    assert not (root / "data").exists()


def test_hostile_places_are_refused(root: Path) -> None:
    _, manifest = make({"a": 1})
    with session(root, "bulk") as lane:
        for dest in (
            "data/..",
            "../data/" + "a" * 64,
            "jobs/x",
            "data/" + "a" * 64 + "/b",
            "host/" + "a" * 64,
            5,
        ):
            for verb in ("put", "have"):
                with pytest.raises(HostSaysNoError, match="bad_path"):
                    lane.request(verb, dest=dest, files=manifest)
        for base in (
            "jobs/x/a0001",
            "jobs/x/a0001/../..",
            "/etc",
            "data/../jobs",
            None,
            "jobs/x/a0001/artifacts/",
        ):
            with pytest.raises(HostSaysNoError, match="bad_path"):
                lane.request("get", base=base, files=[{"path": "a", "offset": 0}])
        bad: list[Any] = [
            [],
            {},
            [5],
            [dict(manifest[0], size=-1)],
            [dict(manifest[0], sha256="x")],
            manifest * 2,
        ]
        for files in bad:
            with pytest.raises(HostSaysNoError):
                lane.request("put", dest=DEST, files=files)


def test_a_folder_that_was_swapped_for_a_link_is_not_written_through(root: Path, tmp_path: Path) -> None:
    contents, manifest = make({"a/b": 10, "c": 10})
    outside = tmp_path / "outside"
    outside.mkdir()
    staging = root / "data" / (".new-" + "5a" * 32)
    staging.mkdir(parents=True)
    (staging / "a").symlink_to(outside)
    with session(root, "bulk") as lane:
        lane.request("put", dest=DEST, files=manifest)
        stream(lane, missing(contents, {"a/b": 0, "c": 0}))
        with pytest.raises(HostSaysNoError):
            lane.request("commit")
    assert not list(outside.iterdir())


def test_a_disk_that_is_too_small_is_told_before_a_byte_is_sent(root: Path) -> None:
    _, manifest = make({"a": 1})
    with session(root, "bulk") as lane:
        with pytest.raises(HostSaysNoError, match="more are needed") as caught:
            lane.request("put", dest=DEST, files=[dict(manifest[0], size=1 << 59)])
        assert caught.value.code == "disk_full"


def test_two_sessions_do_not_write_the_same_files(root: Path) -> None:
    contents, manifest = make({"a": 1000})
    with session(root, "bulk") as first, session(root, "bulk") as second:
        first.request("put", dest=DEST, files=manifest)
        with pytest.raises(HostSaysNoError, match="busy"):
            second.request("put", dest=DEST, files=manifest)
        stream(first, contents["a"])
        first.request("commit")
        assert second.request("put", dest=DEST, files=manifest)["offsets"] == {"a": 1000}
        second.request("commit")


def test_get_sends_what_is_missing_within_its_window(root: Path) -> None:
    folder = root / "jobs/g/a0001/artifacts"
    (folder / "deep").mkdir(parents=True)
    contents, _ = make({"model.onnx": 9_000_000, "deep/r.json": 123, "none": 0})
    for path, content in contents.items():
        (folder / path).write_bytes(content)
    with session(root, "bulk") as lane:
        wanted = [
            {"path": "model.onnx", "offset": 1000},
            {"path": "deep/r.json"},
            {"path": "none", "offset": 0},
        ]
        files = lane.request("get", base="jobs/g/a0001/artifacts", files=wanted)["files"]
        assert [(file["path"], file["size"]) for file in files] == [(p, len(c)) for p, c in contents.items()]
        got, acked = b"", 0
        while {"event": "sent"} not in lane.events:
            if not lane.read(0.3):
                assert len(got) >= 4 << 20, "it stopped before the window was full"
                acked = len(got)
                lane.tell("ack", stream=0, offset=acked)
            for _, offset, chunk in lane.data:
                assert offset == len(got)
                got += chunk
            lane.data.clear()
            assert len(got) - acked <= fetch.WINDOW + (1 << 19)
        assert got == contents["model.onnx"][1000:] + contents["deep/r.json"]
        # The lane goes on.
        assert lane.request("have", dest=DEST) == {"present": False}


def test_get_follows_no_link_and_reads_no_pipe(root: Path) -> None:
    folder = root / "jobs/g/a0001/artifacts"
    folder.mkdir(parents=True)
    (folder / "link").symlink_to("/etc/passwd")
    (folder / "folder").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    (folder / "short").write_bytes(b"123")
    with session(root, "bulk") as lane:
        for path, offset in (
            ("link", 0),
            ("folder/passwd", 0),
            ("pipe", 0),
            ("gone", 0),
            ("short", 4),
            ("short", -1),
        ):
            with pytest.raises(HostSaysNoError):
                lane.request("get", base="jobs/g/a0001/artifacts", files=[{"path": path, "offset": offset}])
        assert lane.data == []


def test_a_manifest_of_many_files(root: Path) -> None:
    contents, manifest = make({f"d{n % 40}/{n}.bin": 20 for n in range(3000)})
    with session(root, "bulk") as lane:
        put(lane, contents, manifest)
    assert tree(root / DEST) == contents
    assert (root / DEST / manifest[0]["path"]).stat().st_mode & 0o777 == 0o700


def test_a_manifest_in_parts(root: Path) -> None:
    contents, manifest = make({f"{n}": n for n in range(10)})
    with session(root, "bulk") as lane:
        lane.request("put", dest=DEST, files=manifest[:4], more=True)
        with pytest.raises(HostSaysNoError, match="incomplete"):
            lane.request("commit")
        # That ended it: a part is of no use without the ones before.
        lane.request("put", dest=DEST, files=manifest[:4], more=True)
        with pytest.raises(HostSaysNoError, match="twice"):
            lane.request("put", dest=DEST, files=manifest[3:6], more=True)
        for part, more in ((manifest[:4], True), (manifest[4:8], True), (manifest[8:], False)):
            offsets = lane.request("put", dest=DEST, files=part, more=more)["offsets"]
            assert offsets == {entry["path"]: 0 for entry in part}
        stream(lane, missing(contents, dict.fromkeys(contents, 0)))
        lane.request("commit")
    assert tree(root / DEST) == contents


def test_bytes_before_the_manifest_is_whole_fail_the_put(root: Path) -> None:
    contents, manifest = make({"a": 10, "b": 10})
    with session(root, "bulk") as lane:
        lane.request("put", dest=DEST, files=manifest[:1], more=True)
        stream(lane, contents["a"])
        with pytest.raises(HostSaysNoError, match="before the manifest"):
            lane.request("commit")
        put(lane, contents, manifest)
    assert tree(root / DEST) == contents


def test_a_cut_put_of_many_files_goes_on_where_it_was_cut(root: Path) -> None:
    contents, manifest = make({f"d{n % 7}/{n}": 100 for n in range(500)})
    whole = missing(contents, dict.fromkeys(contents, 0))
    sent = 0
    for cut in (150, 20_050, 20_100, 49_900):
        with session(root, "bulk") as lane:
            offsets = lane.request("put", dest=DEST, files=manifest)["offsets"]
            assert sum(offsets.values()) == sent
            stream(lane, whole[sent:cut])
            lane.request("ping")
            sent = cut
            lane.kill()
    with session(root, "bulk") as lane:
        put(lane, contents, manifest)
    assert tree(root / DEST) == contents
