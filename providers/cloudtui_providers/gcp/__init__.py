"""Google Cloud: machines of Compute Engine, by REST. google-auth and httpx are loaded when used."""

from cloudtui_providers.gcp.provider import Gcp

__all__ = ["Gcp"]
