"""Alibaba Cloud's API as far as the provider asks it.

`alibaba_models.json` has the names and types of Alibaba's own Python libraries, which are made from its
published API metadata, and what they call required. Their codes of errors are from its pages on RunInstances
and StartInstance. Not established, and so as `alibaba_fake` has it: how an instance is shown between its
deletion and its end (as one that stops), and in which order a dry run is refused (permissions first).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from tests.support.clouds.http_fake import Operation, Schema

TOLD = json.loads(Path(__file__).with_name("alibaba_models.json").read_text())
OPERATIONS: dict[str, dict[str, str]] = TOLD["operations"]
MODELS: dict[str, dict[str, Any]] = TOLD["models"]
SIGNATURE = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})")
CALLED = {
    "RunInstances": "launch",
    "DescribeInstances": "machines",
    "DeleteInstance": "terminate",
    "StopInstance": "stop",
    "StartInstance": "start",
    "ModifyInstanceAutoReleaseTime": "release",
    "TagResources": "tag",
    "DescribeRegions": "regions",
    "DescribeAvailableResource": "stock",
    "DescribeInstanceTypes": "types",
    "DescribePrice": "price",
    "DescribeImageFromFamily": "family",
    "DescribeSecurityGroups": "groups",
    "CreateSecurityGroup": "create_group",
    "DescribeSecurityGroupAttribute": "rules",
    "AuthorizeSecurityGroup": "open",
    "RevokeSecurityGroup": "close_rule",
    "DescribeVpcs": "vpcs",
    "CreateVpc": "create_vpc",
    "DescribeVSwitches": "switches",
    "CreateVSwitch": "create_switch",
    "GetCallerIdentity": "whose",
    "DescribeSystemEventAttribute": "events",
}
LISTS = ("machines", "find", "one")
"""What DescribeInstances is asked for here: those of an owner, that of an order, that of an id."""


@cache
def model(name: str, *, asked: bool = False) -> Schema:
    """A model with all that it refers to, and no fields beside its own."""
    found: dict[str, Any] = {}
    waiting = [name]
    while waiting:
        one = waiting.pop()
        if one not in found:
            fields = MODELS[one]
            found[one] = {
                "type": "object",
                "properties": {key: _field(told, waiting) for key, told in fields.items()},
                "additionalProperties": False,
                "required": [key for key, told in fields.items() if asked and told.get("required")],
            }
    return {"$ref": f"#/$defs/{name}", "$defs": found}


def _field(told: Mapping[str, Any], waiting: list[str]) -> dict[str, Any]:
    if "$ref" in told:
        waiting.append(told["$ref"])
        return {"$ref": f"#/$defs/{told['$ref']}"}
    made: dict[str, Any] = {"type": told["type"]}
    if "items" in told:
        made["items"] = _field(told["items"], waiting)
    return made


def parameters(action: str, target: str) -> Any:
    """The parameters of a request (`Tag.1.Key=...`) as what they stand for."""
    told: dict[str, Any] = {}
    for name, value in parse_qsl(urlsplit(target).query, keep_blank_values=True):
        at = told
        *path, last = name.split(".")
        for step in path:
            at = at.setdefault(step, {})
        at[last] = value
    request = OPERATIONS[action].get("request")
    return _typed(told, {"$ref": request}) if request else told


def _typed(value: Any, told: Mapping[str, Any]) -> Any:
    """Text as the numbers and lists that the schema has there; what is none stays text, and is refused."""
    if "$ref" in told and isinstance(value, dict):
        fields = MODELS[told["$ref"]]
        return {key: _typed(one, fields.get(key, {})) for key, one in value.items()}
    if told.get("type") == "array" and isinstance(value, dict):
        assert sorted(value, key=int) == [str(number + 1) for number in range(len(value))]
        return [_typed(value[key], told["items"]) for key in sorted(value, key=int)]
    if told.get("type") in {"integer", "number"} and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", str(value)):
        return float(value) if "." in value else int(value)
    if told.get("type") == "boolean" and value in {"True", "False", "true", "false"}:
        return value in {"True", "true"}
    return value


def is_signed(method: str, target: str, headers: Mapping[str, str], key: str, secret: str) -> bool:
    """Whether a request bears a signature of this key, over all that it says."""
    found = SIGNATURE.fullmatch(headers.get("Authorization") or "")
    if not found or found[1] != key:
        return False
    parts = urlsplit(target)
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    names = found[2].split(";")
    assert {"host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"} <= set(names)
    canonical = "\n".join([
        method, parts.path, "&".join(f"{quote(a, safe='~')}={quote(b, safe='~')}" for a, b in query),
        *(f"{name}:{(headers.get(name) or '').strip()}" for name in names), "", found[2],
        headers.get("x-acs-content-sha256") or "",
    ])  # fmt: skip
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.compare_digest(hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest(), found[3])


def operations() -> list[Operation]:
    """One for each action, and two more for the other questions of DescribeInstances."""
    return [
        Operation(
            called,
            "POST",
            f"/{action}/{called}",
            _request(action),
            answer=model(OPERATIONS[action]["answer"]),
        )
        for action, first in CALLED.items()
        for called in (LISTS if first == "machines" else (first,))
    ]


def _request(action: str) -> Schema:
    name = OPERATIONS[action].get("request")
    return model(name, asked=True) if name else {"const": {}}
