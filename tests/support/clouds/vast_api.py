"""Vast.ai's REST API, as far as the provider asks it.

Facts of Vast.ai's OpenAPI documents and its pages on errors and on its first steps, as published in August
2026: paths, fields, lengths, states, errors, pages of 25. Where the document and its own examples differ,
what both allow is taken (`type` of a search and `env` of a machine are not sent; `order` is a list of pairs,
as in the examples). Not established, and so not here: what is said to an account without money, quotas.
"""

from __future__ import annotations

from typing import Any

from tests.support.clouds.http_fake import Operation, thing

TEXT = {"type": "string"}
TEXT_OR_NONE = {"type": ["string", "null"]}
NUMBER = {"type": "number"}
INTEGER = {"type": "integer"}
YES = {"type": "boolean"}
OPERATOR = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"enum": ["eq", "neq", "gt", "lt", "gte", "lte", "in", "notin"]},
}
FILTERS = (
    "verified", "rentable", "rented", "gpu_name", "num_gpus", "gpu_ram", "duration", "machine_id",
    "dph_total", "geolocation", "cpu_arch", "disk_space", "direct_port_count", "reliability", "id",
)  # fmt: skip
SEARCH = thing(
    {},
    {
        "limit": INTEGER,
        "allocated_storage": NUMBER,
        "order": {
            "type": "array",
            "items": {"type": "array", "minItems": 2, "maxItems": 2, "items": TEXT},
        },
        **dict.fromkeys(FILTERS, OPERATOR),
    },
)
OFFER = {
    "type": "object",
    "required": [
        "id", "machine_id", "gpu_name", "num_gpus", "gpu_ram", "cpu_cores_effective", "cpu_ram", "dph_total",
    ],
}  # fmt: skip
CREATE = thing(
    {"image": {"type": "string", "maxLength": 1024}},
    {
        "label": {"type": "string", "maxLength": 256},
        "disk": {"type": "number", "minimum": 8},
        "runtype": {
            "enum": ["ssh", "jupyter", "args", "ssh_proxy", "ssh_direct", "jupyter_proxy", "jupyter_direct"]
        },
        "target_state": {"enum": ["running", "stopped"]},
        "price": {"type": "number", "minimum": 0.001, "maximum": 128},
        "cancel_unavail": YES,
        "vm": YES,
        "onstart": {"type": "string", "maxLength": 4096},
        "args_str": {"type": "string", "maxLength": 4096},
        "template_hash_id": TEXT,
    },
)
PORTS: dict[str, Any] = {
    "type": ["object", "null"],
    "additionalProperties": {"type": "array", "items": thing({"HostIp": TEXT, "HostPort": TEXT})},
}
INSTANCE = thing(
    {"id": INTEGER},
    {
        "label": TEXT_OR_NONE,
        "actual_status": TEXT_OR_NONE,
        "intended_status": {"enum": ["running", "stopped", "frozen"]},
        "machine_id": INTEGER,
        "gpu_name": TEXT,
        "num_gpus": INTEGER,
        "is_bid": YES,
        "public_ipaddr": TEXT,
        "ports": PORTS,
        "start_date": NUMBER,
        "jupyter_token": TEXT,
    },
)
PAGE = thing(
    {},
    {
        "limit": {"type": "string", "pattern": "^([1-9]|1[0-9]|2[0-5])$"},
        "after_token": TEXT,
        "order_by": TEXT,
        "select_cols": TEXT,
        "select_filters": TEXT,
    },
)
LISTED = thing(
    {
        "success": YES,
        "instances_found": INTEGER,
        "total_instances": INTEGER,
        "label_counts": {"type": "object"},
        "next_token": TEXT_OR_NONE,
        "instances": {"type": "array", "items": INSTANCE},
    }
)
DONE = thing({"success": {"const": True}}, {"msg": TEXT})
ONE = r"/api/v0/instances/(\d+)/"
OPERATIONS = (
    Operation("machines", "GET", "/api/v1/instances/", query=PAGE, answer=LISTED),
    Operation(
        "launch",
        "PUT",
        r"/api/v0/asks/(\d+)/",
        body=CREATE,
        answer=thing({"success": YES}, {"new_contract": INTEGER, "instance_api_key": TEXT}),
    ),
    Operation("terminate", "DELETE", ONE, answer=DONE),
    Operation(
        "manage",
        "PUT",
        ONE,
        body=thing(
            {}, {"state": {"enum": ["stopped", "running"]}, "label": {"type": "string", "maxLength": 1024}}
        ),
        answer=DONE,
    ),
    Operation(
        "search",
        "POST",
        "/api/v0/bundles/",
        body=SEARCH,
        answer=thing({"offers": {"type": "array", "items": OFFER}}),
    ),
    Operation("who", "GET", "/api/v0/users/current/", answer={"type": "object", "required": ["id", "email"]}),
)
