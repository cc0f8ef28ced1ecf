"""What moto does not know of AWS, and our provider asks: images, quotas, prices. In AWS's own shapes."""

from __future__ import annotations

import json
from typing import Any

GPU_AMI = "ami-0c10d7000000000a1"
UBUNTU_AMI = "ami-0c10d7000000000b2"
PRICES = {"g4dn.xlarge": 0.526, "g5.xlarge": 1.006, "t3.micro": 0.0104}
"""On demand, us-east-1, 2024: the rest has no price here."""
quota = {"value": 64.0}


def images() -> list[dict[str, Any]]:
    """For MOTO_AMIS_PATH."""
    names = {
        GPU_AMI: "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04)",
        UBUNTU_AMI: "ubuntu-noble-24.04",
    }
    return [
        {
            "ami_id": ami,
            "name": name,
            "description": name,
            "owner_id": "898082745236",
            "public": True,
            "virtualization_type": "hvm",
            "architecture": "x86_64",
            "state": "available",
            "platform": None,
            "image_type": "machine",
            "hypervisor": "xen",
            "root_device_name": "/dev/sda1",
            "root_device_type": "ebs",
            "sriov": "simple",
            "creation_date": "2026-01-01T00:00:00.000Z",
        }
        for ami, name in names.items()
    ]


def answer(target: str, body: bytes) -> tuple[int, dict[str, Any]] | None:
    """The reply to a call of a JSON protocol; None: moto's own."""
    asked = json.loads(body or b"{}")
    if target == "AmazonSSM.GetParameter":
        return _parameter(str(asked["Name"]))
    if target == "ServiceQuotasV20190624.GetServiceQuota":
        told = {
            "ServiceCode": "ec2",
            "QuotaCode": asked["QuotaCode"],
            "Value": quota["value"],
            "Unit": "None",
        }
        return 200, {"Quota": told}
    if target == "AWSPriceListService.GetProducts":
        wanted = {one["Field"]: one["Value"] for one in asked["Filters"]}
        price = PRICES.get(wanted["instanceType"]) if wanted["regionCode"] == "us-east-1" else None
        return 200, {"FormatVersion": "aws_v1", "PriceList": [_product(price)] if price else []}
    return None


def _parameter(name: str) -> tuple[int, dict[str, Any]]:
    if name.endswith("/latest/ami-id") and "/deeplearning/" in name:
        return 200, {"Parameter": {"Name": name, "Type": "String", "Value": GPU_AMI, "Version": 1}}
    if name.endswith("/ami-id") and "/canonical/ubuntu/" in name:
        return 200, {"Parameter": {"Name": name, "Type": "String", "Value": UBUNTU_AMI, "Version": 1}}
    return 400, {"__type": "ParameterNotFound", "message": f"Parameter {name} not found."}


def _product(price: float) -> str:
    """One line of the price list."""
    dimension = {"unit": "Hrs", "pricePerUnit": {"USD": f"{price:.10f}"}}
    return json.dumps(
        {"terms": {"OnDemand": {"X.JRTCKXETXF": {"priceDimensions": {"X.JRTCKXETXF.6YS6EN2CT7": dimension}}}}}
    )
