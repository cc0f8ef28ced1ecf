"""Azure Resource Manager: how it is asked, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from cloudtui_providers.azure.access import LOG_IN, Access
from cloudtui_providers.errors import (
    AuthError,
    CapacityError,
    InvalidOrderError,
    PermissionDenied,
    ProviderError,
    QuotaError,
    ThrottledError,
)
from cloudtui_providers.rest import Answer, Rest, Service, endless

NAME = "azure"
TITLE = "Azure"
COMPUTE, NETWORK, RESOURCES, SKUS = "2026-04-01", "2026-03-01", "2022-12-01", "2021-07-01"
"""Versions of Azure's APIs, which every request names."""
CODES: Mapping[str, type[ProviderError]] = {
    "AllocationFailed": CapacityError,
    "ZonalAllocationFailed": CapacityError,
    "OverconstrainedAllocationRequest": CapacityError,
    "OverconstrainedZonalAllocationRequest": CapacityError,
    "SkuNotAvailable": CapacityError,
    "QuotaExceeded": QuotaError,
    "AuthorizationFailed": PermissionDenied,
    "LinkedAuthorizationFailed": PermissionDenied,
    "SubscriptionNotFound": AuthError,
    "InvalidSubscriptionId": AuthError,
    "TooManyRequests": ThrottledError,
    "AnotherOperationInProgress": ThrottledError,
    "Conflict": ThrottledError,
}
_ACTION = re.compile(r"perform action '([\w./*]+)'")


class Resources:
    """One subscription's resources."""

    def __init__(self, endpoint: str, group: str, access: Access) -> None:
        self.rest = Rest(
            Service(NAME, TITLE, endpoint, access.token, LOG_IN, _words, _kind, missing=_missing)
        )
        self.group = group
        self._access = access

    def path(self, path: str = "") -> str:
        """The whole path of something in the subscription."""
        return f"/subscriptions/{self._access.subscription()}{path}"

    def ours(self, path: str) -> str:
        """The whole path of something in our group."""
        return self.path(f"/resourceGroups/{self.group}/providers/{path}")

    def ask(self, path: str, version: str, **query: str) -> Any:
        """What is there."""
        return self.rest.ask("GET", path, query={"api-version": version, **query})

    def put(self, path: str, version: str, body: Mapping[str, Any]) -> Any:
        """Make something what it has to be; the same again changes nothing."""
        return self.rest.ask("PUT", path, query={"api-version": version}, body=body)

    def items(self, path: str, version: str, **query: str) -> Iterator[dict[str, Any]]:
        """All of a list. Of where the next page is only the path is believed: the key goes nowhere else."""
        answer = self.ask(path, version, **query)
        for _ in endless(TITLE):
            yield from answer["value"]
            if not answer.get("nextLink"):
                return
            parts = urlsplit(answer["nextLink"])
            answer = self.rest.ask("GET", f"{parts.path}?{parts.query}")


def kind_of(code: str, words: str = "") -> type[ProviderError] | None:
    """Which error one of Azure's codes is; None: its status says it."""
    if code == "OperationNotAllowed" and "quota" in words.lower():
        return QuotaError
    return CODES.get(code)


def _words(answer: Answer) -> str:
    return str(_error(answer).get("message", ""))


def _missing(answer: Answer) -> str:
    found = _ACTION.search(_words(answer))
    return found[1] if found else ""


def _kind(answer: Answer) -> type[ProviderError] | None:
    known = kind_of(str(_error(answer).get("code", "")), _words(answer))
    if known is None and answer.status == 404 and answer.method == "PUT":
        return InvalidOrderError  # what it is made from is not there
    return known


def _error(answer: Answer) -> Mapping[str, Any]:
    body = answer.body.get("error") if isinstance(answer.body, dict) else None
    return body if isinstance(body, dict) else {}
