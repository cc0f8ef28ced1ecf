"""A small cloud in a file, and its provider: for tests of the engine, and the first to pass the contract.

Another process sees the same machines. `ToyCloud()` looks at the folder that `CLOUDTUI_TOY_CLOUD` names;
`publish(folder)` makes it findable by entry point, as a published provider is.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from tests.support.clouds.faults import ALL_TAGS, Fault, Orders
from tests.support.clouds.toy_books import Books, ToyBooks, ToyFault, die
from tests.support.clouds.toy_rows import NEXT, fits, is_owned, look, new_row, price_of, shown

from cloudtui_providers.base import (
    DEADLINE_TAG,
    LAUNCH_TAG,
    Capabilities,
    Check,
    Listing,
    Machine,
    Offer,
    Order,
    Payload,
    Provider,
    Token,
    Wanted,
)
from cloudtui_providers.errors import (
    AmbiguousError,
    AuthError,
    CapacityError,
    CloudUnreachable,
    InvalidOrderError,
    MachineGone,
    PermissionDenied,
    ProviderError,
    QuotaError,
    ThrottledError,
)

FOLDER = "CLOUDTUI_TOY_CLOUD"
SECRET = "toy-credential-5e1f"
ZONES = {"north-1a": "north-1", "north-1b": "north-1", "south-1a": "south-1"}
GIB = 1 << 30
TYPES = {
    "small-1": Offer("toy", "", "", "small-1", "", 0, 0, 2, 4 * GIB, 0.02),
    "gpu-1": Offer("toy", "", "", "gpu-1", "Toy T4", 1, 16 * GIB, 8, 32 * GIB, 0.5),
    "gpu-8": Offer("toy", "", "", "gpu-8", "Toy A100", 8, 80 * GIB, 96, 1000 * GIB, 12.0),
}
ERRORS: dict[str, type[ProviderError]] = {
    Fault.CAPACITY: CapacityError,
    Fault.QUOTA: QuotaError,
    Fault.AUTH: AuthError,
    Fault.PERMISSION: PermissionDenied,
    Fault.INVALID: InvalidOrderError,
    Fault.THROTTLE: ThrottledError,
    Fault.UNREACHABLE: CloudUnreachable,
}


class ToyCloud(Provider):
    """Machines are rows in a file. Each look at one moves it a step on: pending, then running."""

    name: ClassVar[str] = "toy"
    title: ClassVar[str] = "Toy cloud"
    capabilities: ClassVar[Capabilities] = Capabilities(
        Token.NATIVE, spot=True, stop=True, power_off_ends=True, user_data=True
    )

    def __init__(self, folder: Path | None = None) -> None:
        self.books = ToyBooks(folder or Path(os.environ[FOLDER]))
        self._account = str(folder or os.environ[FOLDER])

    def account(self) -> str:
        return self._account

    def regions(self) -> list[str]:
        self._begin("regions")
        return sorted(set(ZONES.values()))

    def offers(self, wanted: Wanted) -> list[Offer]:
        self._begin("offers")
        all_of_them = [
            replace(
                offer,
                region=region,
                zone=zone,
                spot=wanted.spot,
                price_usd_per_hour=price_of(offer, wanted.spot),
            )
            for offer in TYPES.values()
            for zone, region in ZONES.items()
        ]
        fitting = [offer for offer in all_of_them if fits(offer, wanted)]
        return sorted(fitting, key=lambda offer: offer.price_usd_per_hour or 0.0)

    def plan(self, order: Order) -> Payload:
        self._begin("plan", order.region, order.zone, order.type)
        if order.type not in TYPES:
            raise InvalidOrderError(f"There is no machine type {order.type}.")
        payload = {"token": order.token, "region": order.region, "zone": order.zone, "type": order.type}
        return payload | {"spot": order.spot, "tags": order.tags, "user_data": order.user_data}

    def launch(self, payload: Payload) -> Machine:
        fault = self._begin("launch", payload["region"], payload["zone"], payload["type"])
        with self.books.open() as books:
            row = self._existing(books, payload) or new_row(books, payload, late=fault == Fault.LATE)
            machine = shown(row, books)
        self._end(fault)
        return machine

    def find(self, payload: Payload) -> Machine | None:
        if self._begin("find", payload["region"]) == Fault.INCOMPLETE:
            raise CloudUnreachable("The second page did not come.")
        with self.books.open() as books:
            found = [
                row for row in books["machines"].values() if row["tags"].get(LAUNCH_TAG) == payload["token"]
            ]
            return next(iter(look(books, found)), None)

    def machines(self, region: str, owner: str) -> Listing:
        fault = self._begin("machines", region)
        with self.books.open() as books:
            rows = [row for row in books["machines"].values() if row["region"] == region]
            seen = look(books, [row for row in rows if is_owned(row, owner)])
        if fault == Fault.INCOMPLETE:
            return Listing(
                region, seen[: len(seen) // 2], complete=False, problem="The second page did not come."
            )
        return Listing(region, seen)

    def terminate(self, region: str, machine: str) -> None:
        def change(row: dict[str, Any]) -> None:
            if row["state"] != "terminated":
                row["state"] = "terminating"

        self._change("terminate", region, machine, change, gone_is_done=True)

    def taken_back(self, region: str, machine: str) -> bool:
        self._begin("taken_back", region)
        with self.books.open() as books:
            return machine in books["taken"]

    def stop(self, region: str, machine: str) -> None:
        def change(row: dict[str, Any]) -> None:
            if row["state"] in {"pending", "running"}:
                row["state"] = "stopping"

        self._change("stop", region, machine, change)

    def start(self, region: str, machine: str) -> None:
        def change(row: dict[str, Any]) -> None:
            if row["state"] in {"stopping", "stopped"}:
                row["state"] = "pending"

        self._change("start", region, machine, change)

    def check(self) -> list[Check]:
        try:
            self._begin("check")
        except ProviderError as error:
            return [Check("credentials", False, error.message, error.hint)]
        return [Check("credentials", True, "The toy cloud is here.")]

    def _begin(self, method: str, *where: str) -> str:
        """The fault that is left for the call itself, after those that end it here."""
        fault = self.books.due(method, *where)
        if fault in ERRORS:
            raise ERRORS[fault](f"The toy cloud says: {fault}.", "Tell the test about it.")
        if fault == Fault.BROKEN:
            raise AmbiguousError("The toy cloud broke inside.")
        return fault

    def _end(self, fault: str) -> None:
        if fault == ToyFault.DIE_AFTER:
            die()
        if fault == Fault.LOSE_ANSWER:
            raise AmbiguousError("The connection ended before the answer.")

    def _existing(self, books: Books, payload: Payload) -> dict[str, Any] | None:
        if self.capabilities.token is Token.LISTED:
            return None
        rows: list[dict[str, Any]] = list(books["machines"].values())
        found = next((row for row in rows if row["token"] == payload["token"]), None)
        if found and found["payload"] != dict(payload):
            raise InvalidOrderError("That token is another order's.")
        return found

    def _change(
        self,
        method: str,
        region: str,
        machine: str,
        change: Callable[[dict[str, Any]], None],
        *,
        gone_is_done: bool = False,
    ) -> None:
        fault = self._begin(method, region)
        with self.books.open() as books:
            row = books["machines"].get(machine)
            if row is None and not gone_is_done:
                raise MachineGone(f"There is no machine {machine}.")
            if row is not None:
                change(row)
        self._end(fault)


class ToyByName(ToyCloud):
    """One whose machines' names are what there is once; it keeps a deadline that is moved."""

    capabilities: ClassVar[Capabilities] = replace(ToyCloud.capabilities, token=Token.NAME)

    def set_deadline(self, region: str, machine: str, deadline: str, lifetime_s: int) -> None:
        def change(row: dict[str, Any]) -> None:
            row["tags"][DEADLINE_TAG] = deadline

        self._change("set_deadline", region, machine, change)


class ToyListed(ToyCloud):
    """One that rents as often as it is asked."""

    capabilities: ClassVar[Capabilities] = Capabilities(Token.LISTED, containers=True)
    stop, start = Provider.stop, Provider.start

    def offers(self, wanted: Wanted) -> list[Offer]:
        return [] if wanted.spot else super().offers(wanted)


class Toy(Orders):
    """The cloud's side, as `FakeCloud` has it."""

    secrets = (SECRET,)
    faults = tuple(Fault)
    carries = ALL_TAGS
    absent = "toy-404"
    usual = Order("claunch1", 1, "box-1", "c0ffee", "gpu-1", "north-1", "north-1a")

    def __init__(self, folder: Path, kind: type[ToyCloud] = ToyCloud) -> None:
        self.provider: Provider = kind(folder)
        self.books = ToyBooks(folder)
        self.fail, self.heal = self.books.fail, self.books.heal

    def count(self) -> int:
        with self.books.open() as books:
            states = [row["state"] for row in books["machines"].values()]
        return sum(state not in {"terminating", "terminated"} for state in states)

    def launches(self) -> int:
        return self.books.calls("launch")

    def settle(self) -> None:
        with self.books.open() as books:
            for row in books["machines"].values():
                row["state"] = NEXT.get(row["state"], row["state"])
                row["late"] = 0

    def stranger(self) -> None:
        payload = {
            "token": "",
            "region": "north-1",
            "zone": "north-1a",
            "type": "gpu-1",
            "spot": False,
            "tags": {},
        }
        with self.books.open() as books:
            new_row(books, payload, late=False)

    def forget(self, machine: str) -> None:
        with self.books.open() as books:
            del books["machines"][machine]

    def take_back(self, machine: str) -> None:
        with self.books.open() as books:
            books["machines"][machine] |= {"state": "terminated", "reason": "preempted"}

    def take_away(self, machine: str, *, say: bool = True) -> None:
        """As clouds do that list no more what they took back; their history may say so, or not yet."""
        self.forget(machine)
        if say:
            self.say_taken(machine)

    def say_taken(self, machine: str) -> None:
        with self.books.open() as books:
            books["taken"].append(machine)

    def disk_tags(self, machine: str) -> list[dict[str, str]]:
        with self.books.open() as books:
            return [dict(books["machines"][machine]["tags"])]


def publish(folder: Path) -> list[str]:
    """Put an entry point named `toy` into `folder`; what belongs on PYTHONPATH for it to be found."""
    about = folder / "cloudtui_toy-0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: cloudtui-toy\nVersion: 0\n")
    (about / "entry_points.txt").write_text(f"[cloudtui.providers]\ntoy = {__name__}:ToyCloud\n")
    return [str(folder), str(Path(__file__).parents[3])]
