"""Vast.ai: containers on machines of many hosts, by its REST API. httpx is loaded when used."""

from cloudtui_providers.vast.provider import Vast

__all__ = ["Vast"]
