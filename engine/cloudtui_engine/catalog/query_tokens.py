"""The words and signs that a filter is made of. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloudtui_engine.errors import FilterError

_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_SAFE = re.compile(r"[^\s()<>=!~,\"':\\]+")
_TOKEN = re.compile(
    rf"\s*(?:(?P<sign>[(),]|<=|>=|!=|!~|==|=|<|>|~)|(?P<word>(?:{_QUOTED}|[^\s()<>=!~,\"'])+)|(?P<wrong>\S))"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a sign: `kind` says which; `at` is its place."""

    kind: str
    text: str
    at: int


def tokens_of(text: str) -> list[Token]:
    """The words and signs of a filter.

    Raises:
        FilterError: a sign that means nothing, or a quote that is never closed.
    """
    found, at = [], 0
    while at < len(text) and (match := _TOKEN.match(text, at)):
        kind = match.lastgroup or ""
        start = match.start(kind)
        if kind == "wrong":
            what = (
                "this quote is never closed"
                if match["wrong"] in "\"'"
                else f"{match['wrong']!r} means nothing here"
            )
            raise FilterError(what, start)
        found.append(Token(kind, match[kind], start))
        at = match.end()
    return found


def split_colon(text: str) -> tuple[str | None, str]:
    """`tag:x` as `tag` and `x`; no name where there is no colon outside quotes."""
    quote = ""
    for i, character in enumerate(text):
        if quote:
            quote = "" if character == quote and text[i - 1] != "\\" else quote
        elif character in "\"'":
            quote = character
        elif character == ":":
            return text[:i], text[i + 1 :]
    return None, text


def unquote(text: str) -> str:
    """The text that a word means: quotes gone, and what they protected kept."""
    return re.sub(_QUOTED, lambda match: re.sub(r"\\(.)", r"\1", match[0][1:-1]), text)


def quoted(text: str) -> str:
    """The text as one word of the language."""
    if _SAFE.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
