"""What Google Cloud is on loopback: its zones and types, its words, its filters, and an account of it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from tests.support.clouds.http_fake import Reply

TOKEN = "ya29.canary-token-of-google"
PROJECT = "our-project"
REGION = "us-central1"
ZONES = ("us-central1-a", "us-central1-b", "europe-west4-a")
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIbL1hZXpM3LJm3cJzv4mZLqEYtQyB0oK3gkq6w3bKcd cloudtui"
HERE = f"https://www.googleapis.com/compute/v1/projects/{PROJECT}"
TYPES = {
    "g2-standard-4": (4, 16384, [{"guestAcceleratorType": "nvidia-l4", "guestAcceleratorCount": 1}]),
    "a2-highgpu-8g": (
        96,
        696320,
        [{"guestAcceleratorType": "nvidia-tesla-a100", "guestAcceleratorCount": 8}],
    ),
    "n1-standard-8": (8, 30720, []),
    "e2-standard-4": (4, 16384, []),
}
ALIVE = {"PROVISIONING", "STAGING", "RUNNING"}
AFTER = {"PROVISIONING": "RUNNING", "STOPPING": "TERMINATED"}


@cache
def private_key() -> str:
    """Of a service account; made once, for it takes long."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def error(status: int, reason: str, message: str) -> Reply:
    one = {"message": message, "domain": "global", "reason": reason}
    return status, {"error": {"code": status, "message": message, "errors": [one]}}


NOT_FOUND = error(404, "notFound", "The resource was not found")


def last(url: str) -> str:
    return url.rpartition("/")[2]


def fits(row: dict[str, Any], wanted: str) -> bool:
    """The forms of Google's filters that are asked here: `a = "b"`, `labels.a:*` and `name eq <pattern>`."""
    if not wanted:
        return True
    if found := re.fullmatch(r'([\w.-]+) = "([^"]*)"', wanted):
        return bool(_value(row, found[1]) == found[2])
    if found := re.fullmatch(r"([\w.-]+):\*", wanted):
        return _value(row, found[1]) is not None
    found = re.fullmatch(r"name eq (\S+)", wanted)
    assert found, wanted
    return bool(re.fullmatch(found[1], row["name"]))


def _value(row: dict[str, Any], field: str) -> Any:
    first, _, rest = field.partition(".")
    return row.get(first, {}).get(rest) if rest else row.get(first)


def by_zone(kind: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    empty = {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "There are no results for this zone."}}
    by_zone = {zone: [row for row in rows if last(row["zone"]) == zone] for zone in ZONES}
    return {"items": {f"zones/{zone}": {kind: found} if found else empty for zone, found in by_zone.items()}}


def bare(name: str) -> dict[str, Any]:
    return {
        "name": name, "machineType": "e2-standard-4", "disks": [{"boot": True, "initializeParams": {}}],
        "networkInterfaces": [{"accessConfigs": [{}]}],
    }  # fmt: skip


def account(token_uri: str) -> dict[str, str]:
    return {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "0123456789abcdef",
        "private_key": private_key(),
        "client_email": f"us@{PROJECT}.iam.gserviceaccount.com",
        "token_uri": token_uri,
    }
