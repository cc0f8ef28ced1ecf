"""Light and dark from one accent; how a state looks: a glyph, a word and a colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.color import Color
from rich.style import Style
from textual.theme import Theme

if TYPE_CHECKING:
    from textual.app import App
    from textual.widget import Widget

_DARK = {
    "good": "#7bc47f",
    "warn": "#e5b567",
    "bad": "#f0716b",
    "busy": "#6fa8dc",
    "muted": "#8b93a1",
    "quiet": "#8b93a1",
    "faint": "#5c6370",
    "rule": "#353b45",
    "cursor": "#243447",
    "cursor-idle": "#22272e",
    "s0": "#56b6f7",
    "s1": "#f5a742",
    "s2": "#7bc47f",
    "s3": "#d77fd7",
    "s4": "#f0716b",
    "s5": "#c9c04b",
    "d0": "#23445c",
    "d1": "#5a4323",
    "d2": "#304a32",
    "d3": "#523452",
    "d4": "#5a302e",
    "d5": "#4c4922",
}
_LIGHT = {
    "good": "#1d7a34",
    "warn": "#8a5a00",
    "bad": "#b3261e",
    "busy": "#1a5fa8",
    "muted": "#5b6470",
    "quiet": "#5b6470",
    "faint": "#8b93a1",
    "rule": "#cfd5dc",
    "cursor": "#d5e6f7",
    "cursor-idle": "#e8ebef",
    "s0": "#0b6fb8",
    "s1": "#b35c00",
    "s2": "#1d7a34",
    "s3": "#8e3a9d",
    "s4": "#b3261e",
    "s5": "#6f6800",
    "d0": "#b5d6ee",
    "d1": "#f0d5b4",
    "d2": "#b9dcc1",
    "d3": "#e0c3e6",
    "d4": "#f0c2bf",
    "d5": "#dedbb0",
}
# Okabe and Ito's colours: told apart with any of the common colour blindnesses.
_COLOUR_BLIND = _DARK | {
    "good": "#56b4e9",
    "warn": "#f0e442",
    "bad": "#e8743b",
    "busy": "#cc9fd0",
    "s0": "#56b4e9",
    "s1": "#e69f00",
    "s2": "#2fc79a",
    "s3": "#cc79a7",
    "s4": "#d55e00",
    "s5": "#f0e442",
    "d0": "#24475a",
    "d1": "#57400f",
    "d2": "#164a3b",
    "d3": "#50344a",
    "d4": "#54290a",
    "d5": "#58541f",
}
# The terminal's own sixteen, as its user set them; the last lines are what Textual asks of such a theme.
_SIXTEEN = {
    "good": "ansi_green",
    "warn": "ansi_yellow",
    "bad": "ansi_red",
    "busy": "ansi_cyan",
    "muted": "ansi_white",
    "quiet": "ansi_white",
    "faint": "ansi_bright_black",
    "rule": "ansi_bright_black",
    "cursor": "ansi_blue",
    "cursor-idle": "ansi_bright_black",
    "s0": "ansi_bright_cyan",
    "s1": "ansi_bright_yellow",
    "s2": "ansi_bright_green",
    "s3": "ansi_bright_magenta",
    "s4": "ansi_bright_red",
    "s5": "ansi_bright_blue",
    "d0": "ansi_cyan",
    "d1": "ansi_yellow",
    "d2": "ansi_green",
    "d3": "ansi_magenta",
    "d4": "ansi_red",
    "d5": "ansi_blue",
    "ansi-background": "ansi_black",
    "ansi-foreground": "ansi_white",
    "block-cursor-foreground": "ansi_black",
    "block-cursor-background": "ansi_white",
    "input-cursor-background": "ansi_white",
    "input-cursor-foreground": "ansi_black",
    "input-selection-background": "ansi_cyan",
    "input-selection-foreground": "ansi_black",
}
_ACCENT = {
    "dark": "#4fa8e8",
    "light": "#0b6fb8",
    "colour-blind": "#e69f00",
    "16-colours": "ansi_bright_cyan",
}


def _theme(name: str, colours: dict[str, str], *, dark: bool) -> Theme:
    accent = _ACCENT[name]
    ground, panel, text = ("#16191e", "#1c2027", "#d8dce3") if dark else ("#fbfcfd", "#f1f3f6", "#1d2430")
    if name == "16-colours":
        ground, panel, text = "ansi_black", "ansi_black", "ansi_bright_white"
    return Theme(
        name=f"cloudtui-{name}",
        dark=dark,
        ansi=name == "16-colours",
        primary=accent,
        accent=accent,
        secondary=colours["muted"],
        success=colours["good"],
        warning=colours["warn"],
        error=colours["bad"],
        background=ground,
        surface=ground,
        panel=panel,
        foreground=text,
        variables=colours | {"border": accent, "border-blurred": colours["rule"]},
    )


THEMES = (
    _theme("dark", _DARK, dark=True),
    _theme("light", _LIGHT, dark=False),
    _theme("colour-blind", _COLOUR_BLIND, dark=True),
    _theme("16-colours", _SIXTEEN, dark=True),
)
DEFAULT = THEMES[0].name


def dress(app: App[Any], look: str) -> None:
    """Let an app begin in this theme. Set as a change of theme, all style sheets would be parsed twice."""
    for one in THEMES:
        app.register_theme(one)
    app.set_reactive(type(app).theme, look)
    app._refresh_truecolor_filter(app.ansi_theme)  # made before there was a theme
    dark = app.current_theme.dark
    app.update_classes({f"-theme-{look}": True, "-dark-mode": dark, "-light-mode": not dark}, update=False)
    app.stylesheet.set_variables(app.get_css_variables())


class Paint:
    """The styles that a widget draws with, by name; made anew when theme or widget change.

    Names are those of the theme's variables; `bold`, `title` and `plain` are the widget's text.
    """

    def __init__(self, widget: Widget) -> None:
        self._widget = widget
        self._theme = ""
        self._styles: dict[str, Style] = {}

    def __getitem__(self, name: str) -> Style:
        theme = self._widget.app.theme
        if theme != self._theme:
            self.forget()
            self._theme = theme
        style = self._styles.get(name)
        if style is None:
            base = self._styles.get("")
            if base is None:  # Textual works it out anew each time, from all of the widget's ancestors
                base = self._styles[""] = self._widget.rich_style
            style = self._styles[name] = self._make(name, base)
        return style

    def forget(self) -> None:
        """The widget's own style changed."""
        self._styles.clear()

    def ground(self, name: str) -> Style:
        """A background alone, to be laid under a line."""
        return Style(bgcolor=_colour(self._widget.app.theme_variables[name]))

    def _make(self, name: str, base: Style) -> Style:
        if name in {"", "plain"}:
            return base
        if name in {"bold", "title"}:
            return base + Style(bold=True)
        if name == "axis":
            name = "muted"
        elif name == "pointer":
            name = "accent"
        strong = name.startswith("*")
        colour = self._widget.app.theme_variables[name.removeprefix("*")]
        return base + Style(color=_colour(colour), bold=True if strong else None)


def _colour(name: str) -> Color:
    """A theme's colour; the terminal's own begin with `ansi_`."""
    return Color.parse(name.removeprefix("ansi_"))
