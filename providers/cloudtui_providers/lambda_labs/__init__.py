"""Lambda's on-demand cloud: virtual machines with GPUs, by its Cloud API. httpx is loaded when used."""

from cloudtui_providers.lambda_labs.provider import Lambda

__all__ = ["Lambda"]
