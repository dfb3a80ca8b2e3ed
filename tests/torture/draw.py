"""Draw what an endurance run measured, as an SVG that needs nothing but a browser.

    python -m tests.torture.draw build/endurance.csv docs/images/endurance.svg

Three panels over time: open descriptors, mappings and bytes in the store; of all workers together, each panel
from zero, so that what is flat looks flat and what grows does not hide.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from pathlib import Path

WIDTH, PANEL, LEFT, RIGHT, TOP, GAP = 860, 110, 130, 110, 64, 34
PANELS = {
    "descriptors": ("open files", "#2f6f5e", 1),
    "mappings": ("memory mappings", "#7a5a17", 1),
    "resident_bytes": ("memory of the workers", "#8a3f5d", 1 << 20),
    "store_bytes": ("bytes in the store", "#33588a", 1 << 20),
}

Points = list[tuple[float, float]]


def read(table: Path) -> tuple[dict[str, Points], int]:
    """Return name -> (seconds, number) for each panel, workers added up; and how many requests there were."""
    sums: dict[str, dict[float, float]] = {name: defaultdict(float) for name in PANELS}
    requests = 0
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            for name, points in sums.items():
                at, number = float(row["seconds"]), float(row[name])
                # Every row says what the one store holds.
                points[at] = number if name == "store_bytes" else points[at] + number
            requests = max(requests, int(row["requests"]))
    return {name: sorted(points.items()) for name, points in sums.items()}, requests


def panel(name: str, points: Points, top: float) -> str:
    """Return one panel: a frame, a line, its title, and its first and last number."""
    title, colour, unit = PANELS[name]
    end, most = max(at for at, _ in points) or 1, max(number for _, number in points) * 1.25 or 1
    wide = WIDTH - LEFT - RIGHT
    line = " ".join(
        f"{LEFT + wide * at / end:.1f},{top + PANEL * (1 - number / most):.1f}" for at, number in points
    )
    first, last = (f"{points[at][1] / unit:,.0f}{' MB' if unit > 1 else ''}" for at in (0, -1))
    height = top + PANEL * (1 - points[-1][1] / most)
    return f"""
  <g>
    <rect x="{LEFT}" y="{top}" width="{wide}" height="{PANEL}" fill="#fff" stroke="#d9d5ca"/>
    <polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>
    <text x="{LEFT}" y="{top - 8}" fill="#22303c" font-weight="600">{title}</text>
    <text x="{LEFT - 10}" y="{height + 5:.1f}" text-anchor="end" fill="#5b6472">{first}</text>
    <text x="{WIDTH - RIGHT + 10}" y="{height + 5:.1f}" fill="{colour}">{last}</text>
    <text x="{LEFT - 10}" y="{top + PANEL}" text-anchor="end" fill="#a39d8f" font-size="11">0</text>
  </g>"""


def draw(series: dict[str, Points], requests: int) -> str:
    """Return the whole drawing."""
    height = TOP + len(series) * (PANEL + GAP) + 10
    seconds = max(at for at, _ in series["descriptors"])
    panels = "".join(
        panel(name, points, TOP + number * (PANEL + GAP))
        for number, (name, points) in enumerate(series.items())
    )
    span = f"{seconds / 60:,.0f} minutes" if seconds >= 120 else f"{seconds:.0f} seconds"
    title = f"{requests:,} requests of a mixed load in {span}, all workers together"
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" \
font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13">
  <rect width="{WIDTH}" height="{height}" rx="14" fill="#fbfaf7"/>
  <text x="{LEFT}" y="30" fill="#5b6472">{title}</text>\
{panels}
</svg>
"""


def main() -> None:
    """Draw the table that is named first into the file that is named second."""
    table, drawing = map(Path, sys.argv[1:])
    drawing.write_text(draw(*read(table)))


if __name__ == "__main__":
    main()
