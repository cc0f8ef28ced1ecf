"""The language of run filters, compiled to parameterised SQL. Pure.

    param.lr < 1e-3 and (tag:baseline or name ~ "vit") and not status:failed
    metric.validation/accuracy.best >= .9 on:box-1 status:live
    param.model in (resnet18, vit) param.lr in 1e-4..1e-2

Words side by side mean `and`. A bare word is looked for in name, note and tags. `:` and `=` are equal, `~`
contains (upper and lower case alike). Text with spaces or signs stands in quotes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from cloudtui_engine.catalog.query_terms import Field, bare, compare, field_of, membership, span
from cloudtui_engine.errors import FilterError, UsageError

MAX_LENGTH = 4000
MAX_TERMS = 200
MAX_DEPTH = 50
_QUOTED = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_TOKEN = re.compile(
    rf"\s*(?:(?P<sign>[(),]|<=|>=|!=|!~|==|=|<|>|~)|(?P<word>(?:{_QUOTED}|[^\s()<>=!~,\"'])+)|(?P<wrong>\S))"
)
_OPERATORS = frozenset({"<", "<=", ">", ">=", "=", "==", "!=", "~", "!~"})

Sql = tuple[str, list[object]]


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a sign: `kind` says which; `at` is its place."""

    kind: str
    text: str
    at: int


def compile_filter(text: str) -> Sql:
    """A condition on `r`, a row of `run`, with its parameters; true for every run when the text is blank.

    Raises:
        UsageError: the text cannot be read; a `FilterError` says where and why.
    """
    if len(text) > MAX_LENGTH:
        raise UsageError(f"The filter is longer than {MAX_LENGTH} characters.", "Make it shorter.")
    try:
        return _compile(text)
    except FilterError as error:
        error.text = text
        raise


def _compile(text: str) -> Sql:
    lone = next((at for at, sign in enumerate(text) if "\ud800" <= sign <= "\udfff"), None)
    if lone is not None:
        raise FilterError("what stands here is no text", lone)
    tokens = tokens_of(text)
    if not tokens:
        return "1", []
    parser = _Parser(tokens, len(text))
    sql = parser.either(0)
    if parser.left:
        raise parser.wrong("an end")
    return sql


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


class _Parser:
    """Reads tokens from left to right; each method leaves them behind what it has read."""

    def __init__(self, tokens: list[Token], length: int) -> None:
        self.left = tokens[::-1]
        self._length = length
        self._terms = 0

    def wrong(self, wanted: str) -> FilterError:
        """What stands here is not what is needed."""
        if not self.left:
            return FilterError(f"it ends where {wanted} is needed", self._length)
        token = self.left[-1]
        return FilterError(f"{token.text!r} stands where {wanted} is needed", token.at)

    def either(self, depth: int) -> Sql:
        """Terms with `or` between them."""
        if depth > MAX_DEPTH:
            raise self.wrong("less nesting")
        parts = [self._all(depth)]
        while self._word("or"):
            self.left.pop()
            parts.append(self._all(depth))
        return _join(" OR ", parts)

    def _all(self, depth: int) -> Sql:
        parts = [self._not(depth)]
        while self.left and not self._word("or") and not self._sign(")"):
            if self._word("and"):
                self.left.pop()
            parts.append(self._not(depth))
        return _join(" AND ", parts)

    def _not(self, depth: int) -> Sql:
        negative = False
        while self._word("not"):
            self.left.pop()
            negative = not negative
        sql, values = self._one(depth)
        return (f"NOT {sql}" if negative else sql), values

    def _one(self, depth: int) -> Sql:
        if self._sign("("):
            self.left.pop()
            inner = self.either(depth + 1)
            if not self._sign(")"):
                raise self.wrong("a closing parenthesis")
            self.left.pop()
            return inner
        if not self.left or self.left[-1].kind != "word" or self._word("and") or self._word("or"):
            raise self.wrong("a condition")
        return self._term(self.left.pop())

    def _term(self, token: Token) -> Sql:
        self._count(token)
        if self.left and self.left[-1].kind == "sign" and self.left[-1].text in _OPERATORS:
            operator = self.left.pop()
            value = self._value()
            return _compared(token, operator.text, unquote(value.text), value.at)
        if self._word("in"):
            self.left.pop()
            return self._in(token)
        name, value_text = split_colon(token.text)
        if name is None:
            return bare(unquote(token.text))
        if not value_text:
            value_text = self._value().text
        return _compared(Token("word", name, token.at), "=", unquote(value_text), token.at + len(name) + 1)

    def _in(self, token: Token) -> Sql:
        field = _field(token)
        if not self._sign("("):
            value = self._value()
            low, dots, high = value.text.partition("..")
            if not dots:
                raise FilterError("`in` needs a list like (a, b) or a range like 1..5", value.at)
            return _checked(span(field, low, high), value.at)
        self.left.pop()
        values = [unquote(self._value().text)]
        while self._sign(","):
            self._count(self.left.pop())
            values.append(unquote(self._value().text))
        if not self._sign(")"):
            raise self.wrong("a closing parenthesis")
        self.left.pop()
        return _checked(membership(field, values), token.at)

    def _count(self, token: Token) -> None:
        """One condition more: SQLite's tree of them has a depth."""
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise FilterError(f"more than {MAX_TERMS} conditions", token.at)

    def _value(self) -> Token:
        if not self.left or self.left[-1].kind != "word":
            raise self.wrong("a value")
        return self.left.pop()

    def _word(self, text: str) -> bool:
        return bool(self.left) and self.left[-1].kind == "word" and self.left[-1].text.lower() == text

    def _sign(self, text: str) -> bool:
        return bool(self.left) and self.left[-1].kind == "sign" and self.left[-1].text == text


def _field(token: Token) -> Field:
    found = field_of(token.text, unquote)
    if isinstance(found, str):
        raise FilterError(found, token.at)
    return found


def _compared(token: Token, operator: str, value: str, at: int) -> Sql:
    return _checked(compare(_field(token), operator, value), at)


def _checked(result: Sql | str, at: int) -> Sql:
    if isinstance(result, str):
        raise FilterError(result, at)
    return result


def _join(word: str, parts: list[Sql]) -> Sql:
    if len(parts) == 1:
        return parts[0]
    return f"({word.join(sql for sql, _ in parts)})", [value for _, values in parts for value in values]


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
