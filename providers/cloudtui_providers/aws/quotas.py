"""What the account may run at once, counted in virtual processors of a family of types."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloudtui_providers.aws.clients import Clients
from cloudtui_providers.errors import ProviderError

ACTION = "servicequotas:GetServiceQuota"


@dataclass(frozen=True, slots=True)
class Family:
    """Types that share a quota, of which AWS has one for each way to rent them."""

    name: str
    types: str
    on_demand: str
    spot: str

    def code(self, *, spot: bool) -> str:
        """AWS's code of the quota."""
        return self.spot if spot else self.on_demand


FAMILIES = (
    Family("G and VT", r"(g|vt)\d", "L-DB2E81BA", "L-3819A6DF"),
    Family("P", r"p\d", "L-417A185B", "L-7212CCBC"),
    Family("Standard", r"(a|c|d|h|i|im|is|m|r|t|z)\d", "L-1216C47A", "L-34B43A08"),
)


def family_of(machine_type: str) -> Family | None:
    """None: of a family whose quota is not looked at."""
    return next((family for family in FAMILIES if re.match(family.types, machine_type)), None)


def limit(clients: Clients, region: str, family: Family, *, spot: bool) -> float:
    """How many virtual processors of the family there may be at once."""
    code = family.code(spot=spot)
    answer = clients.ask(region, ACTION, ServiceCode="ec2", QuotaCode=code)
    return float(answer["Quota"]["Value"])


def known_limit(clients: Clients, region: str, machine_type: str, *, spot: bool) -> float | None:
    """The same for a type; None: not known, and the launch itself will tell."""
    family = family_of(machine_type)
    try:
        return limit(clients, region, family, spot=spot) if family else None
    except ProviderError:
        return None


def where_to_ask(region: str, family: Family, *, spot: bool) -> str:
    """What to do about too small a quota."""
    page = f"https://{region}.console.aws.amazon.com/servicequotas/home/services/ec2/quotas"
    return f"Ask for more at {page}/{family.code(spot=spot)}, or take another region."
