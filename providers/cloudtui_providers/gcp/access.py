"""The account's credentials, from where gcloud and Google's libraries have them. They stay in memory."""

from __future__ import annotations

import threading
from typing import Any

from cloudtui_providers.errors import AuthError, CloudUnreachable, NotInstalledError

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
LOG_IN = (
    "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS=<file of a service account>"
)
NAME_PROJECT = "gcloud config set project <project>, or GOOGLE_CLOUD_PROJECT=<project>"


class Access:
    """Tokens for all threads: asked for when the last one has run out, about once an hour."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: tuple[Any, str] | None = None

    def token(self) -> str:
        """One that is good now.

        Raises:
            AuthError: there are no credentials, or they are refused.
        """
        with self._lock:
            credentials, _ = self._credentials()
            if not credentials.valid:
                _refresh(credentials)
            return str(credentials.token)

    def project(self) -> str:
        """Whose machines they are, and who pays.

        Raises:
            AuthError: no project is named anywhere.
        """
        with self._lock:
            _, project = self._credentials()
        if not project:
            raise AuthError("No project of Google Cloud is named.", NAME_PROJECT)
        return project

    def _credentials(self) -> tuple[Any, str]:
        if self._found is None:
            self._found = _default()
        return self._found


def _default() -> tuple[Any, str]:
    try:
        import google.auth
        from google.auth import exceptions
    except ImportError as error:
        raise NotInstalledError(
            "google-auth, by which Google Cloud is asked, is not installed.", "pip install 'cloudtui[gcp]'"
        ) from error
    try:
        credentials, project = google.auth.default(scopes=[SCOPE])
    except (exceptions.GoogleAuthError, OSError, ValueError):  # what they say may quote the file
        raise AuthError(
            "There are no credentials for Google Cloud, or none that can be read.", LOG_IN
        ) from None
    return credentials, str(project or "")


def _refresh(credentials: Any) -> None:
    from google.auth import exceptions
    from google.auth.transport.requests import Request

    try:
        credentials.refresh(Request())
    except exceptions.TransportError:
        raise CloudUnreachable(
            "Google's service for tokens cannot be reached.", "It is asked again. Look at the network."
        ) from None
    except exceptions.GoogleAuthError:
        raise AuthError("Google refuses the credentials.", LOG_IN) from None
