"""The axes of a comparison: a setting that differs each, seeds behind the others, the outcome last. Pure."""

from __future__ import annotations

from cloudtui import format as fmt
from cloudtui.areas.compare.compared import Compared
from cloudtui.comparing import Difference
from cloudtui.widgets.parallel import Axis, number_axis, word_axis
from cloudtui_engine.sanitize import clean_line

_LONGEST = 24


def axes_of(compared: Compared) -> list[Axis]:
    """All that differs between the runs, and the metric that is looked at."""
    different = sorted(compared.found.different, key=lambda one: one.is_seed)
    axes = [setting_axis(one) for one in different]
    outcome = compared.outcome
    if outcome is not None:
        axes.append(number_axis(clean_line(outcome.key, 40), outcome.figures))
    return axes


def setting_axis(one: Difference) -> Axis:
    """Numbers where all that is known of it are numbers, else its values at even distances."""
    title = clean_line(one.key, 40)
    known = [value for value in one.values if value is not None]
    if all(
        isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300
        for value in known
    ):
        return number_axis(title, [None if value is None else float(value) for value in one.values])
    words = [clean_line(fmt.setting(value), _LONGEST) for value in one.values]
    order = list(dict.fromkeys(clean_line(fmt.setting(value), _LONGEST) for value in one.distinct()))
    return word_axis(title, words, order)
