import pytest

for part in ("means", "launch", "life"):
    pytest.register_assert_rewrite(f"tests.providers.contract_{part}")
