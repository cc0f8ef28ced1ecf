"""A shell script as one line without quotes, short enough for what clouds take."""

from __future__ import annotations

import base64
import gzip


def packed(script: str) -> str:
    """A line that runs a script by `sh`; the same script is the same line. Images have gunzip and base64."""
    text = base64.b64encode(gzip.compress(script.encode(), mtime=0)).decode("ascii")
    return f"echo {text} | base64 -d | gunzip | sh"
