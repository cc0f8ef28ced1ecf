"""Files to a host and back, side by side with scp and rsync, over a real sshd on loopback.

`ratio` is how many times as fast as the fastest other: goals are lower limits. Ours verifies every byte by
sha256 at both ends and makes it durable before it says that it is there; the others do neither.

    python -m bench transfer
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.support import sshd
from tests.support.proxy import Proxy

from bench._report import skipped
from cloudtui_engine.hosts import transfer
from cloudtui_engine.hosts.known_hosts import KnownHosts
from cloudtui_engine.hosts.transport.ssh import SshTransport
from cloudtui_engine.ssh_config import Endpoint

ROUNDS = 5
BIG = 128 * 1024 * 1024
SMALL_FILES = 5000
SMALL_BYTES = 103_000_000
ROUND_TRIP_S = 0.080


class Place:
    """A server, files to move and where they go: anew for each measurement."""

    def __init__(self, folder: Path, server: sshd.Sshd, port: int) -> None:
        self.folder, self.server, self.port = folder, server, port
        known = folder / f"known-{port}"
        known.write_text(server.known_line(port))
        end = Endpoint("bench", server.address, server.user, port, key_file=str(server.user_key))
        self.transport = SshTransport(end, KnownHosts(known, ()))
        self.there = folder / "there"
        self.here = folder / "here"
        self.aside = folder / "aside"
        self.options = server.ssh_options(port)
        self.remote = f"{server.user}@{server.address}:"

    def fresh(self) -> None:
        """Put aside what is there, and let no way pay for the bytes of the one before.

        Nothing is deleted here: ext4 passes over the inodes of files that were deleted within the last
        seconds one by one, which makes a new file up to ten times as dear, for whoever comes next.
        """
        self.aside.mkdir(exist_ok=True)
        for path in (self.there, self.here, self.server.root / "data"):
            if path.exists():
                path.rename(self.aside / str(len(list(self.aside.iterdir()))))
        self.there.mkdir()
        self.here.mkdir()
        os.sync()

    def clear(self) -> None:
        """Delete what was put aside."""
        shutil.rmtree(self.aside, ignore_errors=True)

    def scp(self, *words: str) -> None:
        subprocess.run(["scp", "-q", *self.options, "-P", str(self.port), *words], check=True)

    def rsync(self, *words: str) -> None:
        shell = " ".join(["ssh", *self.options, "-p", str(self.port)])
        subprocess.run(["rsync", "-a", "-W", "-e", shell, *words], check=True)

    def put(self, files: Sequence[transfer.LocalFile]) -> None:
        transfer.put(self.transport, root=str(self.server.root), dest="data/" + "a" * 64, files=files)

    def get(self, base: str, files: Sequence[transfer.LocalFile]) -> None:
        wanted = [transfer.RemoteFile(file.path, file.size, file.sha256) for file in files]
        transfer.get(self.transport, root=str(self.server.root), base=base, files=wanted, into=self.here)


def make_files(folder: Path, sizes: Sequence[int]) -> list[transfer.LocalFile]:
    """Random files of these sizes, fifty a folder."""
    source = random.Random(7)
    made = []
    for number, size in enumerate(sizes):
        name = f"d{number // 50:03d}/f{number:05d}" if len(sizes) > 1 else "big.npy"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = source.randbytes(size)
        path.write_bytes(content)
        made.append(transfer.LocalFile(path, name, size, hashlib.sha256(content).hexdigest()))
    return made


def compare(place: Place, ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """The seconds of each way, taking turns so that a busy moment falls on all."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        names = [*ways]
        for name in names if number % 2 else reversed(names):
            place.fresh()
            begin = time.perf_counter()
            ways[name]()
            seconds[name].append(time.perf_counter() - begin)
    place.clear()
    return seconds


def report(bench: str, goal: float, seconds: dict[str, list[float]], size: int) -> bool:
    """One JSON line: how many times as fast as the fastest other, the median of the rounds' ratios."""
    middle = {name: statistics.median(times) for name, times in seconds.items()}
    fastest = min((name for name in middle if name != "cloudtui"), key=lambda name: middle[name])
    pairs = zip(seconds[fastest], seconds["cloudtui"], strict=True)
    ratio = statistics.median(other / ours for other, ours in pairs)
    speeds = [f"{name} {value:.2f} s ({size / value / 1e6:.0f} MB/s)" for name, value in middle.items()]
    detail = ", ".join(speeds)
    line = {"bench": bench, "ratio": round(ratio, 2), "goal": goal, "ok": ratio >= goal, "detail": detail}
    print(json.dumps(line), flush=True)
    return ratio >= goal


def big_file(
    place: Place, folder: Path, *, rounds: int, size: int, label: str, goals: tuple[float, float]
) -> bool:
    """One file up and down."""
    files = make_files(folder, [size])
    source = str(files[0].source)
    up = compare(
        place,
        {
            "scp": lambda: place.scp(source, place.remote + str(place.there)),
            "cloudtui": lambda: place.put(files),
        },
        rounds,
    )
    base = "jobs/c0bench/a0001/artifacts"
    shutil.copytree(folder, place.server.root / base, dirs_exist_ok=True)
    down = compare(
        place,
        {
            "scp": lambda: place.scp(place.remote + source, str(place.here)),
            "cloudtui": lambda: place.get(base, files),
        },
        rounds,
    )
    good = report(f"put {label}", goals[0], up, size)
    return report(f"get {label}", goals[1], down, size) and good


def small_files(place: Place, folder: Path, rounds: int) -> bool:
    """Many files up."""
    source = random.Random(3)
    weights = [source.random() for _ in range(SMALL_FILES)]
    sizes = [int(weight / sum(weights) * SMALL_BYTES) for weight in weights]
    files = make_files(folder, sizes)
    ways: dict[str, Callable[[], None]] = {
        "scp -r": lambda: place.scp("-r", str(folder), place.remote + str(place.there)),
        "cloudtui": lambda: place.put(files),
    }
    if shutil.which("rsync"):
        ways["rsync -aW"] = lambda: place.rsync(str(folder), place.remote + str(place.there))
    return report(f"put {SMALL_FILES} files", 0.9, compare(place, ways, rounds), sum(sizes))


def far_files(place: Place, folder: Path) -> bool:
    """A thousand of the small files over the long way, where a round trip a file would show."""
    names = sorted(path for path in folder.rglob("*") if path.is_file())[:1000]
    part = folder.parent / "part"
    files = []
    for path in names:
        target = part / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
        digest = hashlib.sha256(target.read_bytes()).hexdigest()
        files.append(transfer.LocalFile(target, str(path.relative_to(folder)), target.stat().st_size, digest))
    ways: dict[str, Callable[[], None]] = {"cloudtui": lambda: place.put(files)}
    if shutil.which("rsync"):
        ways["rsync -aW"] = lambda: place.rsync(str(part), place.remote + str(place.there))
    else:
        ways["scp -r"] = lambda: place.scp("-r", str(part), place.remote + str(place.there))
    return report("put 1000 files, 80 ms", 1.0, compare(place, ways, 3), sum(file.size for file in files))


def main() -> bool:
    """Measure all; False when a goal is missed."""
    if sshd.missing():
        skipped("transfer", sshd.missing())
        return True
    with tempfile.TemporaryDirectory() as name, sshd.Sshd(Path(name) / "sshd") as server:
        folder = Path(name)
        place = Place(folder, server, server.port)
        good = big_file(place, folder / "big", rounds=ROUNDS, size=BIG, label="128 MiB", goals=(0.85, 0.85))
        good = small_files(place, folder / "small", ROUNDS) and good
        with Proxy((server.address, server.port), delay_s=ROUND_TRIP_S / 2) as proxy:
            far = Place(folder, server, proxy.port)
            good = (
                big_file(
                    far, folder / "far", rounds=3, size=BIG // 2, label="64 MiB, 80 ms", goals=(1.0, 1.0)
                )
                and good
            )
            return far_files(far, folder / "small") and good


if __name__ == "__main__":
    sys.exit(not main())
