"""Whose machine it is, in its name: for clouds whose machines have a name and no tags.

`box-1-cloudtui-<owner>-<launch>-<attempt>`: letters, digits and dashes, which every cloud takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cloudtui_providers.base import LAUNCH_TAG, NAME_TAG, OWNER_TAG, Machine, Order

NAMED = re.compile(r"(?:(?P<name>.+)-)?cloudtui-(?P<owner>[a-z0-9]+)-(?P<token>[a-z0-9]+-[0-9]+)")
PLAIN = re.compile(r"[A-Za-z0-9.-]+")


def marked_name(order: Order, longest: int) -> str:
    """The name of an order's machine. Its own name stands before the marks where it fits as it is."""
    marks = f"cloudtui-{order.owner}-{order.token}"
    whole = f"{order.name}-{marks}"
    return whole if PLAIN.fullmatch(order.name) and len(whole) <= longest else marks


def tags(name: str) -> dict[str, str]:
    """The tags that stand in a machine's name; none where it is not ours."""
    found = NAMED.fullmatch(name)
    if not found:
        return {}
    own = {NAME_TAG: found["name"]} if found["name"] else {}
    return {OWNER_TAG: found["owner"], LAUNCH_TAG: found["token"]} | own


def of_owner(machines: Iterable[Machine], owner: str) -> list[Machine]:
    """Those of an owner; an empty one: every cloudtui's."""
    return [one for one in machines if one.tags.get(OWNER_TAG) and owner in {"", one.tags[OWNER_TAG]}]
