"""Lambda's Cloud API, as far as the provider asks it.

Facts of Lambda's OpenAPI document, version 1.6.0 (April 2025): paths, fields, lengths, regions, states. Not
established, and so not here: spot, tags, when a machine was made, and the answer to too many requests (the
documents say one a second and a launch every ten, not how more of them are refused: taken to be 429).
"""

from __future__ import annotations

from typing import Any

from tests.support.clouds.http_fake import Operation, thing

REGIONS = [
    "europe-central-1", "asia-south-1", "australia-east-1", "me-west-1", "asia-northeast-1",
    "asia-northeast-2", "us-east-1", "us-west-2", "us-west-1", "us-south-1", "us-west-3", "us-midwest-1",
    "us-east-2", "us-south-2", "us-south-3", "us-east-3", "us-midwest-2", "test-east-1", "test-west-1",
]  # fmt: skip
TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
NAME = {"type": "string", "maxLength": 64}
KEY_NAME = {"type": "string", "minLength": 1, "maxLength": 64}
PUBLIC = {"type": "string", "minLength": 1, "maxLength": 4096}


def data(schema: dict[str, Any]) -> dict[str, Any]:
    return thing({"data": schema})


REGION = thing({"name": {"enum": REGIONS}, "description": TEXT})
INTEGER = {"type": "integer"}
SPECS = thing({"vcpus": INTEGER, "memory_gib": INTEGER, "storage_gib": INTEGER, "gpus": INTEGER})
TYPE = thing(
    {
        "name": TEXT,
        "description": TEXT,
        "gpu_description": TEXT,
        "price_cents_per_hour": INTEGER,
        "specs": SPECS,
    }
)
ACTION = thing({"available": {"type": "boolean"}}, {"reason_code": TEXT, "reason_description": TEXT})
ACTION_NAMES = ("migrate", "rebuild", "restart", "cold_reboot", "terminate")
ACTIONS = thing(dict.fromkeys(ACTION_NAMES, ACTION))
STATUS = {"enum": ["booting", "active", "unhealthy", "terminated", "terminating"]}
INSTANCE = thing(
    {
        "id": TEXT,
        "status": STATUS,
        "ssh_key_names": TEXTS,
        "file_system_names": TEXTS,
        "region": REGION,
        "instance_type": TYPE,
        "actions": ACTIONS,
    },
    {"name": NAME, "ip": TEXT, "private_ip": TEXT, "hostname": TEXT},
)
SSH_KEY = thing({"id": TEXT, "name": KEY_NAME, "public_key": PUBLIC})
LAUNCH = thing(
    {
        "region_name": {"enum": REGIONS},
        "instance_type_name": TEXT,
        "ssh_key_names": {**TEXTS, "minItems": 1, "maxItems": 1},
    },
    {
        "file_system_names": {**TEXTS, "maxItems": 1},
        "name": NAME,
        "image": {"anyOf": [thing({"id": TEXT}), thing({"family": TEXT})]},
        "user_data": {"type": "string", "maxLength": 1_000_000},
    },
)
PROTOCOL = {"enum": ["tcp", "udp", "icmp", "all"]}
RANGE = {
    "type": "array",
    "items": {"type": "integer", "minimum": 1, "maximum": 65535},
    "minItems": 2,
    "maxItems": 2,
}
RULE = thing({"protocol": PROTOCOL, "source_network": TEXT, "description": TEXT}, {"port_range": RANGE})
V1 = "/api/v1"
OPERATIONS = (
    Operation("machines", "GET", f"{V1}/instances", answer=data({"type": "array", "items": INSTANCE})),
    Operation(
        "types",
        "GET",
        f"{V1}/instance-types",
        answer=data(
            {
                "type": "object",
                "additionalProperties": thing(
                    {
                        "instance_type": TYPE,
                        "regions_with_capacity_available": {"type": "array", "items": REGION},
                    }
                ),
            }
        ),
    ),
    Operation(
        "launch",
        "POST",
        f"{V1}/instance-operations/launch",
        body=LAUNCH,
        answer=data(thing({"instance_ids": TEXTS})),
    ),
    Operation(
        "terminate",
        "POST",
        f"{V1}/instance-operations/terminate",
        body=thing({"instance_ids": TEXTS}),
        answer=data(thing({"terminated_instances": {"type": "array", "items": INSTANCE}})),
    ),
    Operation("keys", "GET", f"{V1}/ssh-keys", answer=data({"type": "array", "items": SSH_KEY})),
    Operation(
        "add_key",
        "POST",
        f"{V1}/ssh-keys",
        body=thing({"name": KEY_NAME}, {"public_key": PUBLIC}),
        answer=data(SSH_KEY),
    ),
    Operation("firewall", "GET", f"{V1}/firewall-rules", answer=data({"type": "array", "items": RULE})),
)
