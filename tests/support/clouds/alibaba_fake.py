"""Alibaba Cloud on loopback: its machines are rows of a dictionary, its API is `alibaba_api`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from tests.support.clouds.alibaba_api import CALLED, OPERATIONS, is_signed, operations, parameters
from tests.support.clouds.alibaba_networks import Networks, Told
from tests.support.clouds.alibaba_rows import (
    AFTER,
    ENVIRONMENT,
    FAMILIES,
    KEY,
    NOT_FOUND,
    PRICES,
    PUBLIC_KEY,
    REGION,
    SECRET,
    TYPES,
    ZONES,
    denied,
    error,
    event_row,
    instance_row,
    is_user_data,
    may_be_released_at,
    tags_of,
    type_row,
)  # fmt: skip
from tests.support.clouds.faults import ALL_TAGS, Fault
from tests.support.clouds.http_fake import Reply

from cloudtui_providers.alibaba import Alibaba
from cloudtui_providers.alibaba.settings import Settings
from cloudtui_providers.base import LAUNCH_TAG, Order, Provider


class FakeAlibaba(Networks):
    """As `FakeCloud` has it. It lets in what is signed with its key."""

    operations = operations()
    answers: ClassVar[dict[str, Reply]] = {
        Fault.CAPACITY: error(403, "OperationDenied.NoStock", "The requested resource is sold out in the "
                              "specified zone; try other types of resources or other regions and zones."),
        Fault.QUOTA: error(400, "QuotaExceed.ElasticQuota", "The number of vCPUs exceeds the quota."),
        Fault.AUTH: error(404, "InvalidAccessKeyId.NotFound", "Specified access key {key} is not found."),
        Fault.PERMISSION: denied("ecs:RunInstances"),
        Fault.INVALID: error(400, "InvalidParameter.Conflict", "The specified image does not support the "
                             "specified instance type."),
        Fault.THROTTLE: error(400, "Throttling.User", "Request was denied due to user flow control."),
        Fault.BROKEN: error(500, "InternalError", "The request processing has failed due to some unknown "
                            "error."),
    }  # fmt: skip
    secrets = (KEY, SECRET)
    faults = (*answers, Fault.UNREACHABLE, Fault.LOSE_ANSWER, Fault.INCOMPLETE, Fault.LATE)
    carries = ALL_TAGS
    absent = "i-0xi404neverthere00"
    usual = Order("claunch1", 1, "box-1", "c0ffee", "ecs.gn6i-c4g1.xlarge", REGION, ZONES[0],
                  public_key=PUBLIC_KEY, ssh_from=("198.51.100.7/32",))  # fmt: skip
    environment: ClassVar[dict[str, str]] = ENVIRONMENT

    def __init__(self) -> None:
        super().__init__(KEY)
        self.rows: dict[str, Told] = {}
        self.disks: dict[str, Told] = {}
        self.ended: set[str] = set()
        self.hidden: set[str] = set()
        self.tokens: dict[str, tuple[Told, str]] = {}
        self.sold_out: set[str] = set()
        self.interrupted: list[Told] = []
        self.currency = "USD"
        self.breaks_off = False
        self.provider: Provider = reached(self.endpoint)

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        if target == "/address":
            return super().handle(method, target, headers, body)
        action = headers.get("x-acs-action") or ""
        if OPERATIONS[action]["version"] != headers.get("x-acs-version"):
            self.wrong.append(f"version {headers.get('x-acs-version')} of {action}")
        told = parameters(action, target)
        called = CALLED[action]
        if called == "machines":
            keys = {one["Key"] for one in told.get("Tag", [])}
            called = "one" if "InstanceIds" in told else "find" if LAUNCH_TAG in keys else "machines"
        known = {"Authorization": f"Bearer {KEY}"} if is_signed(method, target, headers, KEY, SECRET) else {}
        return super().handle("POST", f"/{action}/{called}", known, json.dumps(told).encode())

    def heal(self) -> None:
        super().heal()
        self.breaks_off = False

    def count(self) -> int:
        """What is switched off from within costs as before."""
        return sum(
            name not in self.ended and row["StoppedMode"] != "StopCharging" for name, row in self.rows.items()
        )

    def launches(self) -> int:
        return self.calls["launch"]

    def settle(self) -> None:
        self.hidden.clear()
        for name in [*self.ended]:
            self.forget(name)
        for row in self.rows.values():
            row["Status"] = AFTER.get(row["Status"], row["Status"])
            if row["Status"] == "Running":
                row |= {"StoppedMode": "Not-applicable", "PublicIpAddress": {"IpAddress": [self.address]}}

    def stranger(self) -> None:
        for tags in ([], [{"Key": "team", "Value": "other"}]):
            told = {"InstanceName": "other", "InstanceType": "ecs.g7.xlarge", "RegionId": REGION}
            self._new(told | {"ZoneId": ZONES[0], "Tag": tags})

    def forget(self, machine: str) -> None:
        self.rows.pop(machine, None)
        self.ended.discard(machine)

    def take_back(self, machine: str) -> None:
        """It is gone from all lists; what was said before is among the events of CloudMonitor."""
        self.interrupted.append(event_row(machine))
        self.forget(machine)

    def disk_tags(self, machine: str) -> list[dict[str, str]]:
        return [self.disks[machine]]

    # -- machines

    def _launch(self, *, body: Told, fault: str, **_: Any) -> Reply:
        if body.get("DryRun"):
            return self._dry("ecs:RunInstances")
        before = self.tokens.get(body["ClientToken"])
        if before:
            if before[0] != body:
                return error(400, "IdempotentParameterMismatch", "The parameters are not those of before.")
            return 200, {"InstanceIdSets": {"InstanceIdSet": [before[1]]}}
        refused = self._wrong_in(body)
        if refused:
            return error(404, refused, "What it refers to does not exist.")
        name = self._new(body)
        self.tokens[body["ClientToken"]] = body, name
        if fault == Fault.LATE:
            self.hidden.add(name)
        return 200, {"InstanceIdSets": {"InstanceIdSet": [name]}}

    def _machines(self, *, body: Told, fault: str, **_: Any) -> Reply:
        (wanted,) = body["Tag"]
        rows = [
            row
            for name, row in self.rows.items()
            if name not in self.hidden
            and row["RegionId"] == body["RegionId"]
            and wanted.get("Value", tags_of(row).get(wanted["Key"], "")) == tags_of(row).get(wanted["Key"])
        ]
        self.breaks_off |= fault == Fault.INCOMPLETE
        if "NextToken" in body and self.breaks_off:
            return self._told(Fault.BROKEN)
        half = len(rows) // 2
        page = rows[half:] if "NextToken" in body else rows[:half]
        more = {} if "NextToken" in body else {"NextToken": "page-2"}
        return 200, {"Instances": {"Instance": page}, "PageSize": body.get("MaxResults", 10)} | more

    _find = _machines

    def _one(self, *, body: Told, **_: Any) -> Reply:
        names = json.loads(body["InstanceIds"])
        return 200, {"Instances": {"Instance": [self.rows[name] for name in names if name in self.rows]}}

    def _terminate(self, *, body: Told, **_: Any) -> Reply:
        if body.get("DryRun"):
            return self._dry("ecs:DeleteInstance")
        name = body["InstanceId"]
        if name not in self.rows:
            return NOT_FOUND
        if not body.get("Force") and self.rows[name]["Status"] != "Stopped":
            return error(
                403, "IncorrectInstanceStatus", "The current status does not support this operation."
            )
        self.ended.add(name)
        self.rows[name]["Status"] = "Stopping"
        return 200, {}

    def _stop(self, *, body: Told, **_: Any) -> Reply:
        if body.get("DryRun"):
            return self._dry("ecs:StopInstance")
        return self._turned(
            body["InstanceId"], "Running", "Stopping", body.get("StoppedMode", "KeepCharging")
        )

    def _start(self, *, body: Told, **_: Any) -> Reply:
        if body.get("DryRun"):
            return self._dry("ecs:StartInstance")
        return self._turned(body["InstanceId"], "Stopped", "Starting", "Not-applicable")

    def _release(self, *, body: Told, **_: Any) -> Reply:
        if body["InstanceId"] not in self.rows:
            return NOT_FOUND
        at = body.get("AutoReleaseTime", "")
        if at and not may_be_released_at(at):
            return error(400, "InvalidAutoReleaseTime.Malformed", "The AutoReleaseTime is not valid.")
        self.rows[body["InstanceId"]]["AutoReleaseTime"] = at
        return 200, {}

    def _tag(self, *, body: Told, **_: Any) -> Reply:
        for name in body["ResourceId"]:
            tags = tags_of(self.rows[name]) | {one["Key"]: one["Value"] for one in body["Tag"]}
            listed = [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
            self.rows[name]["Tags"] = {"Tag": listed}
        return 200, {}

    def _events(self, *, body: Told, **_: Any) -> Reply:
        if "cms:DescribeSystemEventAttribute" in self.forbidden:
            return denied("cms:DescribeSystemEventAttribute")
        keys = {"Product", "Name"}
        found = [
            one
            for one in self.interrupted
            if all(one[key] == body.get(key, one[key]) for key in keys)
            and body.get("SearchKeywords", "") in one["Content"]
        ]
        told = {"Code": "200", "Message": "Success", "Success": "true"}
        return 200, told | {"SystemEvents": {"SystemEvent": found[: body.get("PageSize", 10)]}}

    # -- what there is

    def _stock(self, *, body: Told, **_: Any) -> Reply:
        if "ecs:DescribeAvailableResource" in self.forbidden:
            return denied("ecs:DescribeAvailableResource")
        if body["RegionId"] != REGION:
            return error(403, "RegionUnauthorized", "There is no authority in the specified region.")
        names = [one for one in TYPES if body.get("InstanceType", one) == one]
        rows = [
            {"Value": one, "Status": "SoldOut" if one in self.sold_out else "Available",
             "StatusCategory": "WithoutStock" if one in self.sold_out else "WithStock"}
            for one in names
        ]  # fmt: skip
        found = {
            "AvailableResource": [{"Type": "InstanceType", "SupportedResources": {"SupportedResource": rows}}]
        }
        zones = [{"ZoneId": zone, "RegionId": REGION, "AvailableResources": found} for zone in ZONES]
        return 200, {"AvailableZones": {"AvailableZone": zones}} if names else {}

    def _types(self, *, body: Told, **_: Any) -> Reply:
        names = [
            one
            for one in TYPES
            if one in body.get("InstanceTypes", TYPES) and TYPES[one][3] >= body.get("MinimumGPUAmount", 0)
        ]
        return 200, {"InstanceTypes": {"InstanceType": [type_row(one) for one in names]}}

    def _price(self, *, body: Told, **_: Any) -> Reply:
        usual = PRICES.get(body["InstanceType"])
        if usual is None:
            return error(404, "InvalidInstanceType.ValueNotSupported", "It has no price.")
        hour = usual * (0.25 if body.get("SpotStrategy") == "SpotAsPriceGo" else 1.0)
        parts = [
            {"Resource": "instanceType", "TradePrice": hour},
            {"Resource": "systemDisk", "TradePrice": 0.01},
        ]
        price = {"Currency": self.currency, "TradePrice": hour + 0.01, "DetailInfos": {"DetailInfo": parts}}
        return 200, {"PriceInfo": {"Price": price}}

    # -- its books

    def _wrong_in(self, body: Told) -> str:
        switch = self.networks.get(body["VSwitchId"], {})
        group = self.groups.get(body["SecurityGroupId"], {})
        wrong = {
            "InvalidVSwitchId.NotFound": switch.get("ZoneId") != body["ZoneId"],
            "InvalidParameter.Mismatch": group.get("vpc") != switch.get("VpcId"),
            "InvalidImageId.NotFound": body["ImageId"] not in FAMILIES.values(),
            "InvalidInstanceType.ValueNotSupported": body["InstanceType"] not in TYPES,
            "InvalidUserData.SizeExceeded": not is_user_data(body["UserData"]),
            "InvalidClientToken.ValueNotSupported": len(body["ClientToken"]) > 64,
            "InvalidAutoReleaseTime.Malformed": not may_be_released_at(
                body.get("AutoReleaseTime", "2027-11-21T00:00:00Z")
            ),
        }
        return next((code for code, is_so in wrong.items() if is_so), "")

    def _new(self, told: Told) -> str:
        name = f"i-0xi{len(self.disks):015}"
        self.rows[name] = instance_row(name, told)
        self.disks[name] = tags_of(self.rows[name])
        return name

    def _turned(self, name: str, before: str, moving: str, mode: str) -> Reply:
        row = self.rows.get(name)
        if row is None:
            return NOT_FOUND
        if row["Status"] != before:
            return error(
                403, "IncorrectInstanceStatus", "The current status does not support this operation."
            )
        row |= {"Status": moving, "StoppedMode": mode, "PublicIpAddress": {"IpAddress": []}}
        return 200, {}


def reached(endpoint: str) -> Provider:
    """From another process, which has the fake's `environment`."""
    return Alibaba(Settings(endpoint=endpoint, region=REGION, poll_s=0.0))
