"""What the user's own ssh says when it logs in, or does not: read, cleaned, and told as our errors."""

from __future__ import annotations

import re

from cloudtui_engine.errors import (
    BadInputError,
    CloudtuiError,
    HostKeyError,
    LinkTimeoutError,
    LoginNeededError,
    UnreachableError,
)
from cloudtui_engine.sanitize import clean_line

_DEBUG = re.compile(r"debug\d: |OpenSSH_|Authenticated |Authenticating ")
_METHOD = re.compile(r'^Authenticated (?:to .* )?using "([\w-]+)"(.*)', re.MULTILINE)
_TOUCHED = re.compile(r"^debug1: Server accepts key: .*[A-Z0-9]-SK ", re.MULTILINE)
_BY_ITSELF = frozenset({"publickey", "hostbased", "gssapi-with-mic", "gssapi-keyex", "none"})


def needed_a_person(log: str) -> bool:
    """Whether a login that went well took a person: a code, a password, a touch, or several steps.

    Args:
        log: what `ssh -v` wrote.
    """
    steps = _METHOD.findall(log)
    return len(steps) > 1 or any(how not in _BY_ITSELF for how, _ in steps) or bool(_TOUCHED.search(log))


def login_needed(name: str, why: str) -> LoginNeededError:
    """The error that asks for a person, with what they have to do."""
    return LoginNeededError(
        f"{why}, and logging in may need you.", f"Log in: cloudtui instance connect {name}"
    )


def failure(name: str, host: str, log: str) -> CloudtuiError:
    """Why a login did not come about.

    Args:
        name: what a person calls the host.
        host: what ssh was given.
        log: what `ssh -v` wrote.
    """
    lines = [line for line in log.splitlines() if line.strip() and not _DEBUG.match(line)]
    text = "\n".join(lines)
    last = clean_line(lines[-1], 200) if lines else "it ended without a word"
    if "HOST IDENTIFICATION HAS CHANGED" in text or "is revoked" in text.lower():
        return HostKeyError(
            f"Your ssh knows another host key of {name} than it shows now.",
            "Nothing was sent to it. The machine was set up anew there, or someone is in between. When you"
            " know that it is right, remove its old line from your known_hosts: ssh-keygen -R",
            changed=True,
        )
    if "Host key verification failed" in text:
        return login_needed(name, f"The host key of {name} is not known to your ssh")
    if re.search(r"Permission denied|Too many authentication failures|No more authentication", text):
        return login_needed(name, f"{name} did not let your ssh in by itself ({last.rstrip('.')})")
    if re.search(r"[Bb]ad configuration option|terminating, \d+ bad|line \d+: ", text):
        return BadInputError(
            f"ssh does not accept its configuration: {last}", f"Correct it; try: ssh -G {host}"
        )
    hint = f"Try it by hand: ssh {host}"
    if "timed out" in text:
        return LinkTimeoutError(f"Your ssh got no answer from {name}: {last}", hint)
    return UnreachableError(f"Your ssh cannot reach {name}: {last}", hint)


def quoted(text: str) -> str:
    """Somebody's word in a sentence."""
    return repr(clean_line(text, 80))
