"""What may stand next on the line, from the registry and from what the catalog has. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cloudtui.actions import CLI, DESKTOP, Action, Argument, for_noun
from cloudtui.commanding.reading import OBJECTS, is_for_terminal, known_nouns
from cloudtui.commanding.words import LineError, split

MOST = 40
"""So many are enough to scroll through; typing narrows them."""


class Offer(NamedTuple):
    """Something that may stand here."""

    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What one desktop has to offer."""

    areas: Mapping[str, str]
    """The title of each area by its name."""
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What commands call the objects of each noun, the newest first."""
    history: Sequence[str] = ()


def offers(line: str, cursor: int, known: Known) -> tuple[int, list[Offer]]:
    """What may stand where the cursor is: each replaces the text from `start` up to the cursor.

    None where a quote is open, and none that is there already.
    """
    head = line[:cursor]
    try:
        words = split(head)
    except LineError:
        return cursor, []
    whole = not words or words[-1].end < len(head)
    start, typed = (cursor, "") if whole else (words[-1].at, words[-1].text)
    before = [word.text for word in (words if whole else words[:-1])]
    if before[:1] == ["cloudtui"]:
        before = before[1:]
    return start, _fitting(_possible(before, typed, known), typed)


def accepted(line: str, cursor: int, start: int, chosen: str) -> tuple[str, int]:
    """The line with what was chosen in place, and the new cursor: the rest of that word is gone."""
    rest = line[cursor:]
    if not rest[:1].isspace():
        rest = rest.partition(" ")[2]
    text = f"{line[:start]}{shlex.quote(chosen)} "
    return text + rest.lstrip(), len(text)


def _possible(before: Sequence[str], typed: str, known: Known) -> Iterable[Offer]:
    if not before:
        return _first(known)
    action, given = _action(before, known)
    if action is not None:
        return _arguments(action, given, typed, known)
    if len(before) == 1 and before[0] in known_nouns():
        verbs = [one for one in for_noun(before[0], CLI) if not is_for_terminal(one, known.areas)]
        return [*(Offer(one.verb, one.help) for one in verbs), *_names(before[0], known)]
    return ()


def _first(known: Known) -> Iterator[Offer]:
    for noun in known_nouns():
        yield Offer(noun, "one of them, or what to do with one" if noun in OBJECTS else "")
    yield from (Offer(name, f"the area {title}") for name, title in known.areas.items())
    here = [one for one in for_noun("home", CLI) if not is_for_terminal(one, known.areas)]
    yield from (Offer(one.verb, one.help) for one in here)
    yield from (Offer(one.verb, one.help) for one in for_noun("home", DESKTOP) if not one.handler)


def _action(before: Sequence[str], known: Known) -> tuple[Action | None, Sequence[str]]:
    """The action that the first words name, and the words behind them."""
    for count, noun in ((1, "home"), (2, before[0])):
        for one in for_noun(noun, CLI):
            named = [one.verb] == list(before[count - 1 : count])
            if named and not is_for_terminal(one, known.areas):
                return one, before[count:]
    return None, ()


def _arguments(action: Action, given: Sequence[str], typed: str, known: Known) -> Iterator[Offer]:
    if "--" in given:
        return
    waiting, places, used = _state(action, given)
    if waiting is not None:
        yield from _values(waiting, known)
        return
    if places and not typed.startswith("-"):
        yield from _values(places[0], known)
    if not (places and places[0].required) or typed.startswith("-"):
        for one in action.arguments:
            if one.option and (one.option not in used or one.many or one.kind == "pairs"):
                yield Offer(one.option, one.help)


def _state(action: Action, given: Sequence[str]) -> tuple[Argument | None, list[Argument], set[str]]:
    """The option that wants its value, the places that are still free, and the options that were used."""
    by_flag = {flag: one for one in action.arguments for flag in (one.option, one.short) if flag}
    places = [one for one in action.arguments if not one.option and one.kind != "words"]
    used: set[str] = set()
    waiting: Argument | None = None
    for word in given:
        if waiting is not None:
            waiting = None
        elif (found := by_flag.get(word)) is not None:
            used.add(found.option or "")
            waiting = found if found.kind != "flag" else None
        elif places and not word.startswith("-") and not places[0].many:
            places = places[1:]
    return waiting, places, used


def _values(argument: Argument, known: Known) -> list[Offer]:
    if argument.choices:
        return [Offer(one) for one in argument.choices]
    return _names(argument.kind, known)


def _names(noun: str, known: Known) -> list[Offer]:
    return [Offer(name, noun) for name in known.names.get(noun, ())]


def _fitting(found: Iterable[Offer], typed: str) -> list[Offer]:
    """Those that begin with what was typed, then those that hold it."""
    small, first, later, seen = typed.lower(), [], [], set()
    for one in found:
        text = one.text.lower()
        if text == small or one.text in seen:
            continue
        seen.add(one.text)
        if text.startswith(small):
            first.append(one)
        elif len(small) > 1 and small in text:
            later.append(one)
    return [*first, *later][:MOST]
