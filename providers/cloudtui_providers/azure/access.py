"""The account's credentials, from where az and Azure's libraries have them. They stay in memory."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from cloudtui_providers.errors import AuthError, NotInstalledError

SCOPE = "https://management.azure.com/.default"
LOG_IN = "az login, or AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of a service principal"
NAME_SUBSCRIPTION = "az account set --subscription <id>, or AZURE_SUBSCRIPTION_ID=<id>"
PROFILE = Path(".azure/azureProfile.json")
EARLY_S = 300
"""A token is not used in its last minutes."""


class Access:
    """Tokens for all threads.

    Args:
        credential: as azure-identity has them; None: whatever it finds.
    """

    def __init__(self, credential: Any = None) -> None:
        self._credential = credential
        self._lock = threading.Lock()
        self._token: Any = None
        self._subscription = ""

    def token(self) -> str:
        """One that is good now.

        Raises:
            AuthError: there are no credentials, or they are refused.
        """
        with self._lock:
            if self._token is None or self._token.expires_on - EARLY_S < time.time():
                self._token = self._asked()
            return str(self._token.token)

    def subscription(self) -> str:
        """Whose machines they are, and who pays; another one counts from the next process on.

        Raises:
            AuthError: none is named anywhere.
        """
        with self._lock:
            if not self._subscription:
                self._subscription = os.environ.get("AZURE_SUBSCRIPTION_ID", "").strip() or _of_profile()
            if not self._subscription:
                raise AuthError("No subscription of Azure is named.", NAME_SUBSCRIPTION)
            return self._subscription

    def _asked(self) -> Any:
        try:
            from azure.core.exceptions import AzureError

            if self._credential is None:
                from azure.identity import DefaultAzureCredential

                self._credential = DefaultAzureCredential()
        except ImportError as error:
            raise NotInstalledError(
                "azure-identity, by which Azure is asked, is not installed.", "pip install 'cloudtui[azure]'"
            ) from error
        try:
            return self._credential.get_token(SCOPE)
        except (AzureError, ValueError):  # what they say names tenants and addresses
            raise AuthError("There are no credentials for Azure, or it refuses them.", LOG_IN) from None


def _of_profile() -> str:
    """The subscription that az has chosen."""
    try:
        told = json.loads((Path.home() / PROFILE).read_text(encoding="utf-8-sig"))
        chosen = [one["id"] for one in told["subscriptions"] if one.get("isDefault")]
    except (OSError, ValueError, KeyError, TypeError):  # not there, not ours to read, or another file
        return ""
    return str(chosen[0]) if chosen else ""
