"""RunPod's REST API, version 2: where it is, whose key it wants, and what its refusals mean."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudtui_providers import keys
from cloudtui_providers.errors import CapacityError, InvalidOrderError, ProviderError
from cloudtui_providers.rest import Answer, Service

NAME = "runpod"
TITLE = "RunPod"
ENDPOINT = "https://api.runpod.io"
VARIABLE = "RUNPOD_API_KEY"
FILE = ".runpod/config.toml"
"""Of its own command lines: runpodctl has the key on top, `runpod config` below `default`."""
LOG_IN = (
    f"Make a key at https://console.runpod.io/user/settings and set {VARIABLE}, or run 'runpodctl config'."
)
PODS = "/v2/pods"


def service(endpoint: str) -> Service:
    """RunPod as it is asked; an empty endpoint is CLOUDTUI_RUNPOD_URL, or RunPod's own."""
    where = endpoint or os.environ.get("CLOUDTUI_RUNPOD_URL") or ENDPOINT
    return Service(NAME, TITLE, where, _key, LOG_IN, _words, _kind)


def _key() -> str:
    return keys.key(TITLE, VARIABLE, [(Path(FILE), _from_file)], LOG_IN)


def _from_file(text: str) -> str:
    told: Mapping[str, Any] = tomllib.loads(text)
    own = told.get("default")
    for table in (told, own if isinstance(own, dict) else {}):
        for name, value in table.items():
            if name.lower().replace("_", "") == "apikey" and isinstance(value, str):
                return value
    return ""


def _words(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    return " ".join(str(one) for one in (body.get("detail", ""), *body.get("errors", ())))


def _kind(answer: Answer) -> type[ProviderError] | None:
    if (answer.method, answer.path) == ("POST", PODS):
        # 400 is a machine that cannot be had there, for which it has no word of its own; a request that is
        # wrong in itself is 422. "Try the next candidate", it says of the first.
        return {400: CapacityError, 404: InvalidOrderError, 422: InvalidOrderError}.get(answer.status)
    return None
