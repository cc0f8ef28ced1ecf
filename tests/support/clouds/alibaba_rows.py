"""What Alibaba Cloud is on loopback: its types and zones, its words, and a key for it."""

from __future__ import annotations

import base64
import json
import time
from datetime import datetime
from typing import Any

from tests.support.clouds.http_fake import Reply

KEY, SECRET = "LTAI5tCanaryKeyOfAlibaba", "canary-secret-of-alibaba-77aa"
ACCOUNT = "1234567890123456"
REGION = "us-east-1"
ZONES = (f"{REGION}a", f"{REGION}b")
REGIONS = (REGION, "eu-central-1")
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIbL1hZXpM3LJm3cJzv4mZLqEYtQyB0oK3gkq6w3bKcd cloudtui"
ENVIRONMENT = {
    "ALIBABA_CLOUD_ACCESS_KEY_ID": KEY,
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET,
    "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
    "ALIBABA_CLOUD_REGION_ID": REGION,
}
TYPES: dict[str, tuple[int, float, str, int, float]] = {
    "ecs.gn6i-c4g1.xlarge": (4, 15.0, "NVIDIA T4", 1, 16.0),
    "ecs.gn7-c12g1.12xlarge": (48, 380.0, "NVIDIA A100", 4, 40.0),
    "ecs.g7.xlarge": (4, 16.0, "", 0, 0.0),
    "ecs.g8y.xlarge": (4, 16.0, "", 0, 0.0),
}
PRICES = {"ecs.gn6i-c4g1.xlarge": 0.9, "ecs.gn7-c12g1.12xlarge": 11.0, "ecs.g7.xlarge": 0.2}
FAMILIES = {"acs:ubuntu_24_04_x64": "ubuntu_24_04_x64_20G_alibase_20261018.vhd",
            "acs:ubuntu_24_04_arm64": "ubuntu_24_04_arm64_20G_alibase_20261018.vhd"}  # fmt: skip
AFTER = {"Pending": "Running", "Starting": "Running", "Stopping": "Stopped"}
HALF_AN_HOUR, THREE_YEARS = 1800.0, 3 * 365 * 86400.0


def error(status: int, code: str, message: str, **more: Any) -> Reply:
    told = {"RequestId": "540CFF28-407A-40B5-B6A5-74B", "HostId": "ecs.aliyuncs.com"}
    return status, told | {"Code": code, "Message": message, **more}


def denied(action: str) -> Reply:
    detail = {"AuthAction": action, "AuthPrincipalType": "SubUser", "NoPermissionType": "ImplicitDeny"}
    return error(403, "Forbidden.RAM", "User not authorized to operate on the specified resource.",
                 AccessDeniedDetail=detail)  # fmt: skip


NOT_FOUND = error(404, "InvalidInstanceId.NotFound", "The specified InstanceId does not exist.")


def may_be_released_at(text: str) -> bool:
    """Whether Alibaba takes it: from half an hour to three years from now."""
    at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    return HALF_AN_HOUR <= at - time.time() <= THREE_YEARS


def is_user_data(text: str) -> bool:
    return len(base64.b64decode(text, validate=True)) <= 32 * 1024


def type_row(name: str) -> dict[str, Any]:
    cpus, memory, gpu, gpus, gpu_memory = TYPES[name]
    row = {
        "InstanceTypeId": name,
        "CpuCoreCount": cpus,
        "MemorySize": memory,
        "GPUAmount": gpus,
        "GPUSpec": gpu,
    }
    return row | {"GPUMemorySize": gpu_memory, "CpuArchitecture": "ARM" if "g8y" in name else "X86"}


def instance_row(name: str, told: dict[str, Any]) -> dict[str, Any]:
    """A machine as it is listed, of a request for it."""
    return {
        "InstanceId": name,
        "InstanceName": told["InstanceName"],
        "InstanceType": told["InstanceType"],
        "RegionId": told["RegionId"],
        "ZoneId": told["ZoneId"],
        "Status": "Pending",
        "StoppedMode": "Not-applicable",
        "SpotStrategy": told.get("SpotStrategy", "NoSpot"),
        "CreationTime": "2026-11-21T08:00Z",
        "AutoReleaseTime": told.get("AutoReleaseTime", ""),
        "PublicIpAddress": {"IpAddress": []},
        "OperationLocks": {"LockReason": []},
        "Tags": {"Tag": [{"TagKey": one["Key"], "TagValue": one["Value"]} for one in told.get("Tag", [])]},
    }


def tags_of(row: dict[str, Any]) -> dict[str, str]:
    return {one["TagKey"]: one["TagValue"] for one in row["Tags"]["Tag"]}


def event_row(name: str) -> dict[str, Any]:
    """As CloudMonitor tells that a spot machine is taken back."""
    return {
        "Product": "ECS", "Name": "Instance:PreemptibleInstanceInterruption", "Status": "Normal",
        "Level": "WARN", "RegionId": REGION, "GroupId": "0", "InstanceName": name,
        "Time": int(time.time() * 1000), "Id": f"event-of-{name}",
        "ResourceId": f"acs:ecs:{REGION}:{ACCOUNT}:instance/{name}",
        "Content": json.dumps({"action": "delete", "instanceId": name}),
    }  # fmt: skip
