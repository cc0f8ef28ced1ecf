"""Secrets by their name or their form, wherever they are told: a mark stands in their place. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

SECRET = "[secret]"  # noqa: S105 - a mark, and none
TOKENS = re.compile(
    r"(?<![A-Za-z0-9])(?:AKIA[0-9A-Z]{12,}|gh[pousr]_\w{10,}|github_pat_\w{10,}|glpat-[\w-]{10,}|hf_\w{16,}"
    r"|sk-[\w-]{16,}|xox[a-z]-[\w-]{10,}|eyJ[\w-]{4,}\.[\w-]+\.[\w-]*)"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*-----|\Z)"
)
_SAID = r"(?:password|passwd|passphrase|pwd|token|secret|bearer|authorization|(?:api|access)[_-]?key)"
_VALUE = r"(?:(?:bearer|basic|token)[ \t]+)?(?:\"[^\"\n]*\"|'[^'\n]*'|\S+)"
_TOLD = re.compile(
    rf"({_SAID}[\"']?\s*[=:]\s*){_VALUE}|((?<![A-Za-z0-9]){_SAID}[ \t]+(?:(?:is|was)[ \t]+)?){_VALUE}",
    re.IGNORECASE,
)
"""A secret that a text names: `password=x`, `"token": "x"`, `--secret x`, `Authorization: Bearer x`."""
_IN_URL = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s/:@\"']*:)[^\s/@\"']+@")
_SECRET_WORDS = frozenset(
    {"token", "secret", "secrets", "password", "passwd", "passphrase", "credential", "credentials", "apikey",
     "auth", "authorization", "pat"}
)  # fmt: skip
_LAST_WORDS = frozenset({"key", "tokens", "pwd", "pass", "bearer", "dsn", "webhook"})
"""Secrets where a name ends so: `deploy_key` is one, `key_size` is none."""
_SECRET_KEYS = re.compile(r"(?:api|access|private|secret|ssh|account)[^a-z0-9]*key", re.IGNORECASE)


def is_secret(key: str) -> bool:
    """A setting of this name is a secret, whatever its value is."""
    apart = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3_\2", key).lower()
    words = [word for word in re.split(r"[^a-z]+", apart) if word]
    last = words[-1] if words else ""
    return (
        last in _LAST_WORDS or bool(_SECRET_WORDS.intersection(words)) or _SECRET_KEYS.search(key) is not None
    )


def without_secrets(key: str, value: Any) -> Any:
    """A setting's value with a mark in place of each secret in it, however deep; `max_tokens = 8` is none."""
    if value is None or isinstance(value, bool):
        return value
    if is_secret(key) and not (key.lower().endswith("tokens") and isinstance(value, int | float)):
        return SECRET
    if isinstance(value, Mapping):
        return {name: without_secrets(str(name), one) for name, one in value.items()}
    return [without_secrets("", one) for one in value] if isinstance(value, list | tuple) else value


def without_told(text: str) -> str:
    """A text without the secrets that it names, or that show by their form; places and people stay."""
    text = without_named(TOKENS.sub(SECRET, text))
    return _IN_URL.sub(lambda found: f"{found[1]}{SECRET}@", text)


def without_named(text: str) -> str:
    """A text without the secrets that it names: `password=[secret]`."""
    return _TOLD.sub(lambda said: f"{said[1] or said[2]}{SECRET}", text)
