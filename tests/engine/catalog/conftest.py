from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.engine.catalog.helpers import open_catalog

from cloudtui_engine.catalog import Catalog, opening


@pytest.fixture(scope="module", autouse=True)
def made_anew(upgrade: Callable[[Any], None]) -> Iterator[None]:
    """Here is tested how a catalog comes to be."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "_upgrade", upgrade)
        yield


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = open_catalog(tmp_path / "home")
    yield made
    made.close()
