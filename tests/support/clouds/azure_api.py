"""Azure Resource Manager's API as far as the provider asks it.

`azure_models.json` has the names, types and enumerations of Azure's own Python libraries, which are made from
its REST API specifications. Their paths and versions are here: virtual machines 2026-04-01, network
2026-03-01, sizes 2021-07-01, resources 2022-12-01, permissions 2022-04-01; the activity log's, 2015-04-01, is
from the page on its REST API, and that an eviction is the operation `evictSpotVM` from those who met one. Not
established, and so as `azure_fake` has it: what a list of statuses alone has beside (id, name, location), and
whether the same PUT again is taken or refused (refused, which is the harder one).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.clouds.http_fake import Operation, Schema, thing

MODELS: dict[str, Any] = json.loads(Path(__file__).with_name("azure_models.json").read_text())["models"]
COMPUTE, NETWORK, RESOURCES = "2026-04-01", "2026-03-01", "2022-12-01"
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
OURS = "/subscriptions/[^/]+/resourceGroups/([^/]+)/providers"
ALL = "/subscriptions/([^/]+)"
VM = f"{OURS}/Microsoft.Compute/virtualMachines/([^/]+)"
NET = f"{OURS}/Microsoft.Network"
EVENTS_OF = r"^eventTimestamp ge '[0-9TZ:.-]+' and resourceUri eq '(/[^']+)'$"
"""Of the activity log one pattern of few; it keeps ninety days."""
NAMED = {"type": "object", "properties": {"value": TEXT, "localizedValue": TEXT}}
EVENT = {
    "type": "object",
    "properties": {
        "operationName": NAMED, "status": NAMED, "subStatus": NAMED, "category": NAMED, "eventName": NAMED,
        "resourceId": TEXT, "eventTimestamp": TEXT, "caller": TEXT, "level": TEXT, "eventDataId": TEXT,
    },
    "additionalProperties": False,
}  # fmt: skip
VERSIONS = (
    f"{ALL}/providers/Microsoft.Compute/locations/([^/]+)/publishers/([^/]+)/artifacttypes/vmimage/offers/"
)


def query(version: str, **other: Any) -> Schema:
    """The version, always, and what else may be asked."""
    return thing({"api-version": {"const": version}}, other)


def model(name: str, *, asked: bool = False, listed: bool = False) -> Schema:
    """A model with all that it refers to; in a request nothing may stand that only Azure sets."""
    found: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            fields = MODELS[one]
            found[one] = {"type": "object"} if fields is None else _object(fields, asked, waiting)
    ref = {"$ref": f"#/$defs/{name}"}
    whole = thing({"value": {"type": "array", "items": ref}}, {"nextLink": TEXT}) if listed else ref
    return {**whole, "$defs": found}


def _object(fields: dict[str, Any], asked: bool, waiting: list[str]) -> Schema:
    kept = {key: one for key, one in fields.items() if not (asked and one.get("readOnly"))}
    made = {
        "type": "object",
        "properties": {key: _field(one, waiting) for key, one in kept.items()},
        "additionalProperties": False,
    }
    return made | ({"required": [key for key, one in kept.items() if one.get("required")]} if asked else {})


def _field(told: dict[str, Any], waiting: list[str]) -> dict[str, Any]:
    if "$ref" in told:
        waiting.append(told["$ref"])
        return {"$ref": f"#/$defs/{told['$ref']}"}
    made: dict[str, Any] = {key: told[key] for key in ("type", "enum") if key in told}
    if "items" in told:
        made["items"] = _field(told["items"], waiting)
    if isinstance(told.get("additionalProperties"), dict):
        made["additionalProperties"] = _field(told["additionalProperties"], waiting)
    return made


def operations() -> list[Operation]:
    vm, vms = model("VirtualMachine"), f"{ALL}/providers/Microsoft.Compute/virtualMachines"
    made = model("VirtualMachine", asked=True)
    compute, network, resources = query(COMPUTE), query(NETWORK), query(RESOURCES)
    return [
        Operation("launch", "PUT", VM, made, compute, vm),
        Operation("find", "GET", VM, None, query(COMPUTE, **{"$expand": {"enum": ["instanceView"]}}), vm),
        Operation("set_tags", "PATCH", VM, model("VirtualMachineUpdate", asked=True), compute, vm),
        Operation("terminate", "DELETE", VM, None, compute),
        Operation("stop", "POST", f"{VM}/deallocate", None, compute),
        Operation("start", "POST", f"{VM}/start", None, compute),
        Operation(
            "everywhere", "GET", vms, None, query(COMPUTE, statusOnly={"enum": ["true"]}),
            model("VirtualMachine", listed=True),
        ),
        Operation(
            "machines", "GET", f"{OURS}/Microsoft.Compute/virtualMachines", None, query(COMPUTE, page=TEXT),
            model("VirtualMachine", listed=True),
        ),
        Operation(
            "sizes", "GET", f"{ALL}/providers/Microsoft.Compute/skus", None,
            query("2021-07-01", **{"$filter": {"pattern": r"^location eq '\w+'$"}}),
        ),
        Operation(
            "versions", "GET", f"{VERSIONS}([^/]+)/skus/([^/]+)/versions", None,
            query(COMPUTE, **{"$orderby": {"const": "name desc"}, "$top": {"pattern": "^[0-9]+$"}}),
        ),
        Operation(
            "addresses", "GET", f"{NET}/publicIPAddresses", None, network,
            model("PublicIPAddress", listed=True),
        ),
        Operation(
            "put_rules", "PUT", f"{NET}/networkSecurityGroups/([^/]+)",
            model("NetworkSecurityGroup", asked=True), network,
        ),
        Operation("network", "GET", f"{NET}/virtualNetworks/([^/]+)", None, network),
        Operation(
            "put_network", "PUT", f"{NET}/virtualNetworks/([^/]+)",
            model("VirtualNetwork", asked=True), network,
        ),
        Operation("group", "GET", f"{ALL}/resourcegroups/([^/]+)", None, resources),
        Operation(
            "put_group", "PUT", f"{ALL}/resourcegroups/([^/]+)",
            thing({"location": TEXT}, {"tags": {"type": "object"}}), resources,
        ),
        Operation("regions", "GET", f"{ALL}/locations", None, resources),
        Operation(
            "events", "GET", f"{ALL}/providers/Microsoft.Insights/eventtypes/management/values", None,
            query("2015-04-01", **{"$filter": {"pattern": EVENTS_OF}}) | {"required": ["$filter"]},
            thing({"value": {"type": "array", "items": EVENT}}, {"nextLink": TEXT}),
        ),
        Operation("subscription", "GET", ALL, None, resources),
        Operation("registered", "GET", f"{ALL}/providers/([^/]+)", None, resources),
        Operation(
            "permissions", "GET", f"{ALL}/providers/Microsoft.Authorization/permissions", None,
            query("2022-04-01"),
        ),
    ]  # fmt: skip
