"""Who we are to a cloud: a random id, bound to this machine and home, so that a copy is noticed.

Two installations with one id would take each other's machines for their own. So a home that was copied (to
another folder, or with its disk to another machine) changes nothing in a cloud until a person says which of
the two goes on with what was rented.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any

from cloudtui_engine.catalog import Catalog
from cloudtui_engine.errors import RefusedError
from cloudtui_engine.fleet import trust
from cloudtui_engine.paths import Paths
from cloudtui_engine.records.launch import AttemptState, LaunchState

ID = "installation.id"
BOUND = "installation.bound"
QUESTION = "installation"
_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


@cache
def machine() -> str:
    """What tells this machine from others and stays the same over restarts; empty where nothing does."""
    for file in _FILES:
        try:
            found = file.read_text().strip()
        except OSError:
            continue
        if found:
            return found
    if sys.platform == "darwin":
        asked = ["/usr/sbin/ioreg", "-rd1", "-c", "IOPlatformExpertDevice"]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=10, check=False).stdout
        return next((line.split('"')[3] for line in told.splitlines() if "IOPlatformUUID" in line), "")
    return ""


def owner(catalog: Catalog) -> str:
    """The id that our machines are marked with; empty before the first launch."""
    return str(catalog.settings.get(ID) or "")


def ensure(catalog: Catalog, paths: Paths) -> str:
    """Our id, made and bound to this machine and home at the first call.

    Raises:
        RefusedError: it was made for another machine or home.
    """
    with catalog.write("setting", durable=True):
        found = owner(catalog)
        if not found:
            found = secrets.token_hex(8)
            catalog.settings.set(ID, found)
            catalog.settings.set(BOUND, _here(paths))
    if is_copy(catalog, paths):
        raise copied(catalog, paths)
    return found


def is_copy(catalog: Catalog, paths: Paths) -> bool:
    """Whether our id was made on another machine, or in another home."""
    bound = catalog.settings.get(BOUND)
    if not owner(catalog) or not isinstance(bound, dict):
        return False
    here = _here(paths)
    machines = {str(bound.get("machine", "")), here["machine"]} - {""}
    return bound.get("home") != here["home"] or len(machines) > 1


def copied(catalog: Catalog, paths: Paths) -> RefusedError:
    """What is said to somebody who would change something in a cloud from a copy."""
    return RefusedError(
        _text(catalog, paths),
        "Where the old place is not used any more: cloudtui provider claim moved. Else: ... claim copy",
        code="installation",
    )


def question(catalog: Catalog, paths: Paths) -> dict[str, Any]:
    """The same as the question of an operation; the answer is `{"moved": true}` or `{"moved": false}`."""
    return {"kind": QUESTION, "text": _text(catalog, paths), "choices": ["moved", "copy"]}


def _text(catalog: Catalog, paths: Paths) -> str:
    bound = catalog.settings.get(BOUND)
    home = bound.get("home", "?") if isinstance(bound, dict) else "?"
    where = "another machine" if home == str(paths.home) else str(home)
    return (
        f"This home was copied: what it rented belongs to {where}. Nothing is changed in a cloud from here."
    )


def claim(catalog: Catalog, paths: Paths, *, moved: bool) -> None:
    """Say which of two homes this is.

    Args:
        catalog: of this home.
        paths: this home.
        moved: this is the one that goes on with what was rented. Else it becomes an installation of its own,
            and what it believed to have rented is the other's: the rows go, and no cloud is told.
    """
    with catalog.write("setting", "instance", "operation", durable=True):
        if not moved:
            catalog.settings.set(ID, secrets.token_hex(8))
            _let_go(catalog)
        catalog.settings.set(BOUND, _here(paths))


def _let_go(catalog: Catalog) -> None:
    now = time.time()
    rented = [one for one in catalog.instances.list() if one.is_rented]
    for instance in rented:
        for operation in catalog.operations.open_for(instance.id):
            catalog.operations.finish(operation.id, {"withdrawn": True})
        catalog.instances.forget(instance.id, now)
    for launch in catalog.launches.open():
        for attempt in catalog.launches.attempts(launch.id):
            if not attempt.state.is_dead:
                expected = (attempt.state,)
                catalog.launches.move_attempt(
                    launch.id, attempt.number, AttemptState.ABSENT, expected=expected
                )
        trust.wipe(catalog, launch.id)
        catalog.launches.move(
            launch.id, LaunchState.CANCELLED, expected=(launch.state,), error={"code": "copy"}, ended_at=now
        )
    for orphan in catalog.orphans.list():
        catalog.orphans.drop(orphan.provider, [orphan.cloud_id])


def _here(paths: Paths) -> dict[str, str]:
    return {"machine": machine(), "home": str(paths.home)}
