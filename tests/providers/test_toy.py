"""The contract suite on the reference fake, with each of the three ways to keep an order single."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.providers.contract import ProviderContract
from tests.providers.contract_means import planned
from tests.support.clouds.faults import FakeCloud
from tests.support.clouds.toy import FOLDER, Toy, ToyByName, ToyCloud, ToyListed, publish
from tests.support.clouds.toy_books import ToyFault

from cloudtui_providers.base import CloudState

LAUNCH = """
import json, sys
from cloudtui_providers import registry
registry.provider("toy").launch(json.loads(sys.argv[1]))
"""


class TestToy(ProviderContract):
    @pytest.fixture(params=[ToyCloud, ToyByName, ToyListed])
    def cloud(self, request: pytest.FixtureRequest, tmp_path: Path) -> FakeCloud:
        return Toy(tmp_path / "cloud", request.param)


@pytest.mark.parametrize(("fault", "there"), [(ToyFault.DIE_BEFORE, False), (ToyFault.DIE_AFTER, True)])
def test_another_process_finds_it_by_entry_point_dies_in_it_and_leaves_whole_books(
    tmp_path: Path, fault: ToyFault, there: bool
) -> None:
    import json

    cloud = Toy(tmp_path / "cloud")
    payload = planned(cloud.provider, cloud.order())
    cloud.books.fail(fault)
    paths = ":".join(publish(tmp_path / "site"))
    done = subprocess.run(
        [sys.executable, "-c", LAUNCH, json.dumps(payload)],
        env={"PYTHONPATH": paths, FOLDER: str(tmp_path / "cloud")},
        check=False,
        timeout=60,
    )
    assert done.returncode == -9
    found = cloud.provider.find(payload)
    assert (found is not None) == there
    assert found is None or found.state is CloudState.PENDING
