"""What a cloud tells a spot machine before it takes it back: asked for on the machine, beside its jobs.

Each cloud has its own question, to an address that only the machine itself reaches. Whoever does not answer
has told nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import threading
import time
from calendar import timegm
from typing import Any, Callable, Dict, NamedTuple, Optional

EVENT = "preemption"
"""What the guard writes into the journal then."""
EVERY_S = 2.0
"""Two of the clouds tell half a minute before."""
PATIENCE_S = 2.0
"""So long a whole answer may take."""
LONGEST_S = 600.0
"""A notice that names a later end is one of a clock that is wrong."""
GRACE_SHARE = 0.6
"""Of the time that is left a job gets so much to save itself; the rest is for bringing that away."""
LEAST_GRACE_S = 5.0
_MOST_BYTES = 65536
_TOKEN = re.compile(r"[!-~]{1,4096}")

Ask = Callable[..., Optional[str]]
"""`ask(path, headers, method="GET")`: what was answered; None where nothing was, or a refusal."""


class Notice(NamedTuple):
    """The machine is taken back."""

    left_s: float
    """Until then, as far as is known."""

    @property
    def grace_s(self) -> float:
        """What its jobs get to save themselves."""
        return max(LEAST_GRACE_S, self.left_s * GRACE_SHARE)


def aws(ask: Ask, now: float) -> Optional[Notice]:
    """EC2: two minutes before."""
    headers = _token(ask, "X-aws-ec2-metadata-token")
    said = _object(ask("/latest/meta-data/spot/instance-action", headers))
    return Notice(_left(said.get("time"), now, 120.0)) if said.get("action") else None


def gcp(ask: Ask, _now: float) -> Optional[Notice]:
    """Compute Engine: thirty seconds before; since when, it does not say."""
    said = ask("/computeMetadata/v1/instance/preempted", {"Metadata-Flavor": "Google"})
    return Notice(30.0 - EVERY_S) if said is not None and said.strip() == "TRUE" else None


def azure(ask: Ask, now: float) -> Optional[Notice]:
    """Virtual machines: thirty seconds before; others of the same set are told of in the same answer."""
    headers = {"Metadata": "true"}
    events = _object(ask("/metadata/scheduledevents?api-version=2020-07-01", headers)).get("Events")
    taken = [one for one in _objects(events) if one.get("EventType") == "Preempt"]
    if not taken:
        return None
    name = ask("/metadata/instance/compute/name?api-version=2021-02-01&format=text", headers)
    for one in taken:
        whose = one.get("Resources")
        named = [str(each).lower() for each in whose] if isinstance(whose, list) else None
        if name is None or named is None or name.strip().lower() in named:
            return Notice(_left(one.get("NotBefore"), now, 30.0 - EVERY_S))
    return None


def alibaba(ask: Ask, now: float) -> Optional[Notice]:
    """ECS: five minutes before. Machines may be set to tell nothing to who has no token."""
    headers = _token(ask, "X-aliyun-ecs-metadata-token")
    said = ask("/latest/meta-data/instance/spot/termination-time", headers)
    return Notice(_left(said, now, 300.0)) if said is not None and _moment(said) is not None else None


class _Cloud(NamedTuple):
    address: str
    asks: Callable[[Ask, float], Optional[Notice]]
    first_s: float = PATIENCE_S
    """So long its very first answer may take."""


CLOUDS = {
    "aws": _Cloud("http://169.254.169.254", aws),
    "gcp": _Cloud("http://169.254.169.254", gcp),
    # By the first question its events are switched on for the machine, which takes up to two minutes.
    "azure": _Cloud("http://169.254.169.254", azure, 150.0),
    "alibaba": _Cloud("http://100.100.100.200", alibaba),
}
"""Those that tell."""


class Watch:
    """Asks every few seconds, from a thread of its own: no answer keeps a job from anything.

    Args:
        cloud: a key of `CLOUDS`; any other is asked nothing.
        address: where to ask; default: that cloud's own, or CLOUDTUI_IMDS.
    """

    def __init__(self, cloud: str, address: str = "") -> None:
        self.seen: Optional[Notice] = None
        """The notice, once there is one."""
        self._cloud = CLOUDS.get(cloud)
        self._address = address or os.environ.get("CLOUDTUI_IMDS") or ""
        self._answered = False
        self._done = threading.Event()

    def start(self) -> None:
        """Begin to ask, where there is something to ask."""
        if self._cloud is not None:
            threading.Thread(target=self._run, name="notice", daemon=True).start()

    def last_look(self) -> None:
        """Ask once more, now: for who has been ended by something else, which may be the same thing."""
        self._answered = True  # nobody waits for a first answer any more
        if self.seen is None:
            self._look()

    def close(self) -> None:
        """Ask no more."""
        self._done.set()

    def _run(self) -> None:
        while not self._done.is_set():
            self._look()
            if self.seen is not None or self._done.wait(EVERY_S):
                return

    def _look(self) -> None:
        seen = self._cloud.asks(self._ask, time.time()) if self._cloud is not None else None
        self.seen = self.seen or seen

    def _ask(self, path: str, headers: Dict[str, str], method: str = "GET") -> Optional[str]:
        # Here, for most jobs are on machines that nobody takes back.
        from http.client import HTTPConnection, HTTPException
        from urllib.parse import urlsplit

        if self._cloud is None:
            return None
        # No proxy and no redirect: what is asked is on this machine's own wire.
        where = urlsplit(self._address or self._cloud.address)
        patience = PATIENCE_S if self._answered else self._cloud.first_s
        connection = HTTPConnection(where.hostname or "", where.port or 80, timeout=patience)
        # What comes byte by byte keeps to a limit of each byte, and never ends.
        limit = threading.Timer(patience, _hang_up, [connection])
        limit.daemon = True
        limit.start()
        try:
            connection.request(method, where.path + path, headers=headers)
            answer = connection.getresponse()
            said = answer.read(_MOST_BYTES).decode("utf-8", "replace")
        except (OSError, HTTPException, ValueError, AttributeError):
            return None  # the last one: of what was hung up meanwhile
        finally:
            limit.cancel()
            connection.close()
        self._answered = True
        return said if answer.status == 200 else None


def _hang_up(connection: Any) -> None:
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _token(ask: Ask, name: str) -> Dict[str, str]:
    """The header with a token, where one is given."""
    token = ask("/latest/api/token", {name + "-ttl-seconds": "60"}, method="PUT")
    return {name: token} if token and _TOKEN.fullmatch(token) else {}


def _object(text: Optional[str]) -> Dict[str, Any]:
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(text or "")
        if isinstance(found, dict):
            return found
    return {}


def _objects(value: Any) -> Any:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _left(text: Any, now: float, default: float) -> float:
    """Seconds until a moment; `default` where it is none, or this machine's clock cannot be right."""
    at = _moment(text)
    return default if at is None or not 0 < at - now <= LONGEST_S else at - now


def _moment(text: Any) -> Optional[float]:
    """`2026-11-21T18:02:00Z` or `Sat, 21 Nov 2026 18:02:00 GMT` as Unix seconds."""
    if not isinstance(text, str):
        return None
    with contextlib.suppress(ValueError, OverflowError):
        return float(timegm(time.strptime(text.strip(), "%Y-%m-%dT%H:%M:%SZ")))
    from email.utils import parsedate_to_datetime  # here, for the same reason

    with contextlib.suppress(ValueError, TypeError, IndexError, OverflowError, OSError):
        return parsedate_to_datetime(text.strip()).timestamp()
    return None
