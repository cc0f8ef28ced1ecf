"""The desktop's own keys: those that mean the same in every area. All others are the registry's."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from cloudtui.areas.places import AREAS

BINDINGS: list[BindingType] = [
    *(Binding(one.place.key, f"area('{name}')", one.place.title, show=False) for name, one in AREAS.items()),
    Binding("f10", "menu(0)", "Menu", show=False),
    Binding("q,ctrl+q", "leave", "Quit", show=False, id="home.quit"),
    Binding("ctrl+p", "palette", "Search or run", show=False, id="home.palette"),
    Binding("question_mark,f1", "help", "Help", show=False, id="home.help"),
    Binding("slash", "filter", "Filter", show=False, id="home.filter"),
    Binding("escape", "back", "Back", show=False),
    Binding("minus", "previous", "Area before", show=False, id="home.previous"),
    Binding("left_square_bracket", "tab(-1)", "Tab before", show=False),
    Binding("right_square_bracket", "tab(1)", "Next tab", show=False),
    Binding("y", "copy_command", "Copy as command", show=False, id="home.copy"),
    Binding("m,shift+f10", "way('context')", "What can be done", show=False, id="home.context"),
    Binding("L", "way('actions')", "Action log", show=False, id="home.actions"),
    Binding("exclamation_mark", "way('questions')", "What waits for you", show=False, id="home.questions"),
    Binding("z", "way('maximise')", "Maximise", show=False, id="home.maximise"),
    Binding("left_curly_bracket", "way('narrower')", "List narrower", show=False, id="home.narrower"),
    Binding("right_curly_bracket", "way('wider')", "List wider", show=False, id="home.wider"),
    Binding("vertical_line", "way('even')", "Border as it was", show=False, id="home.even"),
    Binding("ctrl+o", "way('jump')", "Jump", show=False, id="home.jump"),
    Binding("colon", "way('command')", "Command", show=False, id="home.command"),
    Binding("P", "picture", "Picture", show=False, id="home.picture"),
]
