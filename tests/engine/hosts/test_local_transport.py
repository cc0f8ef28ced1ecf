"""This machine as a host: what the system refuses is an error of the link, not of the program."""

from __future__ import annotations

import errno
import subprocess
from typing import Any

import pytest

from cloudtui_engine.errors import UnreachableError
from cloudtui_engine.hosts.transport.local import LocalTransport, surroundings


def test_no_process_to_be_had_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any, **_options: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(UnreachableError, match="Too many open files"):
        LocalTransport().open("true", 1)


def test_a_process_that_nothing_ends_does_not_break_the_close(monkeypatch: pytest.MonkeyPatch) -> None:
    transport = LocalTransport()
    channel = transport.open("cat", 1)
    process, real = channel._process, channel._process.wait

    def never(timeout: float | None = None) -> int:
        raise subprocess.TimeoutExpired("cat", timeout or 0)

    monkeypatch.setattr(process, "wait", never)
    transport.close()
    monkeypatch.undo()
    assert real(5) is not None


def test_jobs_here_get_no_secrets_of_who_started_the_engine() -> None:
    kept = {
        "PATH": "/bin", "HOME": "/home/u", "SSH_AUTH_SOCK": "/run/agent", "PWD": "/",
        "TOKENIZERS_PARALLELISM": "0", "KEYBOARD": "us", "CUDA_VISIBLE_DEVICES": "0", "CLOUDTUI_SWITCH": "/x",
        "PASSENGER": "1",
    }  # fmt: skip
    secret = (
        "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET",
        "LAMBDA_API_KEY", "HF_TOKEN", "MY_TOKEN", "DB_PASSWORD", "GOOGLE_APPLICATION_CREDENTIALS",
        "wandb_api_key", "SECRET",
    )  # fmt: skip
    assert surroundings(kept | dict.fromkeys(secret, "canary")) == kept
