"""Providers are found by entry point, and nothing of theirs is loaded before it is used."""

from __future__ import annotations

import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from tests.support.clouds.toy import FOLDER, ToyCloud

from cloudtui_providers import guarded, registry
from cloudtui_providers.base import Capabilities, Provider
from cloudtui_providers.errors import (
    AmbiguousError,
    CloudUnreachable,
    NotInstalledError,
    ProviderError,
    ThrottledError,
)

SDKS = (
    "boto3",
    "botocore",
    "google",
    "azure",
    "msrest",
    "alibabacloud_credentials",
    "alibabacloud_tea_openapi",
    "darabonba",
    "Tea",
    "httpx",
    "requests",
)
LISTED = """
import sys
from cloudtui_providers import registry
print(*registry.names(), *registry.schemes())
print(*sorted(name for name in sys.modules if name.startswith("cloudtui_providers.")))
for name in registry.names():
    registry.provider(name).capabilities
for scheme in registry.schemes():
    registry.store(scheme).title
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def declared(group: str = registry.GROUP) -> dict[str, str]:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    return dict(project.get("entry-points", {}).get(group, {}))


def test_listing_loads_no_provider_and_making_one_loads_no_library() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LISTED], capture_output=True, text=True, check=True, timeout=60
    )
    names, ours, loaded = (line.split() for line in done.stdout.splitlines())
    assert set(names) == {*declared(), *declared(registry.STORES)}
    assert ours == [
        f"cloudtui_providers.{name}" for name in ("base", "errors", "guarded", "registry", "stores")
    ]
    assert set(loaded).isdisjoint(SDKS)


def test_what_is_declared_is_what_is_installed() -> None:
    for name in declared():
        provider = registry.provider(name)
        assert (provider.name, isinstance(provider.capabilities, Capabilities)) == (name, True)
        assert provider.title


def test_stores_are_found_by_the_scheme_of_their_addresses() -> None:
    for scheme in declared(registry.STORES):
        store = registry.store(scheme)
        assert (store.scheme, bool(store.title)) == (scheme, True)
    with pytest.raises(NotInstalledError, match="no-such-store") as raised:
        registry.store("no-such-store")
    assert "s3" in raised.value.hint


def test_one_that_is_not_there_says_which_are() -> None:
    with pytest.raises(NotInstalledError) as raised:
        registry.provider("no-such-cloud")
    assert all(name in raised.value.hint for name in registry.names())


class Defective(ToyCloud):
    """Published by somebody whose code has defects, and waits for what does not come."""

    never = threading.Event()
    waits: list[threading.Thread]

    def __init__(self) -> None:
        super().__init__()
        self.waits = []

    def regions(self) -> list[str]:
        raise ThrottledError("As it should be.", retry_after_s=7.0)

    def machines(self, region: str, owner: str) -> Any:
        raise KeyError(f"{region} canary-in-an-answer")

    def terminate(self, region: str, machine: str) -> None:
        raise RuntimeError(machine)

    def offers(self, wanted: Any) -> Any:
        self._wait()

    def stop(self, region: str, machine: str) -> None:
        self._wait()

    def _wait(self) -> None:
        self.waits.append(threading.current_thread())
        self.never.wait(60)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], Provider]]:
    """The provider that the registry makes of a class named so."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    registry.provider.cache_clear()

    def found(value: str) -> Provider:
        entry = EntryPoint("own", value, registry.GROUP)
        monkeypatch.setattr(registry, "_found", lambda _group: {"own": entry})
        registry.provider.cache_clear()
        return registry.provider("own")

    yield found
    registry.provider.cache_clear()


def test_a_provider_that_cannot_be_made_is_an_error_like_others(
    published: Callable[[str], Provider], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ProviderError, match="cannot be used: ZeroDivisionError"):
        published("tests.providers.test_registry:breaks")
    with pytest.raises(ProviderError, match="cannot be used: AttributeError"):
        published("tests.providers.test_registry:not_there")
    monkeypatch.setenv("CLOUDTUI_AWS_SSH_PORT", "ssh")
    with pytest.raises(ProviderError, match="CLOUDTUI_AWS_SSH_PORT is no port"):
        published("cloudtui_providers.aws:Aws")


def breaks() -> Provider:
    raise ZeroDivisionError("canary-in-a-setting")


def test_whatever_a_provider_raises_comes_out_as_one_of_our_errors(
    published: Callable[[str], Provider],
) -> None:
    provider = published("tests.providers.test_registry:Defective")
    assert (provider.name, provider.title, provider.capabilities) == (
        "toy", ToyCloud.title, ToyCloud.capabilities,
    )  # fmt: skip
    calls = {name for name, member in vars(Provider).items() if callable(member) and name[0] != "_"}
    assert guarded.CHANGES < calls <= set(vars(type(provider))), "no call goes past the guard"
    with pytest.raises(ThrottledError, match="As it should be") as raised:
        provider.regions()
    assert raised.value.retry_after_s == 7.0
    with pytest.raises(ProviderError, match="in machines: KeyError") as defect:
        provider.machines("north", "us")
    assert "canary" not in f"{defect.value.message}{defect.value.hint}"
    with pytest.raises(AmbiguousError, match="in terminate: RuntimeError"):
        provider.terminate("north", "m-1")


def test_a_call_that_does_not_end_is_left_to_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    monkeypatch.setattr(guarded, "LONGEST_S", 0.05)
    inner = Defective()
    provider = guarded.guarded(inner)
    with pytest.raises(CloudUnreachable, match="has not answered offers"):
        provider.offers(None)  # type: ignore[arg-type]
    with pytest.raises(AmbiguousError, match="has not answered stop"):
        provider.stop("north", "m-1")
    Defective.never.set()
    for thread in inner.waits:
        thread.join(20)
        assert not thread.is_alive()
