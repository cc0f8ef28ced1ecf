"""The language of run filters, compiled to parameterised SQL. Pure.

    param.lr < 1e-3 and (tag:baseline or name ~ "vit") and not status:failed
    metric.validation/accuracy.best >= .9 on:box-1 status:live
    param.model in (resnet18, vit) param.lr in 1e-4..1e-2
    gpu:A100 status:finished sort:-validation/accuracy

Words side by side mean `and`. A bare word is looked for in name, note and tags. `:` and `=` are equal, `~`
contains (upper and lower case alike). Text with spaces or signs stands in quotes. `gpu` goes by the words of
a name, of any machine that the run was on. `sort` is no condition but the order of what is found, see
`run_order.py`: once, and outside of parentheses.
"""

from __future__ import annotations

from typing import NamedTuple

from cloudtui_engine.catalog.query_terms import Field, bare, compare, field_of, membership, span
from cloudtui_engine.catalog.query_tokens import Token, split_colon, tokens_of, unquote
from cloudtui_engine.catalog.run_order import order_of
from cloudtui_engine.errors import FilterError, UsageError

MAX_LENGTH = 4000
MAX_TERMS = 200
MAX_DEPTH = 50
_OPERATORS = frozenset({"<", "<=", ">", ">=", "=", "==", "!=", "~", "!~"})

Sql = tuple[str, list[object]]


class Filter(NamedTuple):
    """A filter that was read."""

    sql: str
    """A condition on `r`, a row of `run`; true for every run when the text is blank."""
    values: list[object]
    """Its parameters."""
    order: str = ""
    """What `run_order` calls the order that it asks for; empty where it asks for none."""
    rest: str = ""
    """The text without the order."""


def compile_filter(text: str) -> Filter:
    """What a text asks for.

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


def _compile(text: str) -> Filter:
    lone = next((at for at, sign in enumerate(text) if "\ud800" <= sign <= "\udfff"), None)
    if lone is not None:
        raise FilterError("what stands here is no text", lone)
    tokens = tokens_of(text)
    if not tokens:
        return Filter("1", [])
    parser = _Parser(tokens, len(text))
    sql = parser.either(0)
    if parser.left:
        raise parser.wrong("an end")
    start, end = parser.order_at
    rest = f"{text[:start].rstrip()} {text[end:].lstrip()}".strip() if parser.order else text
    return Filter(*sql, parser.order, rest)


class _Parser:
    """Reads tokens from left to right; each method leaves them behind what it has read."""

    def __init__(self, tokens: list[Token], length: int) -> None:
        self.left = tokens[::-1]
        self._length = length
        self._terms = 0
        self.order = ""
        self.order_at = (0, 0)
        """From where to where the order stands, with the `and` that joins it to the rest."""

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
            if self._is_order():
                raise self.wrong("a condition")
            parts.append(self._all(depth))
        return _join(" OR ", parts)

    def _all(self, depth: int) -> Sql:
        parts: list[Sql] = []
        joined: Token | None = None
        while True:
            if self._is_order():
                self._order(depth, joined)
            else:
                parts.append(self._not(depth))
            if not self.left or self._word("or") or self._sign(")"):
                break
            joined = self.left.pop() if self._word("and") else None
        if not parts and self.left:  # an order alone, and `or`
            raise self.wrong("a condition")
        return _join(" AND ", parts)

    def _order(self, depth: int, joined: Token | None) -> None:
        """Leave the order behind; it is that of the whole."""
        token = self.left.pop()
        if depth or self.order:
            why = "`sort` stands outside of parentheses" if depth else "there is an order already"
            raise FilterError(why, token.at)
        name, text = split_colon(token.text)
        value = Token("word", text, token.at + len("sort:"))
        if name is None and (sign := self.left.pop()).text not in {"=", "=="}:
            raise FilterError("`sort` takes a colon, as in sort:-created", sign.at)
        if not text or name is None:
            value = self._value()
        wanted = unquote(value.text) if value.text[0] in "\"'" else value.text
        if wanted == "-":
            raise FilterError("it ends where what to sort by is needed", value.at + 1)
        found = order_of(wanted, unquote)
        if isinstance(found, str):
            raise FilterError(found, value.at)
        last = self.left[-1] if joined is None and self._word("and") else value
        self.order = found.name
        self.order_at = ((joined or token).at, last.at + len(last.text))

    def _is_order(self) -> bool:
        if not self.left or self.left[-1].kind != "word":
            return False
        name, _ = split_colon(self.left[-1].text)
        following = self.left[-2] if len(self.left) > 1 else None
        compared = following is not None and (following.text in _OPERATORS or following.text.lower() == "in")
        return (name or "").lower() == "sort" or (
            name is None and self.left[-1].text.lower() == "sort" and compared
        )

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
        if self._is_order():
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
    if len(parts) < 2:
        return parts[0] if parts else ("1", [])
    return f"({word.join(sql for sql, _ in parts)})", [value for _, values in parts for value in values]
