"""Fixtures that many tests share."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from tests.support import sshd as servers
from tests.support.proxy import Proxy
from tests.support.sshd import Sshd

# The suite says the same each time, and a pause of a busy machine fails nothing. For other draws:
# --hypothesis-profile=default.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")

# Before anything imports them: their asserts are to say what differs.
for part in ("means", "launch", "life"):
    pytest.register_assert_rewrite(f"tests.providers.contract_{part}")

# What is started in a shell's background ignores Ctrl-C, and so would every command that these tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test meets a real cloud: who runs them may have credentials, and the clouds' libraries ask a network
# address for those of the machine that they run on.
for name in [*os.environ]:
    if name.startswith(("ALIBABA_", "AWS_", "AZURE_", "CLOUDSDK_", "GOOGLE_", "LAMBDA_", "RUNPOD_", "VAST_")):
        del os.environ[name]
os.environ |= {
    "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
    "CLOUDSDK_CONFIG": os.devnull,
    "NO_GCE_CHECK": "true",
}

gc.disable()  # while tests are collected: all that is loaded then stays


def pytest_collection_finish() -> None:
    """What is loaded is no garbage, and each look for some among it takes half a second."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()


def _need_sshd() -> None:
    missing = servers.missing()
    if missing and os.environ.get("CLOUDTUI_CI") == "1":
        pytest.fail(f"no SSH server for the tests: {missing}")
    if missing:
        pytest.skip(f"no SSH server for the tests: {missing}")


@pytest.fixture(scope="session", autouse=True)
def upgrade(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Any], None]]:
    """A new catalog in this process is a copy of the first one; tests/engine/catalog have each made anew."""
    from cloudtui_engine.catalog import opening
    from cloudtui_engine.paths import Paths

    first, right = Paths(tmp_path_factory.mktemp("catalog")), opening._upgrade

    def copied(paths: Paths) -> None:
        if paths.catalog.exists() and paths.catalog.stat().st_size:
            right(paths)
            return
        if not first.catalog.exists():
            right(first)
        new = paths.catalog.with_suffix(".new")
        shutil.copy(first.catalog, new)
        new.replace(paths.catalog)  # whole at once: other processes look without a lock

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_upgrade", copied)
        yield right


@pytest.fixture
def make_sshd(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    """`make_sshd(**options)` starts a server of one's own; all end with the test."""
    _need_sshd()
    started: list[Sshd] = []

    def make(**options: Any) -> Sshd:
        server = Sshd(tmp_path / f"sshd{len(started)}", **options)
        started.append(server)
        return server.start()

    yield make
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """A server that the tests of a module share; who stops or changes one takes `make_sshd`."""
    _need_sshd()
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture
def make_proxy() -> Iterator[Callable[..., Proxy]]:
    """`make_proxy(sshd, **faults)`: a proxy before a server."""
    made: list[Proxy] = []

    def make(server: Sshd, **options: Any) -> Proxy:
        made.append(Proxy((server.address, server.port), **options))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def sshd_here() -> None:
    """For tests that start their own servers: skip, by name, where there can be none."""
    _need_sshd()
