"""The clients of boto3: made when first used, one for each service and region, shared by all threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from typing import Any

from cloudtui_providers import times
from cloudtui_providers.aws.errors import ASK_LATER, LOG_IN, translated
from cloudtui_providers.errors import (
    AuthError,
    CloudUnreachable,
    NotInstalledError,
    PermissionDenied,
)

CONNECT_S = 5
READ_S = 60
"""RunInstances may think for long, and its answer is worth waiting for."""
CONNECTIONS = 16
FRESH_S = 10.0
"""A session that is younger was made of the credentials that are there now."""
SERVICES = {"servicequotas": "service-quotas"}
"""Where boto3 calls a service otherwise than IAM does."""
PUBLIC = "s3"
"""It answers without credentials, too, where a bucket is public."""


class Clients:
    """Calls to AWS, by the names that IAM gives them: `ec2:DescribeRegions`.

    Each is sent once: what is to be asked again, and when, the engine decides. Where the credentials are
    refused they are read anew for the next one: boto3 keeps those of a file for as long as a session lives.

    Args:
        endpoint: an address for all of them; empty: boto3's own affair.
    """

    def __init__(self, endpoint: str = "") -> None:
        self._endpoint = endpoint or None
        self._lock = threading.Lock()
        self._session: Any = None
        self._opened_at = 0.0
        self._account = ""
        self._made: dict[tuple[str, str], Any] = {}

    def ask(self, region: str, action: str, *, but: Collection[str] = (), **arguments: Any) -> dict[str, Any]:
        """The answer to what may be asked again, for it changes nothing, or nothing twice.

        Args:
            region: where.
            action: as IAM names it.
            but: errors of AWS that are answers, too: the empty one.
            **arguments: boto3's.
        """
        with self._translated(action, but=but):
            return _heard(action, self._method(region, action)(**arguments))
        return {}

    def change(
        self, region: str, action: str, *, but: Collection[str] = (), **arguments: Any
    ) -> dict[str, Any]:
        """The answer to what must be known to be done or not: a lost one is an `AmbiguousError`."""
        with self._translated(action):
            method = self._method(region, action)
        with self._translated(action, changes=True, but=but):
            return _heard(action, method(**arguments))
        return {}

    def pages(self, region: str, action: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """The answer to a question, page by page; any of them may raise."""
        from botocore import xform_name

        service, _, operation = action.partition(":")
        with self._translated(action):
            client = self._client(service, region)
            pages = iter(client.get_paginator(xform_name(operation)).paginate(**arguments))
        while True:
            with self._translated(action):
                page = next(pages, None)
            if page is None:
                return
            yield _heard(action, page)

    def account(self) -> str:
        """The number of the account that this session's credentials are of; asked until it is known."""
        if not self._account:
            self._account = str(self.ask(self.default_region(), "sts:GetCallerIdentity")["Account"])
        return self._account

    def has_credentials(self) -> bool:
        """Whether boto3 finds any."""
        with translated("configuration"):
            return self._opened().get_credentials() is not None

    def pieces(self, action: str, body: Any, size: int) -> Iterator[bytes]:
        """The body of an answer, as it comes. Closed before its end, its connection is, too."""
        from urllib3.exceptions import HTTPError  # what a broken TLS connection raises past botocore

        with closing(body):
            while True:
                try:
                    with self._translated(action):
                        piece = body.read(size)
                except HTTPError:
                    raise CloudUnreachable(f"The answer of AWS to {action} broke off.", ASK_LATER) from None
                if not piece:
                    return
                yield piece

    def default_region(self) -> str:
        """Where questions go that are the same everywhere."""
        with translated("configuration"):
            return str(self._opened().region_name or "us-east-1")

    @contextmanager
    def _translated(self, action: str, *, changes: bool = False, but: Collection[str] = ()) -> Iterator[None]:
        try:
            with self._known(), translated(action, changes=changes, but=but):
                yield
        except AuthError:
            with self._lock:
                if time.monotonic() - self._opened_at > FRESH_S:
                    self._session, self._made = None, {}
                    self._account = ""
            raise

    @contextmanager
    def _known(self) -> Iterator[None]:
        """Who asks without credentials is refused for that, and not for a permission."""
        try:
            yield
        except PermissionDenied:
            if not self.has_credentials():
                raise AuthError(
                    "There are no credentials for AWS, and what was asked for is not public.", LOG_IN
                ) from None
            raise

    def _method(self, region: str, action: str) -> Any:
        from botocore import xform_name

        service, _, operation = action.partition(":")
        return getattr(self._client(service, region), xform_name(operation))

    def _client(self, service: str, region: str) -> Any:
        with self._lock:
            made = self._made.get((service, region))
        return made or self._make(service, region)

    def _make(self, service: str, region: str) -> Any:
        from botocore import UNSIGNED
        from botocore.config import Config

        config = Config(
            connect_timeout=CONNECT_S,
            read_timeout=READ_S,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=CONNECTIONS,
            tcp_keepalive=True,
            user_agent_extra="cloudtui",
        )
        session, name = self._opened(), SERVICES.get(service, service)
        with self._lock:  # a session is not safe for threads; its clients are
            if service == PUBLIC and session.get_credentials() is None:
                config = config.merge(Config(signature_version=UNSIGNED))
            return self._made.setdefault(
                (service, region),
                session.client(name, region_name=region, config=config, endpoint_url=self._endpoint),
            )

    def _opened(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session, self._opened_at = _session(), time.monotonic()
            return self._session


def _heard(action: str, answer: Any) -> dict[str, Any]:
    """S3's word on the time does not count: it may be another's S3, with a clock of its own."""
    if not action.startswith(f"{PUBLIC}:"):
        times.heard("aws", answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date"))
    return dict(answer)


def _session() -> Any:
    try:
        import boto3
    except ImportError as error:
        raise NotInstalledError("boto3 is not installed.", "pip install 'cloudtui[aws]'") from error
    return boto3.Session()
