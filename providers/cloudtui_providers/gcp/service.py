"""Compute Engine's API: how it is asked, what its errors mean, and when what it began is done."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from cloudtui_providers.errors import (
    AmbiguousError,
    CapacityError,
    InvalidOrderError,
    MachineGone,
    PermissionDenied,
    ProviderError,
    QuotaError,
    ThrottledError,
)
from cloudtui_providers.gcp.access import LOG_IN, Access
from cloudtui_providers.rest import MOST_WORDS, Answer, Rest, Service, endless

NAME = "gcp"
TITLE = "Google Cloud"
ROOT = "/compute/v1"
VERSION = {"X-Goog-Api-Version": "2026-11-01"}
"""From 2026-09 on a list over all zones says which of them did not answer, unasked."""
PAGE = 500
MOST_WAITS = 3
"""Of up to two minutes each, by Google's own clock."""
CODES: Mapping[str, type[ProviderError]] = {
    "ZONE_RESOURCE_POOL_EXHAUSTED": CapacityError,
    "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS": CapacityError,
    "QUOTA_EXCEEDED": QuotaError,
    "quotaExceeded": QuotaError,
    "rateLimitExceeded": ThrottledError,
    "userRateLimitExceeded": ThrottledError,
    "RATE_LIMIT_EXCEEDED": ThrottledError,
    "resourceNotReady": ThrottledError,
    "RESOURCE_NOT_READY": ThrottledError,
    "PERMISSIONS_ERROR": PermissionDenied,
}
_PERMISSION = re.compile(r"'([a-z]+\.[A-Za-z]+\.[A-Za-z]+)'")
_INSERT = re.compile(r".*/zones/[^/]+/instances")


class Compute:
    """One project's Compute Engine."""

    def __init__(self, endpoint: str, access: Access) -> None:
        self.rest = Rest(service(endpoint, access, headers=VERSION))
        self._access = access

    @property
    def project(self) -> str:
        """Its id."""
        return self._access.project()

    def path(self, path: str) -> str:
        """The whole path of something in the project."""
        return f"{ROOT}/projects/{self.project}/{path}".rstrip("/")

    def ask(self, path: str, **query: Any) -> Any:
        """What is there."""
        return self.rest.ask("GET", self.path(path), query=query or None)

    def pages(self, path: str, **query: Any) -> Iterator[Any]:
        """All answers of a list."""
        token = ""
        for _ in endless(TITLE):
            answer = self.ask(path, maxResults=PAGE, **query, **({"pageToken": token} if token else {}))
            yield answer
            token = answer.get("nextPageToken", "")
            if not token:
                return

    def carry_out(self, operation: Mapping[str, Any]) -> None:
        """Wait until it is done, or so long that no refusal is to be awaited any more.

        Raises:
            ProviderError: it was refused in the end.
            AmbiguousError: nobody says how it ended.
        """
        for _ in range(MOST_WAITS):
            if operation["status"] == "DONE":
                break
            try:
                operation = self.rest.ask("POST", self.path(_wait(operation)))
            except ProviderError as error:
                raise AmbiguousError(f"How it ended is not known: {error.message}") from None
        errors = operation.get("error", {}).get("errors", [])
        if errors:
            raise _refused(errors[0])


def service(endpoint: str, access: Access, headers: Mapping[str, str]) -> Service:
    """Google Cloud as it is asked."""
    return Service(
        NAME, TITLE, endpoint, access.token, LOG_IN, _words, _kind, missing=_missing, headers=headers
    )


def last(url: str) -> str:
    """The last part of one of Google's URLs: the name of what it stands for."""
    return url.rpartition("/")[2]


def _wait(operation: Mapping[str, Any]) -> str:
    where = f"zones/{last(operation['zone'])}" if "zone" in operation else "global"
    return f"{where}/operations/{operation['name']}/wait"


def _refused(error: Mapping[str, str]) -> ProviderError:
    code, words = error.get("code", ""), error.get("message", "")[:MOST_WORDS]
    if code.startswith("INTERNAL"):
        return AmbiguousError(f"Something broke inside {TITLE}: {code}.")
    kind = CODES.get(code, InvalidOrderError)
    return kind(f"{TITLE} did not carry it out ({code}): {words}")


def _words(answer: Answer) -> str:
    return str(_error(answer).get("message", ""))


def _missing(answer: Answer) -> str:
    found = _PERMISSION.search(_words(answer))
    return found[1] if found else ""


def _kind(answer: Answer) -> type[ProviderError] | None:
    reasons = [str(one.get("reason", "")) for one in _error(answer).get("errors", [])]
    known = next((CODES[reason] for reason in reasons if reason in CODES), None)
    if known is None and answer.status == 404 and answer.method == "POST" and _INSERT.fullmatch(answer.path):
        return InvalidOrderError  # what it is made from is not there
    if known is None and answer.status == 404:
        return MachineGone
    return known


def _error(answer: Answer) -> Mapping[str, Any]:
    body = answer.body.get("error") if isinstance(answer.body, dict) else None
    return body if isinstance(body, dict) else {}
