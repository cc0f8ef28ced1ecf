"""What the parts of the contract suite share."""

from __future__ import annotations

import json
import traceback
from typing import Any

from tests.support.clouds.faults import FakeCloud, Fault

from cloudtui_providers.base import (
    CloudState,
    Machine,
    Order,
    Payload,
    Provider,
)
from cloudtui_providers.errors import (
    AuthError,
    CapacityError,
    CloudUnreachable,
    InvalidOrderError,
    PermissionDenied,
    ProviderError,
    QuotaError,
    ThrottledError,
)

MEANS: dict[Fault, type[ProviderError]] = {
    Fault.CAPACITY: CapacityError,
    Fault.QUOTA: QuotaError,
    Fault.AUTH: AuthError,
    Fault.PERMISSION: PermissionDenied,
    Fault.INVALID: InvalidOrderError,
    Fault.THROTTLE: ThrottledError,
    Fault.UNREACHABLE: CloudUnreachable,
}
"""What a launch raises, having made nothing."""
UNSURE = (Fault.LOSE_ANSWER, Fault.BROKEN)
EVERY_CLOUD = {Fault.AUTH, Fault.PERMISSION, Fault.UNREACHABLE, *UNSURE}
ENDED = {CloudState.TERMINATING, CloudState.TERMINATED}
CANARY = "canary-in-the-user-data-7f3a"
DEADLINE = "2030-01-02T03:04:05Z"
LATER = "2030-01-03T03:04:05Z"


def planned(provider: Provider, order: Order) -> Payload:
    """The payload as the engine sends it: after it lay in the catalog as JSON."""
    kept: Payload = json.loads(json.dumps(dict(provider.plan(order))))
    return kept


def launched(cloud: FakeCloud, **order: Any) -> tuple[Machine, Order]:
    wanted = cloud.order(**order)
    machine = cloud.provider.launch(planned(cloud.provider, wanted))
    cloud.settle()
    return machine, wanted


def state_of(cloud: FakeCloud, region: str, machine: str) -> CloudState | None:
    """As the listing of all says; None: not there."""
    listing = cloud.provider.machines(region, "")
    assert listing.complete
    return next((one.state for one in listing.machines if one.id == machine), None)


def everything_said(error: BaseException) -> str:
    """All that a log or a screen could show of an error, its causes included."""
    hint = getattr(error, "hint", "")
    return "".join(traceback.format_exception(error)) + f"{error}{error!r}{hint}{error.args}"
