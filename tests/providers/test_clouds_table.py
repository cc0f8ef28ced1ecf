"""The README says of each cloud what its provider says of itself."""

from __future__ import annotations

import pytest
from assets.clouds import README, table, with_table

from cloudtui_providers import registry
from cloudtui_providers.base import Capabilities, Token


def test_the_readme_has_the_table_of_the_flags() -> None:
    readme = README.read_text()
    assert with_table(readme) == readme, "run `make clouds`"
    assert table() in readme


def test_what_nothing_ends_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(registry.provider("aws")), "capabilities", Capabilities(Token.LISTED))
    row = next(line for line in table().splitlines() if line.startswith("| AWS |"))
    assert "**nothing**" in row
    assert "yes" not in row
