"""`notify.command` and `notify.webhook`: somebody is told of a notice.

The settings are read when it is told, so what an operation keeps is the notice alone: a webhook's address
lets whoever has it speak in the user's name, and stands in no operation, log or error.

After a killed engine: a command that is known to have begun is taken for told, for it lives on without us
and holds all of the notice. What remains: where the engine is killed between the command's beginning and the
note of it, it is run again, with the same `key`; where it died with the whole machine after that note, it is
not. A POST is made again, with the same `Idempotency-Key`, for nobody here can know whether it arrived.
"""

from __future__ import annotations

import http.client
import json
import os
import shlex
import signal
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from cloudtui_engine.errors import BadInputError, FailedError, UnreachableError
from cloudtui_engine.handlers.context import Context, Withdrawn
from cloudtui_engine.records.notice import COMMAND, WEBHOOK
from cloudtui_engine.records.operation import Operation

COMMAND_LIMIT_S = 10.0
WEBHOOK_LIMIT_S = 5.0
BACKOFF_S = (1.0, 4.0)
"""The pauses between three tries."""


def command(context: Context, operation: Operation) -> Mapping[str, Any]:
    """Run the user's command: the notice is JSON on its stdin and `CLOUDTUI_*` in its environment.

    Returns:
        `{"status": 0}`, None after a killed engine; `{"withdrawn": True}` where no command is set any more.
    """
    if operation.progress:
        return {"status": None}
    words = shlex.split(str(context.catalog.settings.get(COMMAND) or ""))
    if not words:
        return {"withdrawn": True}
    begun = partial(context.catalog.operations.set_progress, operation.id, {"text": "The command runs"})
    return run_command(words, operation.args["notice"], begun)


def run_command(
    words: list[str], notice: Mapping[str, Any], begun: Callable[[], None] = lambda: None
) -> Mapping[str, Any]:
    """Run it, for ten seconds at most. No text of a host stands among its words.

    Args:
        words: the command.
        notice: what it is given.
        begun: called once it runs, and would to its end without us.

    Raises:
        FailedError: it could not be run, took too long, or said that it failed.
    """
    process = _started(words, notice)
    try:
        begun()
        process.wait(COMMAND_LIMIT_S)
    except subprocess.TimeoutExpired:
        raise FailedError(
            f"The command for notices took over {COMMAND_LIMIT_S:.0f} s and was ended.", _HINT_COMMAND
        ) from None
    finally:
        if process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        raise FailedError(f"The command for notices ended with {process.returncode}.", _HINT_COMMAND)
    return {"status": 0}


def _started(words: list[str], notice: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    """Its stdin is a file, whole from the beginning: a pipe would break off with an engine that dies."""
    told = {f"CLOUDTUI_{name.upper()}": str(value) for name, value in notice.items()}
    try:
        with tempfile.TemporaryFile() as given:
            given.write(json.dumps(notice).encode())
            given.seek(0)
            return subprocess.Popen(
                words, stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env={**os.environ, **told}, start_new_session=True,
            )  # fmt: skip
    except OSError as error:
        raise FailedError(
            f"The command for notices cannot be run: {error.strerror}.", _HINT_COMMAND
        ) from error


_HINT_COMMAND = "See what it is: cloudtui settings get notify.command"


def webhook(context: Context, operation: Operation) -> Mapping[str, Any]:
    """POST the notice as JSON to the user's address.

    Returns:
        `{"status": 200}`, or `{"withdrawn": True}` where no address is set any more.
    """
    address = str(context.catalog.settings.get(WEBHOOK) or "")
    return post(address, operation.args["notice"], context.closing) if address else {"withdrawn": True}


def post(
    address: str, notice: Mapping[str, Any], closing: threading.Event, backoff: tuple[float, ...] = BACKOFF_S
) -> Mapping[str, Any]:
    """Try it three times; a server that says that the request itself is wrong is asked once.

    Raises:
        FailedError: it was not taken. Withdrawn: the engine ends; the next one tells it.
    """
    for pause in (*backoff, None):
        try:
            return {"status": _post_once(address, notice)}
        except UnreachableError:
            if pause is None:
                raise
            if closing.wait(pause):
                raise Withdrawn from None
    raise AssertionError("The last try returns or raises.")


def _post_once(address: str, notice: Mapping[str, Any]) -> int:
    try:
        if urlsplit(address).scheme not in {"http", "https"}:
            raise BadInputError("The webhook's address is no http or https address.", _HINT_WEBHOOK)
        request = urllib.request.Request(  # noqa: S310 - the scheme was looked at
            address, json.dumps(notice).encode(), {"Content-Type": "application/json",
            "User-Agent": "cloudtui", "Idempotency-Key": f"cloudtui-{notice['key']}"},
        )  # fmt: skip
        with _opener().open(request, timeout=WEBHOOK_LIMIT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        if error.code == http.client.TOO_MANY_REQUESTS or error.code >= 500:
            raise UnreachableError(f"The webhook answers {error.code}.", _HINT_WEBHOOK) from None
        if 300 <= error.code < 400:
            raise FailedError(
                "The webhook redirects.", "Give the address that it redirects to: cloudtui settings set"
            ) from None
        raise FailedError(f"The webhook refuses it with {error.code}.", _HINT_WEBHOOK) from None
    except (ValueError, http.client.InvalidURL):  # their texts hold the address
        raise BadInputError("The webhook's address cannot be used.", _HINT_WEBHOOK) from None
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"The webhook does not answer ({_why(error)}).", _HINT_WEBHOOK) from None


_HINT_WEBHOOK = "See where it goes: cloudtui settings get notify.webhook"


def _why(error: Exception) -> str:
    """The kind of failure, without a text that may hold the address."""
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return "took too long" if isinstance(reason, TimeoutError) else type(reason).__name__


def _opener() -> urllib.request.OpenerDirector:
    """HTTP and HTTPS and nothing else: no files, no FTP, and no redirects, for those would be GETs."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener
