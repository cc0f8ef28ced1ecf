"""AWS before moto: the contract, and what is EC2's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.providers.contract import ProviderContract
from tests.support.clouds.moto_sshd import KEY, REGION, SECRET, Moto


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    with Moto(tmp_path_factory.mktemp("moto")) as running:
        yield running


@pytest.fixture
def cloud(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    moto.reset()
    return moto


class TestAws(ProviderContract):
    pass
