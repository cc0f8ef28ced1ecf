"""What Azure is on loopback: its sizes, its words, and credentials for it."""

from __future__ import annotations

import time
from typing import Any

from azure.core.credentials import AccessToken
from tests.support.clouds.http_fake import Reply

TOKEN = "eyJ0.canary-token-of-azure"
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
REGION = "eastus"
ROOT = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/cloudtui/providers"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIbL1hZXpM3LJm3cJzv4mZLqEYtQyB0oK3gkq6w3bKcd cloudtui"
SIZES = {
    "Standard_NC4as_T4_v3": (4, 28, 1),
    "Standard_ND96asr_v4": (96, 900, 8),
    "Standard_D4s_v5": (4, 16, 0),
}
MOVES = {"starting": "running", "deallocating": "deallocated"}


class Credential:
    """As azure-identity's are: it says the token, and for how long."""

    def get_token(self, *scopes: str) -> AccessToken:
        assert scopes == ("https://management.azure.com/.default",)
        return AccessToken(TOKEN, int(time.time()) + 3600)


def error(status: int, code: str, message: str) -> Reply:
    return status, {"error": {"code": code, "message": message}}


NOT_FOUND = error(404, "ResourceNotFound", "The Resource was not found.")


def interface_of(name: str) -> str:
    return f"{ROOT}/Microsoft.Network/networkInterfaces/{name}-nic"


def event_row(name: str, operation: str) -> dict[str, Any]:
    """As the activity log has something that was done to a machine."""
    what = f"Microsoft.Compute/virtualMachines/{operation}"
    return {
        "operationName": {"value": what, "localizedValue": what},
        "status": {"value": "Succeeded", "localizedValue": "Succeeded"},
        "resourceId": f"{ROOT}/Microsoft.Compute/virtualMachines/{name}".upper(),
        "eventTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "caller": "Microsoft.Compute", "level": "Informational", "eventDataId": f"event-of-{name}",
    }  # fmt: skip
