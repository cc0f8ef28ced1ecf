"""Microsoft Azure: its virtual machines, by REST. azure-identity and httpx are loaded when used."""

from cloudtui_providers.azure.provider import Azure

__all__ = ["Azure"]
