"""What every provider passes: a class of tests for each part of the contract.

A provider's test module gives the fixture `cloud` (its provider before a fake cloud) and takes the tests in:

    class TestAws(ProviderContract):
        @pytest.fixture
        def cloud(self) -> Iterator[FakeCloud]: ...

They are told what a cloud cannot do by `capabilities`, `faults` and `carries`, and hold it to the rest.
"""

from __future__ import annotations

from tests.providers.contract_launch import ErrorContract, LaunchContract
from tests.providers.contract_life import LifeContract, ListingContract, OfferContract


class ProviderContract(LaunchContract, ErrorContract, LifeContract, ListingContract, OfferContract):
    """All of it."""
