"""The README's table of clouds, drawn from the providers' flags so that it cannot drift: `make clouds`."""

from __future__ import annotations

from pathlib import Path

from cloudtui_providers import registry
from cloudtui_providers.base import Capabilities, Provider, Token

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- clouds: made by `make clouds` -->\n", "<!-- /clouds -->"
SINGLE = {
    Token.NATIVE: "the cloud's token",
    Token.NAME: "its name",
    Token.LISTED: "looking before asking again",
}
COLUMNS = (
    "cloud",
    "install",
    "spot",
    "stop, disk kept",
    "ends without us by",
    "host key given along",
    "one order, one machine by",
    "tried on",
)


def table() -> str:
    """One row a provider."""
    rows = [_row(registry.provider(name)) for name in registry.names()]
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def with_table(readme: str) -> str:
    """A README with the table as it has to be."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


def _row(provider: Provider) -> list[str]:
    can = provider.capabilities
    return [
        provider.title,
        f"`cloudtui[{provider.name}]`",
        _yes(can.spot),
        _yes(can.stop),
        _end(can),
        _yes(can.user_data),
        SINGLE[can.token],
        provider.checked or "fakes only",
    ]


def _yes(can: bool) -> str:
    return "yes" if can else "no"


def _end(can: Capabilities) -> str:
    ways = {"the cloud's own limit": can.cloud_deadline, "its own power-off": can.power_off_ends}
    named = [way for way, has in ways.items() if has]
    return ", ".join(named) or "**nothing**: told before the launch"


if __name__ == "__main__":
    README.write_text(with_table(README.read_text()))
