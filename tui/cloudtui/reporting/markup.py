"""HTML that cannot be broken out of: a text is scrubbed and escaped, or it is markup of ours."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from typing import NewType

from cloudtui_engine.sanitize import clean

Html = NewType("Html", str)
"""Markup. Only this module makes it out of text."""
_VOID = frozenset({"meta", "line", "path", "rect", "circle", "br"})


class Paper:
    """Makes markup out of texts.

    Args:
        scrub: takes out of a text what others must not read.
        keys: does so for the names of metrics and settings; as `scrub` where it is not given.
    """

    def __init__(self, scrub: Callable[[str], str], keys: Callable[[str], str] | None = None) -> None:
        self._scrub, self._keys = scrub, keys or scrub

    def text(self, value: str) -> Html:
        """Text from anywhere: cleaned, scrubbed, escaped."""
        return Html(html.escape(self._scrub(clean(value))))

    def key(self, value: str) -> Html:
        """The name of a metric or setting: cleaned, scrubbed as such, escaped."""
        return Html(html.escape(self._keys(clean(value))))

    def table(
        self, heads: Sequence[str], rows: Iterable[Sequence[Html]], *, kind: str = "", numbers: bool = True
    ) -> Html:
        """A table; with `numbers`, all columns but the first are set to the right."""
        top = joined(tag("th", self.text(head), scope="col") for head in heads)
        body = joined(
            tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows
        )
        classes = " ".join(part for part in (kind, "numbers" if numbers else "") if part)
        whole = tag("table", tag("thead", tag("tr", top)), tag("tbody", body), class_=classes)
        return tag("div", whole, class_="wide")

    def facts(self, pairs: Iterable[tuple[str, Html]]) -> Html:
        """Names and values; what is empty is left out."""
        found = [(name, value) for name, value in pairs if value]
        return tag("dl", joined(tag("div", tag("dt", self.text(n)), tag("dd", v)) for n, v in found))


def ours(text: str) -> Html:
    """A text of this program, such as a formatted number: escaped, not scrubbed."""
    return Html(html.escape(text))


def joined(parts: Iterable[Html]) -> Html:
    """Markup after markup."""
    return Html("".join(parts))


def tag(name: str, /, *inside: Html, **attributes: str | float) -> Html:
    """An element; `class_` is `class`, and an underscore in a name is a hyphen. Empty ones are left out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(str(value))}"'
        for key, value in attributes.items()
        if value != ""
    )
    if name in _VOID:
        return Html(f"<{name}{said}/>" if name != "meta" else f"<{name}{said}>")
    return Html(f"<{name}{said}>{''.join(inside)}</{name}>")
