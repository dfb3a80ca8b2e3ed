"""Pictures in the documents: each shows the program above it, in the state that its text describes.

``make pictures`` has the tests take them. Every other run checks that the page shows what the text of its
picture quotes, and that the program has not been changed since.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.packaging.documents import REPOSITORY, blocks
from tests.packaging.programs import Program, settle, wait_until

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

IMAGES = REPOSITORY / "docs/images"

#: Of which program each picture was taken: the hash of its text.
TAKEN = IMAGES / "taken.json"

TAKE = bool(os.environ.get("TAKE_PICTURES"))

#: As wide as the text of the site, and with twice as many pixels, for screens that have them.
WIDTH, MOST_HEIGHT = 720, 600

_PICTURE = re.compile(r"!\[(?P<text>.*)\]\([./]*images/(?P<name>[\w-]+)\.webp\)")

#: All that the page shows, also in fields and drawings.
SHOWN = """
const page = document.getElementById("react-entry-point");
const fields = [...page.querySelectorAll("input, textarea")].map(field => field.value);
return [page.textContent, ...fields].join(" ").replace(/\\s+/g, " ");
"""

#: What scrolls within the page counts as high as it is seen.
HEIGHT = """
document.activeElement.blur();
return document.body.scrollHeight + 16;
"""


@dataclass(frozen=True)
class Picture:
    """What the picture below a block is called, and its text, which quotes what the page shows."""

    name: str
    text: str

    @property
    def quoted(self) -> list[str]:
        return re.findall(r'"([^"]+)"', self.text)

    @property
    def file(self) -> Path:
        return IMAGES / f"{self.name}.webp"


def pictures(document: Path) -> dict[str, Picture]:
    """Return the pictures of a document, each by the text of the program that it follows."""
    programs = [block for block in blocks(document) if "app.run(" in block.text]
    found = {}
    for number, line in enumerate(document.read_text().splitlines(), start=1):
        if picture := _PICTURE.match(line):
            above = [block.text for block in programs if block.line < number]
            found[above[-1]] = Picture(picture["name"], picture["text"])
    return found


def fingerprint(program: str) -> str:
    return hashlib.sha256(program.encode()).hexdigest()[:16]


def taken() -> dict[str, str]:
    recorded: dict[str, str] = json.loads(TAKEN.read_text()) if TAKEN.exists() else {}
    return recorded


def wait_until_shown(picture: Picture, driver: Chrome, program: Program) -> None:
    """Wait until the page shows what the text of its picture quotes."""

    def lacking() -> list[str]:
        shown = driver.execute_script(SHOWN)
        return [text for text in picture.quoted if text not in shown]

    wait_until(
        lambda: not lacking(), lambda: f"{lacking()} in {driver.execute_script(SHOWN)!r}: {program.log}"
    )


def take(driver: Chrome, picture: Picture, block: str, program: Program) -> None:
    """Write the picture of what a browser shows, and note of which program it is."""
    size = {"width": WIDTH, "height": MOST_HEIGHT, "deviceScaleFactor": 2, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": 0, "y": 0})
        settle(driver, program)  # drawings follow the width
        wait_until_shown(picture, driver, program)
        height = min(driver.execute_script(HEIGHT), MOST_HEIGHT)
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
        options = {"format": "webp", "quality": 85, "clip": clip}
        image = driver.execute_cdp_cmd("Page.captureScreenshot", options)["data"]
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    picture.file.write_bytes(base64.b64decode(image))
    recorded = {**taken(), picture.name: fingerprint(block)}
    TAKEN.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")
