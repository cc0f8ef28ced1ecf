"""Text from hosts, made safe to show: no control sequence reaches a terminal.

Whole escape sequences are dropped (an unterminated OSC or DCS to the end of its line), and every remaining
character of the categories Cc, Cf, Cs, Co, Cn, Zl and Zp, but newline and tab, is shown as U+FFFD.
"""

from __future__ import annotations

import re
import unicodedata

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI
    # OSC, DCS, SOS, PM, APC
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\n\x07\x9c\x1b]*(?:\x07|\x9c|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"  # all other escapes
)
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def clean(text: str) -> str:
    """`text` with nothing in it that a terminal would obey; lines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    text = _SEQUENCE.sub("", text.replace("\r\n", "\n"))
    return "".join(
        character if character in "\n\t" or unicodedata.category(character) not in _HIDDEN else "\ufffd"
        for character in text
    )


def clean_line(text: str, limit: int = 500) -> str:
    """`text` on one line, cut at `limit` characters."""
    line = " ".join(clean(text[: limit * 4]).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
