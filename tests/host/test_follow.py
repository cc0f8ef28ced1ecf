from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest
from tests.host.lane import HostSaysNoError, Lane, session

from cloudtui_host import follow, frames, layout
from cloudtui_host import lane as host_lane
from cloudtui_host.journal import JournalWriter, decode_line


@pytest.fixture
def folder(root: Path) -> Path:
    path = root / "jobs/f/a0001"
    (path / "journal").mkdir(parents=True)
    return path


def watch(lane: Lane, stream: int, source: str = "trainer", offset: int = 0, tail: bytes = b"") -> int:
    reply = lane.request(
        "follow", stream=stream, job="f", attempt=1, source=source, offset=offset, tail=tail.hex()
    )
    return int(reply["size"])


def received(lane: Lane, stream: int, start: int = 0) -> bytes:
    """The bytes of a stream; every frame must go on where the one before ended."""
    found = b""
    for number, offset, chunk in lane.data:
        assert len(chunk) <= frames.LIMIT
        if number == stream:
            assert offset == start + len(found)
            found += chunk
    return found


def _until_received(lane: Lane, start: int, count: int) -> None:
    lane.until(lambda: len(received(lane, 1, start)) >= count)


def test_each_line_comes_once_over_many_cut_sessions(root: Path, folder: Path) -> None:
    rng = random.Random(5)
    path = folder / "journal/trainer.jsonl"
    writer = JournalWriter(str(path), flush_every=7)
    written = 0
    stored = b""
    for _ in range(12):
        with session(root) as lane:
            watch(lane, 1, offset=len(stored), tail=stored[-32:])
            for _ in range(rng.randrange(300, 900)):
                writer.metric(written, {"loss": rng.random()})
                written += 1
            writer.flush()
            wanted = rng.randrange(path.stat().st_size - len(stored))
            _until_received(lane, len(stored), wanted)
            # Only whole lines are stored, as the engine does; then the session is cut.
            new = received(lane, 1, len(stored))
            stored += new[: new.rfind(b"\n") + 1]
            lane.kill() if rng.random() < 0.5 else None
    writer.close()
    with session(root) as lane:
        size = watch(lane, 1, offset=len(stored), tail=stored[-32:])
        lane.until(lambda: len(stored) + len(received(lane, 1, len(stored))) >= size)
        stored += received(lane, 1, len(stored))
    assert stored == path.read_bytes()
    assert [decode_line(line)["seq"] for line in stored.splitlines()] == list(range(written))


def test_a_line_arrives_as_soon_as_it_is_written(root: Path, folder: Path) -> None:
    path = folder / "console.log"
    path.write_bytes(b"")
    with session(root) as lane:
        watch(lane, 1, "console")
        delays = []
        for number in range(20):
            with path.open("ab") as file:
                file.write(b"x")
            begun = time.perf_counter()
            _until_received(lane, 0, number + 1)
            delays.append(time.perf_counter() - begun)
    # Polling would need tens of milliseconds each time; a busy machine may, most times.
    assert sorted(delays)[1] < 0.015


def test_a_file_that_is_not_there_yet_is_awaited(root: Path, folder: Path) -> None:
    with session(root) as lane:
        for stream, source in enumerate(layout.SOURCES):
            assert watch(lane, stream, source) == 0
        delays = []
        for stream, path in enumerate(layout.SOURCES.values()):
            begun = time.perf_counter()
            (folder / path).write_bytes(b"first\n")
            lane.until(lambda number=stream: received(lane, number) == b"first\n")  # type: ignore[misc]
            delays.append(time.perf_counter() - begun)
        # Looking once a second may be quick by chance, but not twice: each begins where the last was seen.
        assert sorted(delays)[1] < 0.6
        lane.request("follow", stream=9, job="later", attempt=1, source="console", offset=0, tail="")
        (root / "jobs/later/a0001").mkdir(parents=True)
        (root / "jobs/later/a0001/console.log").write_bytes(b"late")
        lane.until(lambda: received(lane, 9) == b"late")


def test_a_file_that_is_not_what_it_was_is_refused(root: Path, folder: Path) -> None:
    path = folder / "journal/trainer.jsonl"
    path.write_bytes(b"0123456789\n" * 10)
    with session(root) as lane:
        assert watch(lane, 1, offset=55, tail=b"0123456789\n") == 110
        for offset, tail in ((55, b"0123456788\n"), (111, b""), (5, b"0123456789\n"), (1 << 61, b"x")):
            with pytest.raises(HostSaysNoError, match="journal_rewritten"):
                watch(lane, 2, offset=offset, tail=tail)
        with pytest.raises(HostSaysNoError, match="journal_rewritten"):
            lane.request("follow", stream=3, job="f", attempt=1, source="console", offset=4, tail="")


@pytest.mark.parametrize("change", ["shorter", "other", "replaced", "shorter and grown again"])
def test_a_file_that_changes_while_it_is_followed_ends_the_stream(
    root: Path, folder: Path, change: str
) -> None:
    path = folder / "console.log"
    path.write_bytes(b"0123456789" * 10)
    with session(root) as lane:
        watch(lane, 7, "console")
        lane.until(lambda: len(received(lane, 7)) == 100)
        if change == "shorter":
            os.truncate(path, 50)
        elif change == "other":
            with path.open("r+b") as file:
                file.seek(95)
                file.write(b"abcdefghij")
        elif change == "replaced":
            (folder / "new").write_bytes(b"0123456789" * 20)
            (folder / "new").rename(path)
        else:
            with path.open("r+b") as file:
                file.truncate(0)
                file.write(b"9876543210" * 30)
        lane.until(lambda: {"event": "rewritten", "stream": 7} in lane.events)
        assert len(received(lane, 7)) == 100
        assert lane.request("ping")


def test_credit_bounds_what_is_not_acknowledged(root: Path, folder: Path) -> None:
    (folder / "console.log").write_bytes(b"c" * 600_000)
    (folder / "journal/trainer.jsonl").write_bytes((b"t" * 99 + b"\n") * 6000)
    place = {"job": "f", "attempt": 1, "offset": 0, "tail": ""}
    with session(root) as lane:
        both = [
            {"id": 900 + stream, "verb": "follow", "args": dict(place, stream=stream, source=source)}
            for stream, source in ((1, "console"), (2, "trainer"))
        ]
        lane.write(b"".join(frames.message(one) for one in both))
        lane.until(lambda: len(received(lane, 1)) + len(received(lane, 2)) >= follow.CREDIT)
        assert lane.request("ping")
        total = len(received(lane, 1)) + len(received(lane, 2))
        assert total == follow.CREDIT
        # In turn: neither stream has eaten the credit.
        assert min(len(received(lane, 1)), len(received(lane, 2))) > follow.CREDIT // 3
        while len(received(lane, 1)) + len(received(lane, 2)) < 1_200_000:
            for stream in (1, 2):
                lane.tell("ack", stream=stream, offset=len(received(lane, stream)))
            assert lane.read(5)
        assert received(lane, 1) == (folder / "console.log").read_bytes()
        assert received(lane, 2) == (folder / "journal/trainer.jsonl").read_bytes()


def test_a_line_longer_than_the_credit_gets_through(root: Path, folder: Path) -> None:
    (folder / "journal/trainer.jsonl").write_bytes(b"x" * 900_000 + b"\nnext\n")
    with session(root) as lane:
        watch(lane, 1)
        # Nothing is acknowledged: there is no whole line yet that the engine could commit.
        lane.until(lambda: b"\n" in received(lane, 1))
        lane.tell("ack", stream=1, offset=900_001)
        lane.until(lambda: received(lane, 1).endswith(b"next\n"))


def test_replies_go_before_data() -> None:
    source, _ = os.pipe()
    out, sink = os.pipe()
    lane = host_lane.Lane(source, sink, lambda: frames.data(1, 0, b"d" * 30_000))
    lane.pump()
    assert lane.blocked
    # The channel is full; a reply waits for the frame that is on its way, and for no other.
    lane.send({"id": 1})
    decoder = frames.Decoder()
    kinds: list[int] = []
    in_pipe = 0
    while frames.MESSAGE not in kinds and len(kinds) < 50:
        in_pipe = len(kinds)
        kinds += [kind for kind, _ in decoder.feed(os.read(out, 1 << 20))]
        lane.pump()
    assert kinds[in_pipe:].index(frames.MESSAGE) <= 1


def test_a_stream_without_a_tail_notices_that_its_file_shrank(root: Path, folder: Path) -> None:
    path = folder / "console.log"
    path.write_bytes(b"0123456789")
    with session(root) as lane:
        watch(lane, 1, "console", offset=10)
        os.truncate(path, 5)
        lane.until(lambda: {"event": "rewritten", "stream": 1} in lane.events)


def test_unfollow_ends_a_stream_and_others_go_on(root: Path, folder: Path) -> None:
    path = folder / "console.log"
    path.write_bytes(b"a")
    with session(root) as lane:
        watch(lane, 1, "console")
        watch(lane, 2, "console")
        lane.until(lambda: received(lane, 1) == received(lane, 2) == b"a")
        lane.request("unfollow", stream=1)
        with path.open("ab") as file:
            file.write(b"b")
        lane.until(lambda: received(lane, 2) == b"ab")
        assert received(lane, 1) == b"a"


def test_noise_and_nonsense_do_not_end_the_session(root: Path) -> None:
    with session(root) as lane:
        lane.write(b"Last login: today\r\n\x1eCT" + frames.encode(frames.MESSAGE, b"[1, 2]"))
        lane.write(frames.encode(frames.MESSAGE, b"{") + frames.encode(frames.DATA, b"x" * 40))
        lane.tell("ack", stream="x", offset=-1)
        lane.tell("ack")
        for verb, args, code in (
            ("format", {}, "bad_verb"),
            ("status", {"job": 5}, "bad_job"),
            ("follow", {"stream": 1, "job": "x", "attempt": 1, "source": "../x", "offset": 0}, "bad_source"),
            (
                "follow",
                {"stream": 1, "job": "x", "attempt": 1, "source": "console", "offset": -1},
                "bad_request",
            ),
            (
                "follow",
                {"stream": 1, "job": "x", "attempt": 1, "source": "console", "offset": 0, "tail": "zz"},
                "bad_request",
            ),
            ("unfollow", {"stream": None}, "bad_request"),
            ("start", {"job": "x", "attempt": 1, "spec": 7}, "bad_spec"),
        ):
            with pytest.raises(HostSaysNoError) as caught:
                lane.request(verb, **args)
            assert caught.value.code == code
        assert lane.request("ping")["now"] > 0


def test_end_of_input_ends_the_session_cleanly(root: Path) -> None:
    lane = Lane(root)
    lane.hello()
    lane.close()
    assert lane.process.returncode == 0
