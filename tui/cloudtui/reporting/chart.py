"""Curves as inline SVG: a line of means over a band of what they go between."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cloudtui.reporting.markup import Html, Paper, joined, ours, tag
from cloudtui.reporting.records import Stretch

WIDTH, HEIGHT = 640, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 28, 12, 30
COLOURS = 6
_DASHES = ("", "7 3", "2 3", "9 3 2 3")
"""With more curves than colours, or for who sees no colours: the stroke tells them apart as well."""
_LOG_RATIO = 100.0
"""Falls or rises of more than this are read on a logarithmic axis."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A line and its name."""

    name: Html
    stretches: Sequence[Stretch]


@dataclass(frozen=True, slots=True)
class _Axes:
    steps: tuple[float, float]
    values: tuple[float, float]
    log: bool

    def x(self, step: float) -> float:
        low, high = self.steps
        return _LEFT + (step - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        low, high = self.values
        if self.log:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return HEIGHT - _BOTTOM - (value - low) / (high - low) * (HEIGHT - _TOP - _BOTTOM)


def chart(paper: Paper, title: str, curves: Sequence[Curve]) -> Html:
    """A figure with its legend; one without finite values says so."""
    caption = tag("figcaption", paper.key(title))
    axes = _axes(title, curves)
    if axes is None:
        return tag("figure", caption, tag("p", ours("No finite values."), class_="muted"))
    scale = tag("span", ours(", logarithmic"), class_="muted") if axes.log else Html("")
    drawing = tag(
        "svg",
        tag("title", paper.key(title)),
        _grid(axes),
        joined(_band(axes, curve, place) for place, curve in enumerate(curves)),
        joined(_line(axes, curve, place) for place, curve in enumerate(curves)),
        viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img",
    )  # fmt: skip
    head = tag("figcaption", paper.key(title), scale)
    return tag("figure", head, drawing, _legend(curves))


def _legend(curves: Sequence[Curve]) -> Html:
    entries = (
        tag(
            "li",
            tag("svg", tag("line", x1=0, y1=5, x2=26, y2=5, **_stroke(place)), viewBox="0 0 26 10"),
            curve.name,
        )
        for place, curve in enumerate(curves)
    )
    return tag("ul", joined(entries), class_="legend")


def _stroke(place: int) -> dict[str, str | float]:
    dash = _DASHES[(place + place // COLOURS) % len(_DASHES)] if place else ""
    return {"class_": f"c{place % COLOURS}", "stroke_dasharray": dash}


def _axes(title: str, curves: Sequence[Curve]) -> _Axes | None:
    shown = [one for curve in curves for one in curve.stretches if one.mean is not None]
    if not shown:
        return None
    low = min(_low(one) for one in shown)
    high = max(_high(one) for one in shown)
    first, last = min(one.step for one in shown), max(one.step for one in shown)
    log = _apart(low, high) and (high / low >= _LOG_RATIO or title.rpartition("/")[2] == "lr")
    if not log:
        room = (high - low) * 0.04 or abs(high) * 0.05 or 1.0
        low, high = low - room, high + room
    if not math.isfinite(high - low):  # as far apart as floats go: no axis holds both ends
        return None
    if not last > first:
        last = max(first + 1, math.nextafter(first, math.inf))  # from 2 ** 53 on one more is the same
    return _Axes((first, last), (low, high), log)


def _apart(low: float, high: float) -> bool:
    """On a logarithmic axis too: neighbouring floats differ, but their logarithms may not."""
    return low > 0 and math.log10(high) > math.log10(low)


def _low(one: Stretch) -> float:
    return one.low if one.low is not None else one.mean or 0.0


def _high(one: Stretch) -> float:
    return one.high if one.high is not None else one.mean or 0.0


def _grid(axes: _Axes) -> Html:
    parts: list[Html] = []
    for value in _log_ticks(*axes.values) if axes.log else ticks(*axes.values):
        y = round(axes.y(value), 1)
        parts += [
            tag("line", x1=_LEFT, y1=y, x2=WIDTH - _RIGHT, y2=y, class_="grid"),
            tag("text", ours(f"{value:,.6g}"), x=_LEFT - 6, y=y + 4, text_anchor="end"),
        ]
    for step in ticks(*axes.steps, most=6):
        x = round(axes.x(step), 1)
        parts.append(tag("text", ours(f"{step:,.10g}"), x=x, y=HEIGHT - 10, text_anchor="middle"))
    return joined(parts)


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers between two ends, both of which are finite and apart."""
    rough = (high - low) / most
    if rough < 1e-300:  # where floats run out of digits
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    width = next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor >= rough)
    first = math.ceil(low / width)
    count = math.floor(high / width) - first + 1
    found = ((first + place) * width for place in range(min(count, 2 * most)))
    return [one for one in (round(v, 12) if width > 1e-9 else v for v in found) if low <= one <= high]


def _log_ticks(low: float, high: float) -> list[float]:
    powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
    every = max(1, len(powers) // 6)
    found = [10.0**power for power in powers[::every]]
    return found if len(found) > 1 else [low, *found, high]


def _line(axes: _Axes, curve: Curve, place: int) -> Html:
    path, pen = [], "M"
    for one in curve.stretches:
        if one.mean is None:  # what is not finite is a gap
            pen = "M"
            continue
        path.append(f"{pen}{axes.x(one.step):.1f} {axes.y(one.mean):.1f}")
        pen = "L"
    if len(path) == 1:
        x, _, y = path[0][1:].partition(" ")
        return tag("circle", cx=x, cy=y, r=3, class_=f"c{place % COLOURS} dot")
    return tag("path", d="".join(path), **_stroke(place))


def _band(axes: _Axes, curve: Curve, place: int) -> Html:
    return joined(
        tag("path", d=_around(axes, part), class_=f"b{place % COLOURS}") for part in _pieces(curve.stretches)
    )


def _around(axes: _Axes, part: Sequence[Stretch]) -> str:
    there = [f"{axes.x(one.step):.1f} {axes.y(_high(one)):.1f}" for one in part]
    back = [f"{axes.x(one.step):.1f} {axes.y(_low(one)):.1f}" for one in reversed(part)]
    return "M" + "L".join(there + back) + "Z"


def _pieces(stretches: Iterable[Stretch]) -> list[list[Stretch]]:
    """Neighbours between which there is something to see; gaps part them."""
    pieces: list[list[Stretch]] = [[]]
    for one in stretches:
        if one.mean is None:
            pieces.append([])
        else:
            pieces[-1].append(one)
    return [part for part in pieces if len(part) > 1 and any(_high(one) > _low(one) for one in part)]
