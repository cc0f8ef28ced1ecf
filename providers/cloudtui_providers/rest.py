"""Clouds that are asked in JSON over HTTPS, with one key: one request, one answer, one of our errors.

Nothing is repeated here. What httpx raises names addresses and headers, so none of it is passed on
(`from None`); of the cloud's words only those about the order are, and never with the key in them.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cloudtui_providers import keys, times
from cloudtui_providers.errors import (
    AmbiguousError,
    AuthError,
    CapacityError,
    CloudUnreachable,
    InvalidOrderError,
    MachineGone,
    NotInstalledError,
    PermissionDenied,
    ProviderError,
    QuotaError,
    ThrottledError,
)

CONNECT_S = 5
READ_S = 60
"""A launch may think for long, and its answer is worth waiting for."""
SILENCES = 2
"""So many times as long as one silence in it may an answer take in all: one that drips is none."""
MOST_BYTES = 1 << 26
"""An answer that is longer is none either: it would be held in memory."""
MOST_PAGES = 2000
"""A list with more of them has no end: pages that name each other, or an answer that is not the cloud's."""
MOST_WORDS = 300
ASK_LATER = "It is asked again. Look at the network, and at the cloud's own page about its health."
BY_STATUS: Mapping[int, type[ProviderError]] = {
    401: AuthError,
    402: QuotaError,
    403: PermissionDenied,
    404: MachineGone,
    410: MachineGone,
    429: ThrottledError,
}
UNSURE = 408
"""It was waited for in vain; from 500 on, something broke. Only the cloud knows what was done."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is none of success."""

    method: str
    path: str
    status: int
    body: Any
    """What its JSON says; None where it is none."""


@dataclass(frozen=True, slots=True)
class Service:
    """What is particular to one cloud."""

    name: str
    title: str
    endpoint: str
    key: Callable[[], str]
    """Asked for each request, so that a new key counts at once and none is kept."""
    log_in: str
    """What to do where the key is refused."""
    words: Callable[[Answer], str]
    """The cloud's own sentence in an answer."""
    kind: Callable[[Answer], type[ProviderError] | None]
    """Which error an answer is, where its status alone does not say it."""
    pace_s: float = 0.0
    """So long from one request to the next, where the cloud asks for that."""
    missing: Callable[[Answer], str] = lambda _: ""
    """The permission that an answer says is missing; empty: it names none."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of every request, beside the key."""


class Rest:
    """One cloud's HTTP, for all threads."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._client: Any = None
        self._next = 0.0

    def account(self) -> str:
        """Whose machines are asked about, as far as the key tells.

        Raises:
            AuthError: there is none.
        """
        return keys.mark(self._service.name, self._service.key())

    def ask(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None) -> Any:
        """The answer to what may be asked again, for it changes nothing, or nothing twice."""
        return self._send(method, path, query, body, changes=False)

    def change(
        self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = None
    ) -> Any:
        """The answer to what must be known to be done or not: a lost one is an `AmbiguousError`."""
        return self._send(method, path, query, body, changes=True)

    def _send(
        self, method: str, path: str, query: Mapping[str, Any] | None, body: Any, *, changes: bool
    ) -> Any:
        key, client = self._service.key(), self._opened()
        import httpx

        title = self._service.title
        not_sent = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
        self._pace()
        until = time.monotonic() + SILENCES * READ_S
        try:
            with client.stream(
                method, path, params=query, json=body, headers={"Authorization": f"Bearer {key}"}
            ) as reply:
                content = _content(reply, until)
        except (*not_sent, httpx.UnsupportedProtocol):
            raise CloudUnreachable(f"{title} cannot be reached for {method} {path}.", ASK_LATER) from None
        except httpx.HTTPError:
            raise unsure(f"The answer of {title} to {method} {path} is lost.", changes=changes) from None
        times.heard(self._service.name, reply.headers.get("Date"))
        told = _json(content)
        if reply.is_success and (told is not None or not content):
            return told
        if reply.is_success:
            raise unsure(f"The answer of {title} to {method} {path} is no JSON.", changes=changes)
        answer = Answer(method, path, reply.status_code, told)
        raise self._error(answer, key, str(reply.headers.get("Retry-After", "")), changes=changes)

    def _error(self, answer: Answer, key: str, retry_after: str, *, changes: bool) -> ProviderError:
        service, what = self._service, f"{answer.method} {answer.path}"
        kind = service.kind(answer) or BY_STATUS.get(answer.status)
        if kind is AmbiguousError or (kind is None and (answer.status >= 500 or answer.status == UNSURE)):
            told = f"Something broke inside {service.title} at {what} ({answer.status})."
            return unsure(told, changes=changes)
        if kind is AuthError:
            return AuthError(f"{service.title} refuses the key ({answer.status}).", service.log_in)
        if kind is PermissionDenied:
            named = service.missing(answer)
            return PermissionDenied(
                f"This account, or its key, may not do {what}" + (f": {named} is missing." if named else "."),
                f"Look at the account of {service.title}.",
            )
        if kind is ThrottledError:
            return ThrottledError(
                f"{service.title} wants to be asked {what} later.", retry_after_s=_seconds(retry_after)
            )
        words = service.words(answer).replace(key, "…")[:MOST_WORDS]
        return self._about_the_order(kind, what, words, changes=changes)

    def _about_the_order(
        self, kind: type[ProviderError] | None, what: str, words: str, *, changes: bool
    ) -> ProviderError:
        title = self._service.title
        if kind is CapacityError:
            return CapacityError(f"{title} has none of these machines there: {words}")
        if kind is QuotaError:
            return QuotaError(
                f"{title} lets this account rent no more: {words}", f"Look at the account of {title}."
            )
        if kind is MachineGone:
            return MachineGone(f"{title} knows nothing of {what}.")
        if changes or kind is InvalidOrderError:
            return InvalidOrderError(f"{title} will not do {what}: {words}")
        return ProviderError(f"{title} cannot answer {what}: {words}")

    def _pace(self) -> None:
        """Wait for this request's turn."""
        if not self._service.pace_s:
            return
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._service.pace_s
        time.sleep(turn - now)

    def _opened(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _client(self._service)
            return self._client


def endless(title: str) -> Iterator[None]:
    """For each page of a list; past the last that any list has it is none.

    Raises:
        CloudUnreachable: there were too many.
    """
    for _ in range(MOST_PAGES):
        yield
    raise CloudUnreachable(f"A list of {title} does not end.", ASK_LATER)


@contextmanager
def reading(title: str, *, changes: bool = False) -> Iterator[None]:
    """Around the reading of an answer: one of another shape than the API promises is none.

    Args:
        title: whose answer it is.
        changes: it was the answer to a change, so that nobody knows what was done.
    """
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise unsure(f"An answer of {title} is not what its API promises.", changes=changes) from None


def unsure(message: str, *, changes: bool) -> ProviderError:
    """What no answer means: nobody knows, or it is asked again."""
    return AmbiguousError(message) if changes else CloudUnreachable(message, ASK_LATER)


def _client(service: Service) -> Any:
    try:
        import httpx
    except ImportError as error:
        hint = f"pip install 'cloudtui[{service.name}]'"
        raise NotInstalledError(
            f"httpx, by which {service.title} is asked, is not installed.", hint
        ) from error
    return httpx.Client(
        base_url=service.endpoint,
        timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
        headers={"User-Agent": "cloudtui", **service.headers},
        verify=_certificates(),
    )


@cache
def _certificates() -> Any:
    """Read once, for all clouds: that takes longer than most answers."""
    import httpx

    return httpx.create_ssl_context()


def _content(reply: Any, until: float) -> bytes:
    """All of an answer, unless it takes too long or is too long."""
    import httpx

    content = bytearray()
    for piece in reply.iter_bytes():
        content += piece
        if time.monotonic() > until or len(content) > MOST_BYTES:
            raise httpx.ReadTimeout("It drips, or does not end.")
    return bytes(content)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _seconds(retry_after: str) -> float:
    try:
        seconds = float(retry_after)
    except ValueError:
        return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0
