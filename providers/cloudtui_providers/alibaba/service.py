"""Alibaba's APIs as they are asked: one library for all its services, each question sent once."""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from cloudtui_providers import times
from cloudtui_providers.alibaba.errors import translated
from cloudtui_providers.alibaba.settings import Settings
from cloudtui_providers.errors import AuthError
from cloudtui_providers.rest import CONNECT_S, READ_S, endless

NAME = "alibaba"
VERSIONS = {"ecs": "2014-05-26", "vpc": "2016-04-28", "sts": "2015-04-01", "cms": "2019-01-01"}
HOSTS = {
    ("ecs", "cn-hangzhou"): "ecs-cn-hangzhou.aliyuncs.com",
    ("vpc", "cn-hangzhou"): "vpc.aliyuncs.com",
}
"""Where a region's service is called otherwise than all others are."""
WITHOUT_REGION = {
    "DeleteInstance", "DescribeInstanceTypes", "DescribeRegions", "GetCallerIdentity", "StartInstance",
    "StopInstance",
}  # fmt: skip
"""Actions that take no region: the endpoint says it, or it is the same everywhere."""
KEYS = ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET", "SECURITY_TOKEN")
PAGE = 100


class Api:
    """Calls, by the names that RAM gives them: `ecs:DescribeRegions`. All threads share it.

    Where the credentials are refused they are read anew for the next call.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._credential: Any = None
        self._clients: dict[str, Any] = {}
        self._account = ""

    def ask(self, region: str, action: str, *, but: Collection[str] = (), **arguments: Any) -> dict[str, Any]:
        """The answer to what may be asked again, for it changes nothing, or nothing twice.

        Args:
            region: where.
            action: as RAM names it.
            but: codes that are answers, too: the empty one.
            **arguments: as Alibaba's API has them.
        """
        return self._sent(region, action, arguments, but, changes=False)

    def change(
        self, region: str, action: str, *, but: Collection[str] = (), **arguments: Any
    ) -> dict[str, Any]:
        """The answer to what must be known to be done or not: a lost one is an `AmbiguousError`."""
        return self._sent(region, action, arguments, but, changes=True)

    def pages(self, region: str, action: str, **arguments: Any) -> Iterator[dict[str, Any]]:
        """The answer to a question, page by page; any of them may raise."""
        token = ""
        for _ in endless("Alibaba Cloud"):
            page = self.ask(
                region, action, MaxResults=PAGE, **arguments, **({"NextToken": token} if token else {})
            )
            yield page
            token = str(page.get("NextToken") or "")
            if not token:
                return

    def account(self) -> str:
        """The number of the account that the credentials are of; asked until it is known."""
        if not self._account:
            self._account = str(self.ask(self._settings.region, "sts:GetCallerIdentity")["AccountId"])
        return self._account

    def _sent(
        self, region: str, action: str, arguments: dict[str, Any], but: Collection[str], *, changes: bool
    ) -> dict[str, Any]:
        service, _, operation = action.partition(":")
        with self._forgetting_what_is_refused(), translated(action, changes=changes, but=but):
            from alibabacloud_tea_openapi.utils import Utils
            from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params
            from darabonba.runtime import RuntimeOptions

            told = arguments if operation in WITHOUT_REGION else {"RegionId": region, **arguments}
            asked = Params(
                action=operation, version=VERSIONS[service], protocol="HTTPS", pathname="/", method="POST",
                auth_type="AK", style="RPC", req_body_type="formData", body_type="json",
            )  # fmt: skip
            client = self._client(service, region)
            answer = client.call_api(asked, OpenApiRequest(query=Utils.query(told)), RuntimeOptions())
            times.heard(NAME, (answer.get("headers") or {}).get("date"))
            return dict(answer["body"])
        return {}

    @contextmanager
    def _forgetting_what_is_refused(self) -> Iterator[None]:
        try:
            yield
        except AuthError:
            with self._lock:
                self._credential, self._clients = None, {}
                self._account = ""
            raise

    def _client(self, service: str, region: str) -> Any:
        from alibabacloud_tea_openapi.client import Client
        from alibabacloud_tea_openapi.utils_models import Config

        scheme, _, host = (self._settings.endpoint or f"https://{_host(service, region)}").partition("://")
        with self._lock:
            if self._credential is None:
                self._credential = _credential()
            if host not in self._clients:
                self._clients[host] = Client(
                    Config(
                        credential=self._credential, endpoint=host, protocol=scheme,
                        connect_timeout=CONNECT_S * 1000, read_timeout=READ_S * 1000, user_agent="cloudtui",
                    )
                )  # fmt: skip
            return self._clients[host]


def items(answer: dict[str, Any], *path: str) -> list[Any]:
    """What lies there in an answer; Alibaba leaves out what is empty."""
    found: Any = answer
    for name in path:
        found = (found or {}).get(name)
    return list(found or [])


def _credential() -> Any:
    """Those of the environment as it is now: the library knows it as it was when it was loaded."""
    from alibabacloud_credentials.client import Client
    from alibabacloud_credentials.models import Config

    key, secret, token = (os.environ.get(f"ALIBABA_CLOUD_{name}", "") for name in KEYS)
    if not (key and secret):
        return Client()
    kind = {"type": "sts", "security_token": token} if token else {"type": "access_key"}
    return Client(Config(access_key_id=key, access_key_secret=secret, **kind))


def _host(service: str, region: str) -> str:
    if service == "sts":
        return "sts.aliyuncs.com"
    if service == "cms":
        return f"metrics.{region}.aliyuncs.com"
    return HOSTS.get((service, region), f"{service}.{region}.aliyuncs.com")
