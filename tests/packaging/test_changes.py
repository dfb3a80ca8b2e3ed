"""What lies in ``changes/`` becomes the changelog: each file has a name and a text that fit there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.packaging.documents import REPOSITORY, anchors, links

FOLDER = REPOSITORY / "changes"
CHANGELOG = REPOSITORY / "docs/changelog.md"

#: The kinds of changes that the changelog has a heading for.
KINDS = re.findall(r'^directory = "(\w+)"$', (FOLDER / "towncrier.toml").read_text().partition("[[")[2], re.M)

FRAGMENTS = sorted(file for file in FOLDER.iterdir() if file.name not in ("README.md", "towncrier.toml"))


def faults(name: str, text: str) -> list[str]:
    """Return what is wrong with a file of this name and text."""
    rules = {
        f"the name is not +a-few-words.KIND.md, of {', '.join(KINDS)}": re.fullmatch(
            rf"\+[a-z0-9]+(-[a-z0-9]+)*\.({'|'.join(KINDS)})\.md", name
        ),
        "it does not end with a full stop and a line break": text.endswith(".\n"),
        "it is not one paragraph": "\n\n" not in text.strip(),
        "it does not begin with a capital letter, a name or a link": re.match(r"[A-Z`\[]|dash_brain", text),
        "it has more than 600 characters": len(text) <= 600,
    }
    return [fault for fault, kept in rules.items() if not kept]


@pytest.mark.parametrize("file", FRAGMENTS, ids=lambda file: file.name)
def test_a_change_fits_into_the_changelog(file: Path) -> None:
    assert faults(file.name, file.read_text()) == []


@pytest.mark.parametrize("file", FRAGMENTS, ids=lambda file: file.name)
def test_links_of_a_change_lead_somewhere_from_the_changelog(file: Path) -> None:
    dead = []
    for link in links(file):
        path, _, anchor = link.partition("#")
        target = (CHANGELOG.parent / path).resolve()
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("quota.fixed.md", "A quota counts spilled values.\n"),  # towncrier takes this for an issue's number
        ("+quota.mended.md", "A quota counts spilled values.\n"),
        ("+Quota.fixed.md", "A quota counts spilled values.\n"),
        ("+quota.fixed.md", "A quota counts spilled values"),
        ("+quota.fixed.md", "- A quota counts spilled values.\n"),
        ("+quota.fixed.md", "a quota counts spilled values.\n"),
        ("+quota.fixed.md", "A quota counts.\n\nSpilled values.\n"),
        ("+quota.fixed.md", f"A quota counts {'spilled ' * 80}values.\n"),
    ],
)
def test_what_does_not_fit_is_noticed(name: str, text: str) -> None:
    assert len(faults(name, text)) == 1
    assert faults("+quota.fixed.md", "A quota counts spilled values.\n") == []


def test_the_changelog_has_the_place_where_a_release_is_written() -> None:
    start = re.search(r'^start_string = "(.+)\\n"$', (FOLDER / "towncrier.toml").read_text(), re.M)
    assert start
    assert CHANGELOG.read_text().count(f"\n{start[1]}\n") == 1
    assert KINDS == ["added", "changed", "fixed", "removed", "security"]
