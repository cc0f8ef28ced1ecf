"""What Alibaba Cloud on loopback has beside machines: what they are put into and made of, and who asks."""

from __future__ import annotations

import json
from typing import Any

from tests.support.clouds.alibaba_rows import ACCOUNT, FAMILIES, REGIONS, denied, error
from tests.support.clouds.http_fake import HttpFake, Reply

Told = dict[str, Any]


class Networks(HttpFake):
    """Networks, switches, security groups; images, regions and the account."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.networks: dict[str, Told] = {}
        self.groups: dict[str, Told] = {}
        self.forbidden: set[str] = set()

    def _vpcs(self, *, body: Told, **_: Any) -> Reply:
        return 200, {"Vpcs": {"Vpc": self._networks("vpc-", VpcName=body["VpcName"])}}

    def _create_vpc(self, *, body: Told, **_: Any) -> Reply:
        if body.get("DryRun"):
            return self._dry("vpc:CreateVpc")
        return 200, {"VpcId": self._network("vpc-", body, VpcName=body["VpcName"])}

    def _switches(self, *, body: Told, **_: Any) -> Reply:
        wanted = {key: body[key] for key in ("VpcId", "ZoneId") if key in body}
        return 200, {"VSwitches": {"VSwitch": self._networks("vsw-", **wanted)}}

    def _create_switch(self, *, body: Told, **_: Any) -> Reply:
        assert self.networks[body["VpcId"]]["Status"] == "Available"
        kept = {key: body[key] for key in ("VpcId", "ZoneId", "VSwitchName", "CidrBlock")}
        return 200, {"VSwitchId": self._network("vsw-", body, **kept)}

    def _groups(self, *, body: Told, **_: Any) -> Reply:
        found = [
            {"SecurityGroupId": name, "SecurityGroupName": one["name"], "VpcId": one["vpc"]}
            for name, one in self.groups.items()
            if one["name"] == body["SecurityGroupName"] and one["vpc"] == body.get("VpcId", one["vpc"])
        ]
        return 200, {"SecurityGroups": {"SecurityGroup": found}}

    def _create_group(self, *, body: Told, **_: Any) -> Reply:
        assert body["VpcId"] in self.networks
        name = f"sg-{len(self.groups)}"
        self.groups[name] = {"name": body["SecurityGroupName"], "vpc": body["VpcId"], "rules": []}
        return 200, {"SecurityGroupId": name}

    def _rules(self, *, body: Told, **_: Any) -> Reply:
        rules = [{**one, "Direction": "ingress"} for one in self.groups[body["SecurityGroupId"]]["rules"]]
        return 200, {"Permissions": {"Permission": rules}, "SecurityGroupId": body["SecurityGroupId"]}

    def _open(self, *, body: Told, **_: Any) -> Reply:
        self.groups[body["SecurityGroupId"]]["rules"] += body["Permissions"]
        return 200, {}

    def _close_rule(self, *, body: Told, **_: Any) -> Reply:
        group = self.groups[body["SecurityGroupId"]]
        group["rules"] = [one for one in group["rules"] if one not in body["Permissions"]]
        return 200, {}

    # -- beside them

    def _regions(self, **_: Any) -> Reply:
        return 200, {"Regions": {"Region": [{"RegionId": one, "LocalName": one} for one in REGIONS]}}

    def _family(self, *, body: Told, **_: Any) -> Reply:
        found = FAMILIES.get(body["ImageFamily"])
        return 200, {"Image": {"ImageId": found, "ImageFamily": body["ImageFamily"]}} if found else {}

    def _whose(self, **_: Any) -> Reply:
        return 200, {"AccountId": ACCOUNT, "IdentityType": "RAMUser", "UserId": "2777"}

    # -- its books

    def _dry(self, action: str) -> Reply:
        if action in self.forbidden:
            return denied(action)
        return error(400, "DryRunOperation", "Request validation has been passed with DryRun flag set.")

    def _networks(self, kind: str, **wanted: str) -> list[Told]:
        """Being looked at they come to be there."""
        found = [row for name, row in self.networks.items() if name.startswith(kind)]
        found = [row for row in found if all(row[key] == value for key, value in wanted.items())]
        shown: list[Told] = json.loads(json.dumps(found))
        for row in found:
            row["Status"] = "Available"
        return shown

    def _network(self, kind: str, body: Told, **kept: str) -> str:
        name = f"{kind}{body['ClientToken']}"
        key = "VpcId" if kind == "vpc-" else "VSwitchId"
        self.networks.setdefault(name, {key: name, "Status": "Pending", **kept})
        return name
