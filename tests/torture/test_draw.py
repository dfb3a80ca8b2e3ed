"""The drawing of an endurance run is well-formed and shows what was measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from tests.programs import REPOSITORY
from tests.torture.test_endurance import COLUMNS


def test_a_table_of_an_endurance_run_becomes_a_drawing(tmp_path: Path) -> None:
    table, drawing = tmp_path / "endurance.csv", tmp_path / "endurance.svg"
    # Two workers, three times: 10 open files each, and 20 at the end.
    held = {0: 10, 30: 10, 60: 20}
    rows = [
        [at, at * 100, worker, descriptors, 9, 700, 5 << 20, 3 << 20, 18]
        for at, descriptors in held.items()
        for worker in (0, 1)
    ]
    table.write_text("\n".join(",".join(map(str, row)) for row in [COLUMNS, *rows]))
    command = [sys.executable, "-m", "tests.torture.draw", str(table), str(drawing)]
    subprocess.run(command, cwd=REPOSITORY, check=True)
    texts = [element.text for element in ElementTree.parse(drawing).iter() if element.text]
    assert {"20", "40", "1,400", "10 MB", "3 MB"} <= set(texts)
    assert any("6,000 requests" in text for text in texts)
