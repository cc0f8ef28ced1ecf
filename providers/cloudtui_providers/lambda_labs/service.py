"""Lambda's Cloud API: where it is, whose key it wants, and what its error codes mean."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from cloudtui_providers import keys
from cloudtui_providers.errors import (
    AmbiguousError,
    AuthError,
    CapacityError,
    InvalidOrderError,
    MachineGone,
    PermissionDenied,
    ProviderError,
    QuotaError,
)
from cloudtui_providers.rest import Answer, Service

NAME = "lambda"
TITLE = "Lambda"
ENDPOINT = "https://cloud.lambda.ai"
VARIABLE = "LAMBDA_API_KEY"
FILE = ".lambda_cloud/lambda_keys"
"""Where SkyPilot has it: Lambda has no tool of its own."""
LOG_IN = f"Make a key at {ENDPOINT}/api-keys and set {VARIABLE}, or put 'api_key = KEY' in ~/{FILE}."
PACE_S = 1.0
"""It asks for no more than one request a second."""
LAUNCH = "/api/v1/instance-operations/launch"
CODES: Mapping[str, type[ProviderError]] = {
    "global/invalid-api-key": AuthError,
    "global/account-inactive": PermissionDenied,
    "global/invalid-address": PermissionDenied,
    "global/quota-exceeded": QuotaError,
    "global/insufficient-capacity": CapacityError,
    "instance-operations/launch/insufficient-capacity": CapacityError,
    "global/invalid-parameters": InvalidOrderError,
}
NOT_THERE = "global/object-does-not-exist"
FROM_BEHIND = "provider/"
"""Errors of what stands behind Lambda: what was done there nobody says."""
_LINE = re.compile(r"^\s*api_key\s*=\s*(\S+)", re.MULTILINE)


def service(endpoint: str, pace_s: float) -> Service:
    """Lambda as it is asked; an empty endpoint is CLOUDTUI_LAMBDA_URL, or Lambda's own."""
    where = endpoint or os.environ.get("CLOUDTUI_LAMBDA_URL") or ENDPOINT
    return Service(NAME, TITLE, where, _key, LOG_IN, _words, _kind, pace_s)


def _key() -> str:
    return keys.key(TITLE, VARIABLE, [(Path(FILE), _from_file)], LOG_IN)


def _from_file(text: str) -> str:
    found = _LINE.search(text)
    return found[1] if found else ""


def _words(answer: Answer) -> str:
    return str(_error(answer).get("message", ""))


def _kind(answer: Answer) -> type[ProviderError] | None:
    code = str(_error(answer).get("code", ""))
    if code == NOT_THERE:
        return InvalidOrderError if answer.path == LAUNCH else MachineGone
    return AmbiguousError if code.startswith(FROM_BEHIND) else CODES.get(code)


def _error(answer: Answer) -> Mapping[str, object]:
    body = answer.body.get("error") if isinstance(answer.body, dict) else None
    return body if isinstance(body, dict) else {}
