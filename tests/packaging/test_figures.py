"""Documents say what the benchmarks measured, and nothing else."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.benchmarks.__main__ import PARTS
from tests.benchmarks.charts import Chart, drawn
from tests.benchmarks.page import DOCUMENTS, IMAGES, block, filled, images
from tests.benchmarks.peers import JOBS, Contestant, contestants, lines
from tests.benchmarks.results import known, part
from tests.benchmarks.timing import Line, Row
from tests.benchmarks.venvs import NotInstalled, python_with
from tests.packaging.documents import documents

MARKED = r"<!-- bench: ([\w ]+) -->(.*?)<!-- /bench -->"
#: How the benchmarks word a comparison.
RATIO = r"[\d.]+(?:x| times) (?:faster|the time)"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_a_document_says_what_was_measured(document: Path) -> None:
    """Otherwise: ``make bench``."""
    text = document.read_text()
    assert filled(text, known()) == text


def test_each_chart_shows_what_was_measured() -> None:
    for file, svg in images(known()).items():
        assert file.read_text() == svg, file
    assert {*IMAGES.glob("bench-*.svg")} == {*images(known())}


def test_each_part_of_the_benchmarks_is_in_a_document_and_was_measured_or_says_that_it_was_not() -> None:
    marked = [
        found[1] for document in DOCUMENTS for found in re.finditer(MARKED, document.read_text(), re.DOTALL)
    ]
    shown = " ".join(marked).split()
    assert {*PARTS, "saves", "measured"} == {*shown}
    assert {*known()} <= {*PARTS}


@pytest.mark.parametrize("document", documents(), ids=lambda document: document.name)
def test_no_ratio_stands_outside_of_the_marks(document: Path) -> None:
    """What is repeated elsewhere would stay as it was when it is measured again."""
    assert re.findall(RATIO, re.sub(MARKED, "", document.read_text(), flags=re.DOTALL)) == []


def test_what_was_measured_becomes_tables_and_charts() -> None:
    row = Row("read it", "pickle", ([0.001, 0.002, 0.009], [0.02, 0.03, 0.04]), readme=True)
    other = Line(["10", "1 ms"], ("names", "get"), [0.001], versions={"pandas": "9.9"})
    chart = Chart("growth-names", "By names", "names", lines={"get": [(10, 0.001), (100, 0.002)]})
    about = {
        "date": "2020-02-02",
        "machine": "a",
        "kernel": "b",
        "load": "0.0",
        "versions": {"Python": "3.99"},
    }
    results = {"reading": part(about, [row.line, other, chart])}
    assert results["reading"]["tables"][1]["rows"][0]["versions"] == {"pandas": "9.9"}
    text = block("reading", results)
    assert "| read it | 2 ms | pickle | 30 ms | 15x faster |" in text
    assert "| names | get |\n|---|---|\n| 10 | 1 ms |" in text
    assert "![By names](images/bench-growth-names.svg)" in text
    assert "| 15x faster |" in block("saves", results)
    assert "names" not in block("saves", results)
    assert "| reading | 2020-02-02 | a | b | 0.0 | Python 3.99 |" in block("measured", results)
    assert "make bench ONLY=small" in block("reading small", results)


@pytest.mark.parametrize(
    "chart",
    [
        Chart(
            "a",
            "Lines & more",
            "bytes",
            lines={"get": [(1e3, 1e-5), (1e9, 2e-5)], "put": [(1e3, 1e-5), (1e9, 1)]},
        ),
        Chart("b", "Bars & more", bars={"dash_brain": 0.001, "a < b": 1.5}),
    ],
    ids=["lines", "bars"],
)
def test_a_chart_is_an_image_with_all_names_within_its_borders(chart: Chart) -> None:
    root = ElementTree.fromstring(drawn(chart))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    texts = [one for one in root.iter() if one.tag.endswith("}text")]
    assert {*chart.lines, *chart.bars, chart.title} <= {one.text for one in texts}
    for one in texts:
        assert 0 < float(one.attrib["x"]) < width
        assert 0 < float(one.attrib["y"]) <= height
    assert "prefers-color-scheme: dark" in drawn(chart)


def test_names_of_lines_that_end_together_do_not_cover_each_other() -> None:
    chart = Chart("a", "Title", "names", lines={name: [(1, 1), (10, 1)] for name in ("one", "two", "three")})
    texts = [one for one in ElementTree.fromstring(drawn(chart)).iter() if one.text in chart.lines]
    heights = sorted(float(one.attrib["y"]) for one in texts)
    assert all(lower - upper >= 18 for upper, lower in itertools.pairwise(heights))


def test_a_peer_that_cannot_be_installed_is_named_with_the_reason() -> None:
    with pytest.raises(NotInstalled, match="no-such-python is not to be found here"):
        python_with("none", ["nothing"], ["no-such-python"])
    ours, missing = (
        Contestant("dash_brain", "DashBrain"),
        Contestant("Peer", "Peer", missing="not installed: why"),
    )
    ours.times = {job: [0.001] for job in JOBS}
    assert [line.cells[:2] for line in lines("on one machine", [ours, missing])] == [
        ["dash_brain", ""],
        ["Peer", "not installed: why"],
    ]


def test_those_on_one_machine_and_those_in_redis_are_tables_and_charts_of_their_own() -> None:
    tables = {table["columns"][0]: table["rows"] for table in known()["peers"]["tables"]}
    assert {*tables} == {*contestants()}
    for where, group in contestants().items():
        assert tables[where][0]["cells"][0] == group[0].name
        assert {row["cells"][0] for row in tables[where]} <= {one.name for one in group}
    for chart in known()["peers"]["charts"]:
        (own,) = (name for name in chart["bars"] if name.startswith("dash_brain"))
        assert (own == "dash_brain") == ("one machine" in chart["title"])


def test_each_peer_says_with_which_libraries_it_ran() -> None:
    rows = [row for table in known()["peers"]["tables"] for row in table["rows"] if row["seconds"]]
    assert all({"Python", "pandas", "numpy"} <= {*row["versions"]} for row in rows)
