"""Compute Engine's API as far as the provider asks it, held to Google's own discovery document.

`gcp_compute.json` has names, types, patterns and enumerations of that document (compute/v1, revision
20261106, API version 2026-11-01), of these methods and of what they take and give. The permissions are of
cloudresourcemanager/v1. Not established, and so as written in `gcp_fake`: whether a request whose operation
failed begins anew under its old `requestId` (taken to).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.support.clouds.http_fake import Operation, Schema, thing

DOCUMENT = json.loads(Path(__file__).with_name("gcp_compute.json").read_text())
PARAMETERS = {"string": {"type": "string"}, "boolean": {"enum": ["true", "false"]},
              "integer": {"type": "string", "pattern": "^[0-9]+$"}}  # fmt: skip
METHODS = {
    "machines": "instances.aggregatedList",
    "launch": "instances.insert",
    "find": "instances.get",
    "terminate": "instances.delete",
    "stop": "instances.stop",
    "start": "instances.start",
    "set_labels": "instances.setLabels",
    "types": "machineTypes.aggregatedList",
    "accelerators": "acceleratorTypes.aggregatedList",
    "rule": "firewalls.get",
    "add_rule": "firewalls.insert",
    "change_rule": "firewalls.patch",
    "network": "networks.get",
    "regions": "regions.list",
    "project": "projects.get",
    "family": "images.getFromFamily",
    "image": "images.get",
    "wait": "zoneOperations.wait",
    "wait_global": "globalOperations.wait",
    "journal": "globalOperations.aggregatedList",
}
TEXTS = {"type": "array", "items": {"type": "string"}}
PERMISSIONS = Operation(
    "permissions",
    "POST",
    "/v1/projects/([^/]+):testIamPermissions",
    body=thing({"permissions": TEXTS}),
    answer=thing({}, {"permissions": TEXTS}),
)


def operations() -> list[Operation]:
    return [*(_operation(called, DOCUMENT["methods"][name]) for called, name in METHODS.items()), PERMISSIONS]


def _operation(called: str, method: dict[str, Any]) -> Operation:
    query = {name: PARAMETERS[one["type"]] for name, one in method["query"].items()}
    path = re.sub(r"\{\w+\}", "([^/]+)", method["path"])
    return Operation(
        called,
        method["method"],
        f"/{path}",
        body=_named(method["request"], asked=True) if "request" in method else None,
        query={"properties": query, "additionalProperties": False},
        answer=_named(method["response"], asked=False),
    )


def _named(name: str, *, asked: bool) -> Schema:
    """A schema with all that it refers to; in a request nothing may stand that only Google sets."""
    found: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            found[one] = _schema(DOCUMENT["schemas"][one], asked=asked, waiting=waiting)
    return {"$ref": f"#/$defs/{name}", "$defs": found}


def _schema(told: dict[str, Any], *, asked: bool, waiting: list[str]) -> dict[str, Any]:
    if "$ref" in told:
        waiting.append(told["$ref"])
        return {"$ref": f"#/$defs/{told['$ref']}"}
    made: dict[str, Any] = {key: told[key] for key in ("type", "enum") if key in told}
    made |= {"pattern": f"^(?:{told['pattern']})$"} if "pattern" in told else {}
    made |= {"pattern": "^[0-9]+$"} if told.get("format") in {"int64", "uint64"} else {}
    if "items" in told:
        made["items"] = _schema(told["items"], asked=asked, waiting=waiting)
    if "properties" in told:
        made["properties"] = {
            key: _schema(one, asked=asked, waiting=waiting)
            for key, one in told["properties"].items()
            if not (asked and one.get("readOnly"))
        }
        made["additionalProperties"] = False
    if "additionalProperties" in told:
        made["additionalProperties"] = _schema(told["additionalProperties"], asked=asked, waiting=waiting)
    return made
