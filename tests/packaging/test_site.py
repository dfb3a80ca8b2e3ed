"""The site of the documents: it is built without a warning, and its pages are whole, local, and fit a phone.

``make matrix`` runs this file: the build takes some seconds.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

import dash_brain
import dash_brain.stores
import dash_brain.testing
from dash_brain import errors
from tests.packaging.documents import REPOSITORY, links
from tests.packaging.programs import wait_until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

#: The modules that apps, stores and tests of others import from; besides, errors.
PUBLIC = (dash_brain, dash_brain.stores, dash_brain.testing)

#: As the browser's tools for developers set it: a window of 400 pixels is not given everywhere.
PHONE = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}

#: How wide the text is where a reader has to scroll it sideways, and images that are not there.
TOO_WIDE_OR_MISSING = """
const wide = [document.documentElement, ...document.querySelectorAll(".content")]
    .filter(one => one.scrollWidth > one.clientWidth).map(one => one.scrollWidth);
return [...wide, ...[...document.images].filter(one => !one.naturalWidth).map(one => one.src)];
"""


class _Page(HTMLParser):
    """What a page refers to, what it loads, and the anchors that it has."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.links: set[str] = set()
        self.loaded: set[str] = set()
        self.anchors: set[str] = set()
        self.links_of_text: set[str] = set()
        self._is_text = False
        self.feed(file.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if "src" in given or tag == "link":
            self.loaded.add(given.get("src") or given["href"])
        elif tag == "a" and "href" in given:
            self.links.add(given["href"])
            if self._is_text:
                self.links_of_text.add(given["href"])
        elif tag == "article":
            self._is_text = True

    def handle_endtag(self, tag: str) -> None:
        self._is_text &= tag != "article"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built where nothing of an older one is."""
    folder = tmp_path_factory.mktemp("site") / "html"
    built = subprocess.run(
        ["bash", ".ci/docs.sh", str(folder)], cwd=REPOSITORY, capture_output=True, text=True, timeout=240
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, _Page]:
    return {file: _Page(file) for file in sorted(site.rglob("*.html"))}


def dead(page: _Page, pages: dict[Path, _Page]) -> Iterator[str]:
    for link in page.links | page.loaded:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (page.file.parent / unquote(parts.path)).resolve() if parts.path else page.file
        if not target.is_file() or (target in pages and not has(pages[target], parts.fragment)):
            yield f"{page.file.name}: {link}"


def has(page: _Page, anchor: str) -> bool:
    return not anchor or unquote(anchor) in page.anchors


def test_each_link_leads_to_a_page_an_anchor_or_a_file(pages: dict[Path, _Page]) -> None:
    assert len(pages) > 40
    assert [link for page in pages.values() for link in dead(page, pages)] == []


def test_no_link_of_a_text_leads_to_the_page_that_it_is_on(pages: dict[Path, _Page]) -> None:
    """Sphinx makes such links of those to folders."""
    assert all(page.links_of_text for page in pages.values() if page.file.parent.name == "recipes")
    assert [page.file.name for page in pages.values() if "#" in page.links_of_text] == []


def test_each_row_of_a_table_is_in_a_table(site: Path) -> None:
    """A line that is missing or empty before a row makes text of it."""
    assert [file.name for file in site.rglob("*.html") if "<p>| " in file.read_text()] == []


def test_nothing_is_loaded_from_elsewhere(pages: dict[Path, _Page]) -> None:
    loaded = {(page.file.name, one) for page in pages.values() for one in page.loaded}
    assert [one for one in sorted(loaded) if urlsplit(one[1]).netloc] == []


def test_each_public_name_and_error_is_in_the_reference(site: Path, pages: dict[Path, _Page]) -> None:
    anchors = {
        anchor for file, page in pages.items() if file.parent.name == "reference" for anchor in page.anchors
    }
    names = {
        f"{public.__name__}.{name}"
        for public in PUBLIC
        for name in public.__all__
        if public is dash_brain or name not in dash_brain.__all__
    }
    names |= {f"dash_brain.errors.{name}" for name, thing in vars(errors).items() if is_error(name, thing)}
    assert names - anchors == set()


def test_each_option_of_configure_is_in_the_reference_with_its_variable(site: Path) -> None:
    page = (site / "reference/settings.html").read_text()
    described, _, tabled = page.partition('id="environment-variables"')
    options = list(signature(dash_brain.configure).parameters)
    assert [name for name in options if f"<strong>{name}</strong>" not in described] == []
    assert [
        name
        for name in options
        if not has_row(tabled, name, "none" if name == "principal" else f"DASH_BRAIN_{name.upper()}")
    ] == []


def has_row(table: str, name: str, variable: str) -> bool:
    rows = [re.sub("<[^>]+>", " ", row).split() for row in table.split("<tr")]
    return any(name in row and any(cell.startswith(variable) for cell in row) for row in rows)


def is_error(name: str, thing: object) -> bool:
    return isinstance(thing, type) and thing.__name__ == name  # not another name of one


def test_the_list_for_programs_names_pages_that_are_there(site: Path) -> None:
    listed = [
        line.partition("](")[2].partition(")")[0] for line in (site / "llms.txt").read_text().splitlines()
    ]
    there = [one for one in listed if one and not urlsplit(one).netloc]
    assert len(there) > 40
    there = [one.partition("#")[0] for one in there]
    assert [one for one in there if not (site / one).is_file()] == []
    # What stands there is made of docstrings, or of another document.
    made = ("{eval-rst}", "{include}", "{options-of-configure}")
    texts = {one: (site / one).read_text() for one in there if one.endswith(".txt")}
    assert len(texts) > 30
    assert [one for one, text in texts.items() if any(directive in text for directive in made)] == []


def test_links_between_the_sources_lead_to_files_of_the_site(site: Path) -> None:
    sources = sorted((site / "_sources").rglob("*.md.txt"))
    found = [(source, link) for source in sources for link in links(source) if not link.startswith("#")]
    assert len(found) > 200
    assert [one for one in found if not (one[0].parent / one[1].partition("#")[0]).is_file()] == []


def test_the_search_leaves_out_what_names_everything(site: Path) -> None:
    text = (site / "searchindex.js").read_text().partition("(")[2].rpartition(")")[0]
    index = json.loads(text)
    numbers = {index["docnames"].index(page) for page in ("changelog", "promises", "trust")}
    found = [one for terms in ("terms", "titleterms") for one in index[terms].values()]
    shown = {number for one in found for number in (one if isinstance(one, list) else [one])}
    assert (len(shown) > 30, shown & numbers) == (True, set())


#: Lines of code that a reader has to scroll sideways.
CUT_OFF = """
const blocks = [...document.querySelectorAll(".highlight pre")];
return [blocks.length, blocks.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)];
"""


@pytest.mark.parametrize("page", ["start", "tutorial"])
def test_code_is_seen_whole_on_a_screen(browser_for_module: Chrome, site: Path, page: str) -> None:
    screen = {"width": 1600, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser_for_module.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser_for_module.get((site / f"{page}.html").as_uri())
    count, cut_off = browser_for_module.execute_script(CUT_OFF)
    browser_for_module.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert (count > 1, cut_off) == (True, [])


@pytest.fixture
def phone(browser_for_module: Chrome) -> Iterator[Chrome]:
    browser_for_module.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    yield browser_for_module
    browser_for_module.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_every_page_is_as_wide_as_a_phone_and_has_no_errors(phone: Chrome, pages: dict[Path, _Page]) -> None:
    phone.get_log("browser")
    wrong = []
    for file in pages:
        phone.get(file.as_uri())
        found = phone.execute_script(TOO_WIDE_OR_MISSING)
        if found:
            wrong.append((file.name, found))
    assert wrong == []
    assert [entry for entry in phone.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_search_finds_a_page_without_a_server(browser_for_module: Chrome, site: Path) -> None:
    browser = browser_for_module
    browser.get(f"{(site / 'search.html').as_uri()}?q=on_missing")
    wait_until(
        lambda: browser.find_elements("css selector", "#search-results a[href*='settings.html']"),
        lambda: browser.find_element("id", "search-results").text,
    )
