"""Providers are found by entry point, and nothing of theirs is loaded before it is used."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from cloudtui_providers import registry
from cloudtui_providers.base import Capabilities
from cloudtui_providers.errors import NotInstalledError

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
    assert ours == [f"cloudtui_providers.{name}" for name in ("base", "errors", "registry", "stores")]
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
