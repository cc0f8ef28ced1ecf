"""Commands made of actions: argparse knows only what the registry says."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

from cloudtui import actions
from cloudtui.actions.action import CLI, Action, Argument
from cloudtui_engine.errors import UsageError

NOUN_HELP: Mapping[str, str] = {
    "instance": "machines: yours, rented ones, this one",
    "dataset": "versions of data",
    "run": "training runs: start, watch, compare, keep",
    "model": "what runs have learned",
    "view": "filters of runs under a name",
    "provider": "clouds that machines are rented from",
    "action": "what was done here, as the command that does it",
    "budget": "what may be spent for a launch, in a day, in a month",
    "operation": "what was asked for, and how far it is",
    "settings": "how the desktop looks, its keys, how you are told",
    "engine": "the process that talks to machines",
}
_TAKES_WORDS = frozenset({("run", "script"), ("instance", "shell")})
"""Commands that end with another one, behind `--`."""
_CONVERT: Mapping[str, Any] = {"int": int, "float": float}
_EPILOG = (
    "Without a command the desktop opens. Exit status: 0 done, 2 wrong usage, 3 no such thing, 4 refused, "
    "5 it ran and failed, 6 host or cloud unreachable, 130 interrupted."
)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong as an error of ours, so that `--json` holds for it too."""

    def error(self, message: str) -> NoReturn:
        text = message[:1].upper() + message[1:]
        raise UsageError(f"{text.rstrip('.')}.", f"See: {self.prog} --help")


class _Pair(argparse.Action):
    """`key=value`, several times, into a mapping."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        key, equals, value = str(values).partition("=")
        if not equals or not key:
            parser.error(f"{option_string} wants KEY=VALUE, not '{values}'")
        setattr(namespace, self.dest, {**(getattr(namespace, self.dest) or {}), key: value})


class _Names(argparse.Action):
    """Names apart by commas, several times."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        names = [name for name in str(values).split(",") if name]
        if not names:
            parser.error(f"{option_string} wants a name")
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, [*(before if isinstance(before, list) else []), *names])


def parse(argv: Sequence[str]) -> tuple[argparse.Namespace, Action | None, dict[str, Any]]:
    """Global options, the action (None: open the desktop), and the handler's arguments.

    Raises:
        UsageError: the command is wrong.
        SystemExit: help or version was printed.
    """
    chosen = _plain_words(argv)[:2]
    head, command = list(argv), None
    if tuple(chosen) in _TAKES_WORDS and "--" in head:
        place = head.index("--")
        head, command = head[:place], head[place + 1 :]
    known = _built(tuple(chosen)).parse_args(_signed(head))
    action: Action | None = getattr(known, "action", None)
    if action is None:
        return known, None, {}
    arguments = {
        one.name: _listed(one, getattr(known, _dest(one))) for one in action.arguments if one.kind != "words"
    }
    if any(one.kind == "words" for one in action.arguments):
        arguments["command"] = command or []
    return known, action, arguments


@lru_cache(maxsize=16)
def _built(chosen: tuple[str, ...]) -> argparse.ArgumentParser:
    """Made once for a command: while a line is typed it is read again and again."""
    return build(chosen)


def build(chosen: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser. With the first words of a command, only that command's own part is filled in."""
    from cloudtui import __version__

    parser = _Parser(
        prog="cloudtui",
        description="Rent, watch and release GPU machines, train on them, keep what was learned.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"cloudtui {__version__}")
    parser.add_argument(
        "--read-only", action="store_true", help="open the desktop so that it changes nothing"
    )
    parser.set_defaults(home=None, json=False, debug=False)
    _add_globals(parser)
    nouns = parser.add_subparsers(metavar="COMMAND", title="commands", parser_class=_Parser)
    for noun in (name for name in actions.nouns(CLI) if name != "home"):
        branch = nouns.add_parser(noun, help=NOUN_HELP[noun], description=NOUN_HELP[noun], allow_abbrev=False)
        _add_globals(branch)
        if not chosen or chosen[0] == noun:
            _add_verbs(branch, noun, chosen[1:2])
    for action in actions.for_noun("home", CLI):
        _add_action(nouns, action, fill=not chosen or chosen[0] == action.verb)
    return parser


def _add_verbs(branch: argparse.ArgumentParser, noun: str, chosen: Sequence[str]) -> None:
    verbs = branch.add_subparsers(metavar="VERB", title="verbs", required=True, parser_class=_Parser)
    for action in actions.for_noun(noun, CLI):
        _add_action(verbs, action, fill=not chosen or chosen[0] == action.verb)


def _add_action(branches: Any, action: Action, *, fill: bool) -> None:
    parser = branches.add_parser(
        action.verb,
        help=action.help,
        description=f"{action.help[0].upper()}{action.help[1:]}.",
        allow_abbrev=False,
    )
    parser.set_defaults(action=action)
    if not fill:
        return
    _add_globals(parser)
    for argument in action.arguments:
        if argument.kind == "words":
            words = "-- CMD ..." if argument.required else "[-- CMD ...]"
            parser.usage = f"{parser.format_usage().removeprefix('usage: ').rstrip()} {words}"
        else:
            _add_argument(parser, argument)


def _add_globals(parser: argparse.ArgumentParser) -> None:
    """They are accepted before and after the command: what is not given leaves what was given before."""
    group = parser.add_argument_group("everywhere")
    group.add_argument(
        "--home",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="where catalog and files live; default: CLOUDTUI_HOME, else your user data folder",
    )
    group.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="exactly one JSON document on stdout"
    )
    group.add_argument(
        "--debug", action="store_true", default=argparse.SUPPRESS, help="show where an error came from"
    )


def _add_argument(parser: argparse.ArgumentParser, argument: Argument) -> None:
    text = argument.help.replace("%", "%%")
    options: dict[str, Any] = {"help": text}
    if argument.kind == "flag":
        options |= {"action": "store_true", "default": bool(argument.default)}
    else:
        options |= {
            "type": _CONVERT.get(argument.kind, str),
            "metavar": argument.metavar or argument.name.upper(),
        }
        if argument.choices:
            options |= {"choices": argument.choices, "metavar": "|".join(argument.choices)}
        if argument.kind == "pairs":
            options["action"] = _Pair
        elif argument.many and argument.option:
            options["action"] = _Names if argument.kind == "instance" else "append"
    if argument.option is None:
        if argument.many:
            options["nargs"] = "+" if argument.required else "*"
        elif not argument.required:
            options["nargs"] = "?"
        parser.add_argument(_dest(argument), **options)
        return
    names = [name for name in (argument.short, argument.option) if name]
    options.setdefault("default", argument.default)
    needed = argument.required and argument.default is None
    parser.add_argument(*names, dest=_dest(argument), required=needed, **options)


def _dest(argument: Argument) -> str:
    """Apart from the global options and from `action`."""
    return f"arg_{argument.name}"


def _listed(argument: Argument, value: Any) -> Any:
    return list(value) if argument.many and value is not None else value


def _signed(argv: Sequence[str]) -> list[str]:
    """`--sort -created` in one word: argparse takes what begins with a hyphen for an option."""
    words: list[str] = []
    for word in argv:
        if words and words[-1] == "--sort" and word.startswith("-") and not word.startswith("--"):
            words[-1] = f"--sort={word}"
        else:
            words.append(word)
    return words


def _plain_words(argv: Sequence[str]) -> list[str]:
    """The words of the command, without the global options."""
    words = []
    skip = False
    for word in argv:
        if skip:
            skip = False
        elif word == "--home":
            skip = True
        elif word == "--":
            break
        elif not word.startswith("-"):
            words.append(word)
    return words
