"""The contract, carried out on RunPod's secure cloud.

Not here, though RunPod has it: a stop, for it clears the disk that a pod works on, and what is offered as
"stopped, disk kept" must be that; the community cloud, whose hosts are strangers; spot, which version 2 of
the API does not have. A pod's ports are open to everybody: its sshd lets in our key alone. An image that is
none of RunPod's begins as it is made, without the order's start command.
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from cloudtui_providers import counted, looks, marks, unable
from cloudtui_providers.base import (
    LAUNCH_TAG,
    Capabilities,
    Check,
    CloudState,
    Listing,
    Machine,
    Offer,
    Order,
    Payload,
    Provider,
    Token,
    Wanted,
)
from cloudtui_providers.choosing import chosen
from cloudtui_providers.errors import InvalidOrderError, MachineGone
from cloudtui_providers.packed import packed
from cloudtui_providers.rest import Rest, reading
from cloudtui_providers.runpod.machines import REGION, machine, offers_of
from cloudtui_providers.runpod.service import NAME, PODS, TITLE, service

GPUS = "/v2/catalog/gpus"
COUNTS: tuple[int, ...] = (1, 2, 4, 8)
IMAGE = "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"
"""RunPod's own, with drivers, Python and an sshd that takes its key from PUBLIC_KEY."""
OWN_IMAGES = "runpod/"
"""Images whose command is /start.sh, so that something can be run before it and nothing is lost."""
LONGEST_NAME = 120


class RunPod(Provider):
    """Containers with GPUs, on demand."""

    name: ClassVar[str] = NAME
    title: ClassVar[str] = TITLE
    capabilities: ClassVar[Capabilities] = Capabilities(Token.LISTED, containers=True)

    def __init__(self, endpoint: str = "") -> None:
        self._rest = Rest(service(endpoint))

    def account(self) -> str:
        """By its key: a new one has to show a machine of ours before its lists are believed."""
        return self._rest.account()

    def regions(self) -> list[str]:
        """One: an account has one list of pods. Data centers are zones."""
        return [REGION]

    def offers(self, wanted: Wanted) -> list[Offer]:
        """One, two, four and eight of each GPU, or what the type says."""
        counts = COUNTS
        if wanted.type:
            try:
                counts = (counted.read(wanted.type)[0],)
            except InvalidOrderError:
                return []
        with reading(TITLE):
            found = [one for count in counts for gpu in self._stock(count) for one in offers_of(gpu, count)]
        return chosen(found, wanted)

    def plan(self, order: Order) -> Payload:
        """Looks whether there are such machines; makes nothing."""
        unable.refuse(order, TITLE)
        count, gpu = counted.read(order.type)
        with reading(TITLE):
            self._allowed(count, gpu)
        request: dict[str, Any] = {
            "name": marks.marked_name(order, LONGEST_NAME),
            "image": order.image or IMAGE,
            "cloud": "SECURE",
            "gpu": {"id": gpu, "count": count},
            "disk": order.disk_gb,
            "ports": ["22/tcp"],
            "startSsh": True,  # without it the image's sshd is not set up
        }
        if order.public_key:
            request["env"] = {"PUBLIC_KEY": order.public_key}  # else it is the account's keys
        if order.zone:
            request["dataCenterIds"] = [order.zone]
        if order.start_command and request["image"].startswith(OWN_IMAGES):
            request["args"] = f"bash -c '{packed(order.start_command)}; exec /start.sh'"
        return {"request": request}

    def launch(self, payload: Payload) -> Machine:
        """Once."""
        told = self._rest.change("POST", PODS, body=payload["request"])
        with reading(TITLE, changes=True):
            return machine(told)

    def find(self, payload: Payload) -> Machine | None:
        """By its name; a living one before a dead one."""
        token = marks.tags(payload["request"]["name"])[LAUNCH_TAG]
        found = [one for one in self._machines() if one.token == token]
        return min(found, key=lambda one: (one.state is CloudState.TERMINATED, one.id), default=None)

    def machines(self, region: str, owner: str) -> Listing:
        """All of the account, in one answer."""
        return Listing(region, marks.of_owner(self._machines(), owner))

    def terminate(self, region: str, machine: str) -> None:  # noqa: ARG002 - there is one
        """Its disk goes with it."""
        try:
            self._rest.change("DELETE", f"{PODS}/{quote(machine, safe='')}")
        except MachineGone:
            return

    def check(self) -> list[Check]:
        """The key, and what it may list; whether it may rent, nothing but a launch tells."""
        return looks.checks(
            ("credentials", lambda: f"The key may list pods. Pods of ours there: {len(self._machines())}."),
            (
                "GPUs",
                lambda: f"Kinds of GPUs to be had now: {len({one.gpu for one in self._one_of_each()})}.",
            ),
        )

    def _machines(self) -> list[Machine]:
        """Those that bear marks: what else is there is nobody's affair here, nor its shape."""
        with reading(TITLE):
            return [machine(pod) for pod in self._rest.ask("GET", PODS)["pods"] if marks.tags(pod["name"])]

    def _one_of_each(self) -> list[Offer]:
        with reading(TITLE):
            found = [one for gpu in self._stock(1) for one in offers_of(gpu, 1)]
        return [one for one in found if one.available]

    def _stock(self, count: int) -> list[dict[str, Any]]:
        query = {"include": "AVAILABILITY", "product": "POD", "cloud": "SECURE", "count": count}
        return list(self._rest.ask("GET", GPUS, query=query)["gpus"])

    def _allowed(self, count: int, gpu: str) -> None:
        for one in self._rest.ask("GET", GPUS)["gpus"]:
            if one["id"] == gpu and one["secure"]:
                most = int(one["maxCount"]["secure"])
                if most < count:
                    raise InvalidOrderError(f"{TITLE} has at most {most} of {gpu} in one machine.")
                return
        raise InvalidOrderError(f"{TITLE} has no GPU {gpu}.", "'cloudtui instance offers runpod' lists them.")
