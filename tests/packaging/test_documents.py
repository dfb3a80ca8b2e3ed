"""What the documents show runs as it stands, and their links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import zygote
from tests.packaging.documents import REPOSITORY, Block, anchors, blocks, documents, links, prose
from tests.packaging.pictures import (
    IMAGES,
    SHOWN,
    TAKE,
    TAKEN,
    fingerprint,
    pictures,
    take,
    taken,
    wait_until_shown,
)
from tests.packaging.programs import LOADED, open_page, serving, wait_until
from tests.packaging.visits import ACTIONS

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

ALL_BLOCKS = [(document, block) for document in documents() for block in blocks(document)]


def name(document: Path) -> str:
    return str(document.relative_to(REPOSITORY))


#: Each program once: several documents may show the same.
PROGRAMS = {block.text: (document, block) for document, block in ALL_BLOCKS if block.tag == "python"}
PYTHON_BLOCKS = [
    pytest.param(document, block, id=f"{name(document)}:{block.line}")
    for document, block in PROGRAMS.values()
]


#: By the text of the program that each shows.
PICTURES = {program: picture for document in documents() for program, picture in pictures(document).items()}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One store for all blocks, as a reader has who tries one after the other."""
    return {"DASH_BRAIN_STORE": f"file://{tmp_path_factory.mktemp('store')}"}


@pytest.mark.parametrize(("document", "block"), PYTHON_BLOCKS)
def test_a_python_block_runs_as_it_stands(
    document: Path, block: Block, tmp_path: Path, environment: dict[str, str], browser_for_module: Chrome
) -> None:
    file = tmp_path / "app.py"
    file.write_text(block.text)
    if "app.run(" not in block.text:
        runs_to_its_end(file, environment)
        return
    with serving(file, environment, besides=LOADED) as program:
        open_page(browser_for_module, program)
        if picture := PICTURES.get(block.text):
            for act in ACTIONS.get(picture.name, []):
                act(browser_for_module, program)
            wait_until_shown(picture, browser_for_module, program)
            if TAKE:
                take(browser_for_module, picture, block.text, program)
        errors = [one for one in browser_for_module.get_log("browser") if one["level"] == "SEVERE"]
        assert (errors, "Traceback" in program.log) == ([], False), program.log


def runs_to_its_end(file: Path, environment: dict[str, str]) -> None:
    log = file.with_suffix(".log")
    log.touch()
    program = zygote.start([file.name], output=log, folder=file.parent, env=environment, besides=LOADED)
    assert program.wait(120) == 0, log.read_text()


def test_the_app_of_the_tutorial_that_follows_a_feed_may_be_opened_before_it(
    tmp_path: Path, browser_for_module: Chrome
) -> None:
    environment = {"DASH_BRAIN_STORE": f"file://{tmp_path}/store"}
    programs = [block.text for block in blocks(REPOSITORY / "docs/tutorial.md") if '"market"' in block.text]
    feed, app = tmp_path / "feed.py", tmp_path / "app.py"
    feed.write_text(programs[0])
    app.write_text(programs[1])
    with serving(app, environment, besides=LOADED) as program:
        open_page(browser_for_module, program)
        wait_until(lambda: "no prices yet" in browser_for_module.execute_script(SHOWN), lambda: program.log)
        runs_to_its_end(feed, environment)
        wait_until(lambda: "mean 2.5" in browser_for_module.execute_script(SHOWN), lambda: program.log)
        assert "Traceback" not in program.log


def test_each_step_of_the_tutorial_and_the_first_app_have_a_picture_that_says_what_is_seen() -> None:
    apps = {
        block.text: f"{name(document)}:{block.line}"
        for document, block in ALL_BLOCKS
        if "app.run(" in block.text and document.name in ("tutorial.md", "start.md")
    }
    assert len(apps) > 7
    assert [apps[text] for text in apps.keys() - PICTURES.keys()] == []
    assert [picture.name for picture in PICTURES.values() if not picture.quoted] == []


@pytest.mark.skipif(TAKE, reason="they are being taken")
def test_each_picture_is_small_and_was_taken_of_the_program_above_it() -> None:
    """Otherwise: ``make pictures``."""
    recorded = taken()
    for program, picture in PICTURES.items():
        assert picture.file.is_file(), picture
        assert picture.file.stat().st_size < 100_000, picture
        assert recorded.get(picture.name) == fingerprint(program), f"{picture.name} is older than its program"


def test_each_image_is_shown_and_each_action_belongs_to_a_picture() -> None:
    linked = {(document.parent / link).resolve() for document in documents() for link in links(document)}
    assert [file.name for file in IMAGES.iterdir() if file != TAKEN and file.resolve() not in linked] == []
    names = {picture.name for picture in PICTURES.values()}
    assert (ACTIONS.keys() - names, taken().keys() - names) == (set(), set())


def test_the_readme_and_the_first_page_show_the_same_app() -> None:
    first = [[block.text for block in blocks(REPOSITORY / file)] for file in ("README.md", "docs/start.md")]
    assert first[0][1] == first[1][1]


def test_the_figures_of_the_readme_are_those_of_the_benchmarks() -> None:
    saves = (REPOSITORY / "README.md").read_text().partition("## What it saves\n")[2].partition("\n## ")[0]
    rows = [line for line in saves.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 4
    assert set(rows) <= set((REPOSITORY / "docs/benchmarks.md").read_text().splitlines())


def test_no_program_of_a_document_uses_a_brain_that_all_programs_share() -> None:
    nameless = [f"{name(document)}:{block.line}" for document, block in ALL_BLOCKS if "Brain()" in block.text]
    assert nameless == []


def test_no_python_block_is_kept_from_being_run() -> None:
    spared = [
        f"{name(document)}:{block.line} is tagged {block.tag!r}"
        for document, block in ALL_BLOCKS
        if block.tag != "python" and block.tag.lower().startswith("py")
    ]
    assert not spared


def test_no_program_is_only_indented() -> None:
    """Such a block looks the same to a reader, and would not be run."""
    code = re.compile(r"^(?: {4}|\t)\s*(?:from \S+ import|import) \S+", flags=re.MULTILINE)
    indented = [
        f"{name(document)}: {line}" for document in documents() for line in code.findall(prose(document))
    ]
    assert not indented


@pytest.mark.parametrize("document", documents(), ids=name)
def test_links_lead_to_files_and_headings_that_exist(document: Path) -> None:
    dead = []
    for link in links(document):
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        # A folder is a page on GitHub, and nothing on the site.
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert not dead


@pytest.mark.parametrize("document", documents(), ids=name)
def test_make_targets_that_are_named_exist(document: Path) -> None:
    targets = set(re.findall(r"^(\w+):", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE))
    named = set(re.findall(r"(?:`|^|\$ )make (\w+)", document.read_text(), flags=re.MULTILINE))
    assert named <= targets
