"""Charts as SVG: lines over two logarithmic axes, and bars over one; colours for light and for dark pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from math import ceil, floor, log10
from typing import Any

from tests.benchmarks.timing import shown

WIDTH, HEIGHT, BAR = 720, 400, 24
LEFT, RIGHT, TOP, BOTTOM = 70, 170, 44, 50
NAMES = 230  #: width of the names beside bars
COLOURS = ("#0a7d62", "#c2571a", "#5b5fc7", "#a3308f", "#7a7a00")
STYLE = """<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-size: 15px; font-weight: 600 }
.paper { fill: #ffffff } .grid { stroke: #d0d7de } .line { fill: none; stroke-width: 2.5 }
.own { font-weight: 600 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .paper { fill: #0d1117 } .grid { stroke: #30363d }
.line, .mark { filter: brightness(1.6) } }
</style>"""


@dataclass(frozen=True)
class Chart:
    """What is drawn: lines through points, or bars of seconds; ``along`` and ``up`` say of what."""

    name: str
    title: str
    along: str = ""
    up: str = "seconds"
    lines: dict[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    bars: dict[str, float] = field(default_factory=dict)

    @property
    def record(self) -> dict[str, Any]:
        return asdict(self)


def drawn(chart: Chart) -> str:
    """Return the SVG of a chart."""
    height = TOP + BAR * len(chart.bars) + 12 if chart.bars else HEIGHT
    parts = list(of_bars(chart) if chart.bars else of_lines(chart))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    paper = f'<rect class="paper" width="{WIDTH}" height="{height}" rx="6"/>'
    title = f'<text class="title" x="16" y="26">{escape(chart.title)}</text>'
    return "\n".join([head, f"<title>{escape(chart.title)}</title>", STYLE, paper, title, *parts, "</svg>\n"])


def of_bars(chart: Chart) -> Iterator[str]:
    """Yield a bar for each value, as long as its logarithm, with its name and its value."""
    place = logarithmic(chart.bars.values(), NAMES, WIDTH - 90)
    for number, (name, seconds) in enumerate(chart.bars.items()):
        y, own = TOP + BAR * number, name.startswith("dash_brain")
        yield text(name, NAMES - 8, y + 14, anchor="end", own=own)
        size = f'width="{place(seconds) - NAMES:.1f}" height="{BAR - 8}" rx="2"'
        yield f'<rect class="mark" x="{NAMES}" y="{y + 1}" {size} fill="{COLOURS[0 if own else 2]}"/>'
        yield text(shown(seconds), place(seconds) + 6, y + 14, own=own)


def of_lines(chart: Chart) -> Iterator[str]:
    """Yield the axes, a line for each name, and the names at the ends of the lines."""
    points = [point for line in chart.lines.values() for point in line]
    across = logarithmic([x for x, _ in points], LEFT, WIDTH - RIGHT)
    up = logarithmic([y for _, y in points], HEIGHT - BOTTOM, TOP)
    for value in decades([x for x, _ in points]):
        yield grid(across(value), TOP, across(value), HEIGHT - BOTTOM)
        yield text(counted(value, chart.along), across(value), HEIGHT - BOTTOM + 18, anchor="middle")
    for value in decades([y for _, y in points]):
        yield grid(LEFT, up(value), WIDTH - RIGHT, up(value))
        label = shown(value) if chart.up == "seconds" else counted(value, chart.up)
        yield text(label, LEFT - 8, up(value) + 4, anchor="end")
    yield text(chart.along, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, anchor="middle")
    heights = apart([up(line[-1][1]) for line in chart.lines.values()])
    for (name, line), height, colour in zip(chart.lines.items(), heights, COLOURS, strict=False):
        path = " ".join(f"{across(x):.1f},{up(y):.1f}" for x, y in line)
        yield f'<polyline class="line" stroke="{colour}" points="{path}"/>'
        x, y = across(line[-1][0]), up(line[-1][1])
        yield text(name, x + 10, height + 4)
        yield f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'


def logarithmic(values: Any, start: float, end: float) -> Callable[[float], float]:
    """Return where a value stands between two places, whole decades around all of them being there."""
    low, high = floor(log10(min(values)) + 1e-9), ceil(log10(max(values)) - 1e-9)
    return lambda value: start + (end - start) * (log10(value) - low) / max(high - low, 1)


def decades(values: Sequence[float]) -> list[float]:
    low, high = floor(log10(min(values)) + 1e-9), ceil(log10(max(values)) - 1e-9)
    return [10.0**power for power in range(low, high + 1)]


def apart(heights: list[float], least: float = 18) -> list[float]:
    """Move names that would lie on each other down."""
    moved: dict[int, float] = {}
    for number, height in sorted(enumerate(heights), key=lambda one: one[1]):
        moved[number] = max(height, max(moved.values(), default=-least) + least)
    return [moved[number] for number in range(len(heights))]


def counted(value: float, what: str) -> str:
    """Return a power of ten in few characters; sizes in bytes by their units."""
    steps = (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)) if what == "bytes" else (("M", 1e6),)
    for unit, step in steps:
        if value >= step:
            return f"{value / step:,.0f} {unit}"
    return f"{value:,.0f}"


def text(words: str, x: float, y: float, anchor: str = "start", own: bool = False) -> str:
    kind = ' class="own"' if own else ""
    return f'<text{kind} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def grid(*ends: float) -> str:
    x1, y1, x2, y2 = (f"{end:.1f}" for end in ends)
    return f'<line class="grid" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'
