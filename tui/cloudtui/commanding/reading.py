"""What a line means: a place to go to, or an action with its arguments, by the parser of the command line."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cloudtui.actions import CLI, DESKTOP, Action, for_noun, get, nouns
from cloudtui.commanding.words import LineError, Word, area_of, split
from cloudtui_engine.errors import UsageError

OBJECTS = ("run", "model", "dataset", "instance", "settings")
"""Nouns whose objects are found by their name."""
_SHOWN_IN: Mapping[str, str] = {"home.cost": "cost", "budget.show": "cost"}
"""Areas that show what a command without objects prints."""
_LOG = frozenset({"action.list", "operation.list", "operation.show"})
_TABS: Mapping[str, str] = {"run.logs": "Log", "run.metrics": "Charts"}
_LEADING = frozenset({"list", "show", "get"})
"""Verbs that lead to an area or an object."""
_SHORT: Mapping[str, str] = {"q": "quit", "q!": "quit", "h": "help"}
_NOWHERE = Word("", 0, 0)
_HELP = frozenset({"-h", "--help", "--version"})
_GLOBAL = ("--home", "--json", "--debug", "--read-only")


@dataclass(frozen=True, slots=True)
class Go:
    """To an area, and there to one object, or to what fits a filter."""

    area: str
    noun: str = ""
    name: str = ""
    word: Word = _NOWHERE
    """Where the name or the filter stands."""
    tab: str = ""
    filter: str = ""
    sort: str = ""
    view: str = ""
    trash: bool = False


@dataclass(frozen=True, slots=True)
class Own:
    """Something that the desktop does by itself, by its id in the registry."""

    action: str


@dataclass(frozen=True, slots=True)
class Do:
    """An action and all its arguments; `targets` are the names of what it acts on."""

    action: Action
    arguments: dict[str, Any]
    targets: tuple[Word, ...] = field(default=())


Meant = Go | Own | Do


def read(line: str, areas: Mapping[str, str]) -> Meant:
    """What a line means.

    Args:
        line: what was typed, without the colon and without `cloudtui`.
        areas: the title of each area by its name.

    Raises:
        LineError: it cannot be done so; says where.
    """
    words = split(line)
    if words and words[0].text == "cloudtui":
        words = words[1:]
    if not words:
        raise LineError("Nothing is there yet.", len(line), len(line), more=True)
    first = words[0].text
    if len(words) == 1 and (place := _place(first, areas)):
        return place
    if len(words) == 2 and first in OBJECTS and not _has_verb(first, words[1].text):
        return Go(area_of(first, areas), first, words[1].text, words[1])
    return _command(line, words, areas)


def _place(word: str, areas: Mapping[str, str]) -> Go | Own | None:
    """An area by its name, its title or its noun, or what the desktop has by itself."""
    for name, title in areas.items():
        if word in {name, title.lower()}:
            return Go(name)
    if word in OBJECTS:
        return Go(area_of(word, areas))
    own = _SHORT.get(word, word)
    found = [one.id for one in for_noun("home", DESKTOP) if one.verb == own and not one.handler]
    return Own(found[0]) if found else None


def _has_verb(noun: str, word: str) -> bool:
    return word.startswith("-") or any(one.verb == word for one in for_noun(noun, CLI))


def _command(line: str, words: Sequence[Word], areas: Mapping[str, str]) -> Meant:
    from cloudtui.cli.parser import parse

    before = [word for word in words[: _dashes(words)] if word.text.partition("=")[0] in {*_HELP, *_GLOBAL}]
    if before:
        why = "? is the help of the desktop." if before[0].text in _HELP else "That is for a terminal."
        raise LineError(why, before[0].at, before[0].end)
    texts = [word.text for word in words]
    try:
        _, action, arguments = parse(texts)
    except UsageError as error:
        raise _blamed(line, words, error) from None
    if action is None or is_for_terminal(action, areas):
        command = "cloudtui " + " ".join(action.command if action else ())
        raise LineError(f"That is for a terminal: {command.strip()}", words[0].at, words[-1].end)
    return _meant(get(action.id), arguments, words, areas)


def is_for_terminal(action: Action, areas: Mapping[str, str]) -> bool:
    """The desktop does not offer it, and no area shows what it prints.

    So it would wait, take the place of what the desktop stands on, or change something without its question.
    """
    leads = action.id in _SHOWN_IN or action.id in _TABS or action.verb in _LEADING
    shown = action.id in _LOG or (leads and bool(_area_for(action, areas)))
    return DESKTOP not in action.faces and not shown


def _area_for(action: Action, areas: Mapping[str, str]) -> str:
    """The area that shows what it prints."""
    shown = _SHOWN_IN.get(action.id, "")
    return shown if shown in areas else area_of(action.noun, areas)


def _dashes(words: Sequence[Word]) -> int:
    return next((place for place, word in enumerate(words) if word.text == "--"), len(words))


def _meant(
    action: Action, arguments: dict[str, Any], words: Sequence[Word], areas: Mapping[str, str]
) -> Meant:
    if action.id in _LOG:
        return Own("home.actions")
    if action.id in _SHOWN_IN:
        return Go(_SHOWN_IN[action.id])
    area, first = area_of(action.noun, areas), action.arguments[0] if action.arguments else None
    takes = first is not None and first.kind == action.noun and first.required
    named = _named(arguments[first.name], words) if takes and first is not None else ()
    if action.verb == "list" and area:
        given = {name: str(arguments.get(name) or "") for name in ("filter", "sort", "view")}
        text = given["view"] or given["filter"]
        at = next((word for word in words if text and word.text.endswith(text)), _NOWHERE)
        return Go(area, word=at, trash=bool(arguments.get("deleted")), **given)
    if named and area and (action.verb in {"show", "get"} or action.id in _TABS):
        return Go(area, action.noun, named[0].text, named[0], _TABS.get(action.id, ""))
    arguments.pop(first.name if takes and first is not None else "", None)
    if "follow" in arguments:
        arguments["follow"] = False  # the desktop shows it anyway, and waits for nothing
    return Do(action, arguments, named)


def _named(value: Any, words: Sequence[Word]) -> tuple[Word, ...]:
    """The words that name what it acts on."""
    texts = value if isinstance(value, list) else [value]
    return tuple(next(word for word in words[1:] if word.text == text) for text in texts)


def _blamed(line: str, words: Sequence[Word], error: UsageError) -> LineError:
    """The error with its word: the first one up to which the parser wants no more but something else."""
    from cloudtui.cli.parser import parse

    why = error.message.partition(" (choose from")[0].rstrip(".") + "."
    if "are required: " in why:
        why = f"Still missing: {why.partition('are required: ')[2]}"
    if "invalid choice: " in why:
        why = f"{why.partition('invalid choice: ')[2].rstrip('.')} cannot stand here."
    if not _wants_more(error):

        def is_wrong(count: int) -> bool:
            try:
                parse([word.text for word in words[:count]])
            except UsageError as found:
                return not _wants_more(found)
            return False

        # What is wrong stays wrong whatever follows: halving finds it in a few parses.
        place = bisect_left(range(1, len(words)), x=True, key=is_wrong)
        return LineError(why, words[place].at, words[place].end)
    return LineError(why, len(line), len(line) + 1, more=_wants_more(error))


def _wants_more(error: UsageError) -> bool:
    """Nothing is wrong but that something is missing."""
    return "are required" in error.message or "expected" in error.message


def known_nouns() -> tuple[str, ...]:
    """The nouns of the command line; `home` stands for none."""
    return tuple(noun for noun in nouns(CLI) if noun != "home")
