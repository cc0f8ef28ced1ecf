"""What may stand next in a filter: names of fields, operators, and values that the catalog knows. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cloudtui_engine.catalog.query import compile_filter
from cloudtui_engine.catalog.query_terms import AGGREGATES, FIELDS, Field, field_of
from cloudtui_engine.catalog.query_tokens import Token, quoted, split_colon, tokens_of, unquote
from cloudtui_engine.catalog.run_order import SORTS
from cloudtui_engine.errors import FilterError, UsageError
from cloudtui_engine.records.run import RunState

MOST = 60
"""So many candidates are enough to scroll through; typing narrows them."""
_REST = re.compile(r"\A[^\s()<>=!~,]*")
_NOTES = {
    "status": "state", "name": "name of the run", "tag": "one of its tags", "on": "machine",
    "gpu": "GPU of its machine",
    "dataset": "what it learned from", "model": "architecture", "kind": "train, script", "task": "task",
    "note": "its note", "reason": "why it ended", "id": "id", "duration": "like 90m",
    "cost": "USD", "attempt": "number", "exit_code": "number",
    "created": "date", "started": "date", "ended": "date",
}  # fmt: skip
_WORDS = frozenset({"and", "or", "not"})
_TEXT_SIGNS = {"=": "is", "~": "contains", "!=": "is not", "!~": "does not contain", "in": "one of (a, b)"}
_NUMBER_SIGNS = {
    "<": "less than", "<=": "at most", ">": "more than", ">=": "at least", "=": "is", "!=": "is not",
    "in": "from a..b, or one of (a, b)",
}  # fmt: skip
_SIGNS = {"text": _TEXT_SIGNS, "many": _TEXT_SIGNS, "param": {**_NUMBER_SIGNS, "~": "contains"}}
_FOLLOWING = {
    ("sign", "in"): "in", ("in", "("): "list", ("list", ""): "listed", ("listed", ","): "list",
}  # fmt: skip


class Candidate(NamedTuple):
    """Something that may stand here."""

    text: str
    note: str = ""
    """What it is."""


_ORDER = Candidate("sort:", "order of what is found")
_GREAT_FIRST = Candidate("-", "great first")
_BRACKETS = {
    "in": [Candidate("(", "a list like (a, b)")],
    "listed": [Candidate(",", "another"), Candidate(")", "the end of the list")],
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What one catalog has to offer."""

    params: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Values that were seen, by key."""
    metrics: Sequence[str] = ()
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Values by field: tags, datasets, machines, architectures."""


class _Here(NamedTuple):
    """What the tokens before a word make of it."""

    state: str
    """condition, after (a condition), sign, value, in, list or listed."""
    word: str = ""
    """The field that is spoken of."""
    open: int = 0
    """Parentheses that wait for their end."""


def complete(text: str, cursor: int, vocabulary: Vocabulary) -> tuple[int, list[Candidate]]:
    """What may stand where the cursor is: each candidate replaces the text from `start` up to the cursor.

    A filter with one of them in place can be read at least as far as without it. There are none where
    something before the cursor is wrong, and none for what is already whole.
    """
    head = text[:cursor]
    try:
        before, word = _split(head)
    except FilterError:
        return cursor, []
    if _wrong(head[: cursor - len(word)]):
        return cursor, []
    here = _Here("condition")
    for token in before:
        here = _next(here, token)
    if here.state in {"condition", "after"}:
        name, value = split_colon(word)
        if name is not None:
            start = cursor - len(value)
            return start, [] if _wrong(head[:start]) else _values(name, value, vocabulary)
    start = cursor - len(word)
    found = _possible(here, word, vocabulary)
    if _wrong(head[:start] + _ORDER.text):
        found = [one for one in found if one is not _ORDER]
    if here.state == "value" and found and _wrong(head[:start] + found[0].text):
        return start, []  # the operator wants no such value: `status<`
    return start, found


def _possible(here: _Here, word: str, vocabulary: Vocabulary) -> list[Candidate]:
    if here.state in {"value", "list"}:
        return _values(here.word, word, vocabulary)
    if here.state in {"in", "listed"}:
        return [] if word else _BRACKETS[here.state]
    found = _signs(here.word) if here.state == "sign" else []
    return _fitting(found or _conditions(here, word, vocabulary), word)


def accept(text: str, cursor: int, start: int, chosen: str) -> tuple[str, int]:
    """The text with a candidate in place, and the new cursor: the rest of a word that it was in is gone."""
    rest = text[cursor:]
    if cursor > start and not text[cursor - 1].isspace():
        rest = _REST.sub("", rest, count=1)
    if chosen.endswith(" ") and rest.startswith(" "):
        rest = rest[1:]
    return text[:start] + chosen + rest, start + len(chosen)


def _split(head: str) -> tuple[list[Token], str]:
    """The tokens before the word that ends at the end of `head`, and that word."""
    try:
        tokens, end = tokens_of(head), len(head)
    except FilterError as error:
        if head[error.at] not in "\"'":
            raise
        # A quote that is still open: what stands before it, and without a space is of one word with it.
        tokens, end = tokens_of(head[: error.at]), error.at
        if tokens and tokens[-1].kind == "word" and tokens[-1].at + len(tokens[-1].text) == end:
            return tokens[:-1], head[tokens[-1].at :]
        return tokens, head[end:]
    if tokens and tokens[-1].kind == "word" and tokens[-1].at + len(tokens[-1].text) == end:
        return tokens[:-1], tokens[-1].text
    return tokens, ""


def _wrong(head: str) -> bool:
    """More words cannot make it right."""
    try:
        compile_filter(head)
    except FilterError as error:
        return error.at < len(head.rstrip())
    except UsageError:
        return True
    return False


def _next(here: _Here, token: Token) -> _Here:
    """What it is after one more token."""
    state, word, depth = here
    sign = token.text.lower() if token.kind == "sign" or token.text.lower() == "in" else ""
    if state in {"in", "list", "listed"} or (state == "sign" and sign not in {"", "(", ")", ","}):
        following = _FOLLOWING.get((state, sign), "value" if state == "sign" else "after")
        return _Here(following, word, depth)
    if state == "value" and token.kind == "word":
        return _Here("after", "", depth)
    return _condition(token, depth)


def _condition(token: Token, depth: int) -> _Here:
    if token.kind == "sign":
        # An operator behind what is no field: nothing is known of its values.
        state = {"(": "condition", ")": "after"}.get(token.text, "value")
        return _Here(state, "", depth + {"(": 1, ")": -1}.get(token.text, 0))
    if token.text.lower() in _WORDS:
        return _Here("condition", "", depth)
    name, value = split_colon(token.text)
    if name is None:
        return _Here("sign", token.text, depth)
    return _Here("after", "", depth) if value else _Here("value", name, depth)


def _fitting(found: Iterable[Candidate], word: str) -> list[Candidate]:
    """Those that begin with the word, then those of which a part does; what is there already is none."""
    typed = word.lower().replace('"', "")
    first, later = [], []
    for one in found:
        text = one.text.lower().replace('"', "")
        if text == typed or (text.rstrip() == typed and typed in _WORDS):
            continue
        if text.startswith(typed):
            first.append(one)
        elif len(typed) > 1 and any(f"{mark}{typed}" in text for mark in "./_-"):
            later.append(one)
    return [*first, *later][:MOST]


def _conditions(here: _Here, word: str, vocabulary: Vocabulary) -> Iterator[Candidate]:
    if here.state != "condition":
        yield from (Candidate("and ", "both"), Candidate("or ", "one of them"))
        if here.open > 0:
            yield Candidate(")", "the end of the parenthesis")
    for name, note in _NOTES.items():
        yield Candidate(f"{name}:" if FIELDS[name] in {"text", "many"} else f"{name} ", note)
    yield from (Candidate(f"param.{quoted(key)} ", "setting") for key in vocabulary.params)
    for key in vocabulary.metrics:
        name = f"metric.{_metric(key)}"
        yield Candidate(f"{name} ", "last value")
        if word.lower().startswith(name.lower()):
            yield from (Candidate(f"{name}.{one} ", "of its series") for one in AGGREGATES)
    yield _ORDER
    if here.state == "condition":
        yield from (Candidate("not ", "the rest"), Candidate("(", "a parenthesis"))


def _metric(key: str) -> str:
    """A key that ends like an aggregate stands in quotes: it is none."""
    safe = quoted(key)
    return safe if safe != key or key.rpartition(".")[2] not in AGGREGATES else f'"{key}"'


def _signs(word: str) -> list[Candidate]:
    """The operators of a field; none where the word is none, but something that is looked for."""
    found = field_of(word, unquote)
    if not isinstance(found, Field):
        return []
    signs = _SIGNS.get(found.kind, _NUMBER_SIGNS)
    return [Candidate(f"{sign} ", note) for sign, note in signs.items()]


def _orders(word: str, vocabulary: Vocabulary) -> list[Candidate]:
    sign = "-" if word.startswith("-") else ""
    metrics = [
        key if "/" in key and quoted(key) == key else f"metric.{_metric(key)}" for key in vocabulary.metrics
    ]
    names = [*SORTS, *metrics, *(f"param.{quoted(key)}" for key in vocabulary.params)]
    found = _fitting((Candidate(f"{one} ") for one in names), word.removeprefix("-"))
    return [*([] if word else [_GREAT_FIRST]), *(one._replace(text=sign + one.text) for one in found)][:MOST]


def _values(name: str, word: str, vocabulary: Vocabulary) -> list[Candidate]:
    if name.lower() == "sort":
        return _orders(word, vocabulary)
    found = field_of(unquote(name), unquote)
    if not isinstance(found, Field):
        return []
    if found.name == "status":
        known: Sequence[str] = ["live", "finished", *RunState]
    elif found.kind == "param":
        known = vocabulary.params.get(found.name, ())
    else:
        known = vocabulary.values.get(found.name, ())
    typed = word.lstrip("\"'").lower()
    fits = [one for one in known if one.lower() != typed and one.lower().startswith(typed)]
    fits += [one for one in known if typed and typed in one.lower() and not one.lower().startswith(typed)]
    return [Candidate(f"{quoted(one)} ") for one in fits[:MOST]]
