from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.engine.catalog.helpers import open_catalog

from cloudtui_engine.catalog import Catalog


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    made = open_catalog(tmp_path / "home")
    yield made
    made.close()
