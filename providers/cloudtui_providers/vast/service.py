"""Vast.ai's REST API: where it is, whose key it wants, and what its refusals mean."""

from __future__ import annotations

import os
from pathlib import Path

from cloudtui_providers import keys
from cloudtui_providers.errors import AuthError, CapacityError, ProviderError
from cloudtui_providers.rest import Answer, Service

NAME = "vast"
TITLE = "Vast.ai"
ENDPOINT = "https://console.vast.ai"
VARIABLE = "VAST_API_KEY"
LOG_IN = f"Make a key at cloud.vast.ai/manage-keys and set {VARIABLE}, or run 'vastai set api-key'."
PACE_S = 1.0
"""It wants its list asked for no more often than that, each page of it."""
ASKS = "/api/v0/asks/"
SEARCH = "/api/v0/bundles/"


def service(endpoint: str, pace_s: float) -> Service:
    """Vast.ai as it is asked; an empty endpoint is CLOUDTUI_VAST_URL, or Vast.ai's own."""
    where = endpoint or os.environ.get("CLOUDTUI_VAST_URL") or ENDPOINT
    return Service(NAME, TITLE, where, _key, LOG_IN, _words, _kind, pace_s)


def _key() -> str:
    """Where the tool `vastai` has it, now and formerly."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or ".config")
    files = [(config / "vastai" / "vast_api_key", str), (Path(".vast_api_key"), str)]
    return keys.key(TITLE, VARIABLE, files, LOG_IN)


def _words(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    return str(body.get("msg") or body.get("message") or body.get("error") or "")


def _kind(answer: Answer) -> type[ProviderError] | None:
    if answer.path.startswith(ASKS) and answer.status in {404, 410}:
        return CapacityError  # somebody else was faster
    if answer.path == SEARCH and answer.status == 404:
        return AuthError  # so the search says it
    return None
