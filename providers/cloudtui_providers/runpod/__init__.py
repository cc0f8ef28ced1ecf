"""RunPod: containers with GPUs, by version 2 of its REST API. httpx is loaded when used."""

from cloudtui_providers.runpod.provider import RunPod

__all__ = ["RunPod"]
