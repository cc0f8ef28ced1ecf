"""What this machine or the project lacks, permission by permission; nothing is changed."""

from __future__ import annotations

from cloudtui_providers.base import Check
from cloudtui_providers.errors import MachineGone, PermissionDenied, ProviderError
from cloudtui_providers.gcp.access import Access
from cloudtui_providers.gcp.plan import MORE_QUOTA, gpus_allowed
from cloudtui_providers.gcp.service import Compute, service
from cloudtui_providers.gcp.settings import Settings
from cloudtui_providers.looks import checks as looked
from cloudtui_providers.rest import Rest

PERMISSIONS = tuple(
    f"compute.{one}"
    for one in (
        "instances.create", "instances.delete", "instances.get", "instances.list", "instances.setLabels",
        "instances.setMetadata", "instances.setTags", "instances.start", "instances.stop", "disks.create",
        "disks.setLabels", "subnetworks.use", "subnetworks.useExternalIp", "networks.get",
        "networks.updatePolicy", "firewalls.create", "firewalls.get", "firewalls.update",
        "machineTypes.list", "acceleratorTypes.list", "regions.list", "projects.get", "zoneOperations.get",
        "globalOperations.get", "globalOperations.list",
    )
)  # fmt: skip
ROLE = "The role roles/compute.admin has it; roles/compute.instanceAdmin.v1 has all but the firewall's."
MANAGER = "https://console.cloud.google.com/apis/library/cloudresourcemanager.googleapis.com"


def checks(compute: Compute, access: Access, settings: Settings) -> list[Check]:
    """All that can be found out. Without credentials the first says so, and is the only one."""
    found = looked(
        ("credentials", lambda: f"The credentials are good; the project is {_project(compute)}."),
        ("GPUs", lambda: _gpus(compute)),
        ("network", lambda: _network(compute, settings.network)),
    )
    return found + _permissions(compute, access, settings) if found[0].ok else found


def _project(compute: Compute) -> str:
    return str(compute.ask("")["name"])


def _gpus(compute: Compute) -> str:
    known = gpus_allowed(compute)
    if known == 0:
        raise ProviderError("The project may have no GPUs at all.", MORE_QUOTA)
    return "Their quota is not known." if known is None else f"The project may have {known:g} GPUs at once."


def _network(compute: Compute, name: str) -> str:
    try:
        compute.ask(f"global/networks/{name}")
    except MachineGone:
        hint = f"gcloud compute networks create {name} --subnet-mode=auto, or set CLOUDTUI_GCP_NETWORK."
        raise ProviderError(f"There is no network {name} in the project.", hint) from None
    return f"Machines are put into the network {name}."


def _permissions(compute: Compute, access: Access, settings: Settings) -> list[Check]:
    rest = Rest(service(settings.permissions_endpoint, access, headers={}))
    path = f"/v1/projects/{compute.project}:testIamPermissions"
    try:
        granted = rest.ask("POST", path, body={"permissions": list(PERMISSIONS)}).get("permissions", [])
    except PermissionDenied as error:  # that API is not switched on in every project
        return [Check("permissions", False, error.message, f"Switch it on at {MANAGER}.")]
    except ProviderError as error:
        return [Check("permissions", False, error.message, error.hint)]
    return [
        Check(one, True, "Allowed.") if one in granted else Check(one, False, "Not allowed.", ROLE)
        for one in PERMISSIONS
    ]
