"""Charts as SVG that the server draws: bars only, with a title, a description and, beside each, the table of its numbers.

Pure: numbers in, geometry out; chart.html writes the elements. Colours and fonts are the style sheet's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 180
LEFT, TOP, FOOT = 40, 12, 24
LINE, LABEL = 24, 190


@dataclass(frozen=True, slots=True)
class Bar:
    """x, y, width, height in units of the drawing; series: the place of what it shows among the headings."""

    x: float
    y: float
    width: float
    height: float
    series: int
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """headings: of the first column and of each series; rows: what the bars show, as the table says it."""

    name: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]
    bars: tuple[Bar, ...]
    labels: tuple[tuple[float, float, str], ...]
    scale: tuple[tuple[float, str], ...]
    height: float
    upright: bool

    @property
    def most(self) -> int:
        return max((value for _, values in self.rows for value in values), default=0)


def columns(name: str, title: str, headings: Sequence[str], rows: Sequence[tuple[str, tuple[int, ...]]]) -> Chart:
    """Upright bars in the order of time; every fourth label is written."""
    top = _round_up(max((value for _, values in rows for value in values), default=0))
    room, depth = (WIDTH - LEFT) / max(len(rows), 1), HEIGHT - TOP - FOOT
    width = room * 0.8 / max(len(headings) - 1, 1)
    bars, labels = [], []
    for place, (label, values) in enumerate(rows):
        for series, value in enumerate(values):
            height = depth * value / top
            x = LEFT + place * room + room * 0.1 + series * width
            text = f"{label}: {value} {headings[series + 1]}"
            bars.append(
                Bar(round(x, 1), round(TOP + depth - height, 1), round(width, 1), round(height, 1), series, text)
            )
        if place % 4 == 0:
            labels.append((round(LEFT + place * room, 1), HEIGHT - 6.0, label))
    scale = tuple((round(TOP + depth - depth * share, 1), f"{top * share:g}") for share in (0, 0.5, 1))
    return Chart(name, title, tuple(headings), tuple(rows), tuple(bars), tuple(labels), scale, HEIGHT, upright=True)


def lines(name: str, title: str, headings: Sequence[str], rows: Sequence[tuple[str, tuple[int, ...]]]) -> Chart:
    """Lying bars, one a row, its label before it; of several series one behind the other."""
    most = max((sum(values) for _, values in rows), default=0) or 1
    bars, labels = [], []
    for place, (label, values) in enumerate(rows):
        x = float(LABEL)
        for series, value in enumerate(values):
            width = (WIDTH - LABEL - 50) * value / most
            text = f"{label}: {value} {headings[series + 1]}"
            bars.append(Bar(round(x, 1), place * LINE + 4.0, round(width, 1), LINE - 8.0, series, text))
            x += width
        labels.append((0.0, place * LINE + 17.0, label))
        labels.append((round(x + 6, 1), place * LINE + 17.0, " + ".join(str(value) for value in values)))
    height = max(len(rows), 1) * LINE
    return Chart(name, title, tuple(headings), tuple(rows), tuple(bars), tuple(labels), (), height, upright=False)


def _round_up(value: int) -> int:
    """A full number at the top of the scale that halves without a rest: 2, 4, 10, 20, 40, 100 ..."""
    power = 1
    while True:
        for digit in (2, 4, 10):
            if digit * power >= value:
                return digit * power
        power *= 10
