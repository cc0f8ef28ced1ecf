"""RunPod's REST API, as far as the provider asks it.

Facts of RunPod's OpenAPI document, version 2.0.0, and of its pages on moving from version 1 (retired in
November 2026), as published in August 2026: paths, fields, states, which status means what. Not established,
and so not here: spot (version 2 has none), a longest name, a word for "no capacity" (it is 400 with a
sentence), quotas (an account without money is 402).
"""

from __future__ import annotations

from typing import Any

from tests.support.clouds.http_fake import Operation, thing

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT}
NUMBER = {"type": "number"}
TEXT_OR_NONE = {"type": ["string", "null"]}
CLOUD = {"enum": ["SECURE", "COMMUNITY"]}
LEVEL = {"enum": ["NONE", "LOW", "MEDIUM", "HIGH"]}
STATUS = {"enum": ["PROVISIONING", "STARTING", "RUNNING", "EXITED", "ERROR", "TERMINATED"]}
COUNT = {"type": "integer", "minimum": 1}
CUDA = {"type": "string", "pattern": r"^\d+\.\d+$"}
ENV = {"type": "object", "additionalProperties": TEXT}
MOUNTS = thing(
    {},
    {
        "persistent": thing({"size": {"type": "integer", "minimum": 10}, "path": TEXT}),
        "network": {"type": "array", "maxItems": 1, "items": thing({"volumeId": TEXT, "path": TEXT})},
    },
)
CREATE: dict[str, Any] = {
    **thing(
        {"name": {"type": "string", "minLength": 1}},
        {
            "args": TEXT,
            "disk": COUNT,
            "env": ENV,
            "image": TEXT,
            "ports": {"type": "array", "items": {"type": "string", "pattern": "^[0-9]+/(tcp|http)$"}},
            "registry": TEXT_OR_NONE,
            "cloud": CLOUD,
            "dataCenterIds": TEXTS,
            "globalNetworking": {"type": "boolean"},
            "cpu": thing({"id": TEXT, "vcpuCount": {"type": "integer", "minimum": 2}}),
            "gpu": thing(
                {"id": TEXT},
                {
                    "count": COUNT,
                    "allowedCudaVersions": {"type": "array", "items": CUDA},
                    "minCudaVersion": CUDA,
                },
            ),
            "mounts": MOUNTS,
            "startJupyter": {"type": "boolean"},
            "startSsh": {"type": "boolean"},
            "templateId": {"type": "string", "minLength": 1},
        },
    ),
    "oneOf": [{"required": ["gpu"]}, {"required": ["cpu"]}],
    "anyOf": [{"required": ["image"]}, {"required": ["templateId"]}],
}
ENDPOINT = thing({"host": TEXT, "port": {"type": "integer"}, "username": TEXT, "command": TEXT})
WAY = {"anyOf": [ENDPOINT, {"type": "null"}]}
POD = thing(
    {
        "id": TEXT,
        "name": TEXT,
        "status": STATUS,
        "actions": {"type": "array", "items": {"enum": ["start", "stop", "restart", "terminate"]}},
        "image": TEXT,
        "args": TEXT,
        "disk": COUNT,
        "mounts": MOUNTS,
        "ports": TEXTS,
        "env": ENV,
        "registry": TEXT_OR_NONE,
        "cloud": CLOUD,
        "dataCenterId": TEXT_OR_NONE,
        "cudaVersion": TEXT_OR_NONE,
        "ssh": thing({"proxy": WAY, "direct": WAY}),
        "template": TEXT_OR_NONE,
        "cost": NUMBER,
        "locked": {"type": "boolean"},
        "runtime": {"type": ["object", "null"]},
        "createdAt": TEXT,
        "startedAt": TEXT_OR_NONE,
        "globalNetworking": thing({"enabled": {"type": "boolean"}}, {"ip": TEXT, "internalDns": TEXT}),
    },
    {"gpu": thing({"id": TEXT}, {"count": COUNT}), "cpu": {"type": "object"}},
)
GPU = thing(
    {
        "id": TEXT,
        "name": TEXT,
        "pool": TEXT_OR_NONE,
        "manufacturer": {"enum": ["NVIDIA", "AMD", "UNKNOWN"]},
        "memory": {"type": "integer"},
        "secure": {"type": "boolean"},
        "community": {"type": "boolean"},
        "price": thing({"secure": NUMBER, "community": NUMBER}, {"serverless": NUMBER}),
        "maxCount": thing({"secure": {"type": "integer"}, "community": {"type": "integer"}}),
    },
    {
        "availability": LEVEL,
        "dataCenters": {"type": "array", "items": thing({"id": TEXT, "name": TEXT, "availability": LEVEL})},
    },
)
STOCK = {
    **thing(
        {},
        {
            "include": {"const": "AVAILABILITY"},
            "product": {"enum": ["POD", "CLUSTER", "SERVERLESS"]},
            "cloud": CLOUD,
            "count": {"type": "string", "pattern": "^[1-9][0-9]*$"},
        },
    ),
    "dependentRequired": {
        "include": ["product"],
        "product": ["include"],
        "cloud": ["include"],
        "count": ["include"],
    },
}
OPERATIONS = (
    Operation("machines", "GET", "/v2/pods", answer=thing({"pods": {"type": "array", "items": POD}})),
    Operation("launch", "POST", "/v2/pods", body=CREATE, answer=POD),
    Operation("terminate", "DELETE", "/v2/pods/([^/]+)", answer={"const": None}),
    Operation(
        "stock",
        "GET",
        "/v2/catalog/gpus",
        query=STOCK,
        answer=thing({"gpus": {"type": "array", "items": GPU}}),
    ),
)
