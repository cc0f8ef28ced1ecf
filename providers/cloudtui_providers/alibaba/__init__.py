"""Alibaba Cloud: machines of its Elastic Compute Service. Its library is loaded when used."""

from cloudtui_providers.alibaba.provider import Alibaba

__all__ = ["Alibaba"]
