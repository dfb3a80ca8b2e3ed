"""``make demo``: every example works, on the backend of this run, and nothing is left behind."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests

from dash_brain import Brain
from tests.backends import BACKEND, free_port
from tests.examples.conftest import Page
from tests.examples.test_folders import heed_ctrl_c
from tests.examples.test_gallery import timestamps
from tests.examples.test_hard_places import CALLBACKS, OF_A_SESSION
from tests.examples.test_job_and_file import FILE, upload
from tests.programs import REPOSITORY
from tests.torture.sizes import size


class Demo(NamedTuple):
    """A running demo: its address, process, folder for temporary files, and log."""

    url: str
    process: subprocess.Popen[bytes]
    temporary: Path
    log: Path


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    port, log = str(free_port()), tmp_path_factory.mktemp("demo") / "log"
    env = {name: value for name, value in os.environ.items() if name != "DASH_BRAIN_STORE"}
    with tempfile.TemporaryDirectory() as temporary, log.open("wb") as out:
        env |= {"PORT": port, "TMPDIR": temporary, "WEB_CONCURRENCY": "2", "BACKEND": BACKEND}
        process = subprocess.Popen(
            ["bash", ".ci/demo.sh"],
            cwd=REPOSITORY,
            env=env,
            stdout=out,
            stderr=out,
            start_new_session=True,
            preexec_fn=heed_ctrl_c,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/")
            yield Demo(f"http://127.0.0.1:{port}", process, Path(temporary), log)
        finally:
            if process.poll() is None:
                process.terminate()  # which ends the server, whose process group is another
                process.wait(60)


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            requests.get(url, timeout=120).raise_for_status()
            return
        except requests.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


# With Flask the tests of the gallery look at each page, and more closely.
@pytest.mark.skipif(BACKEND == "flask", reason="test_gallery.py does more with Flask")
@pytest.mark.parametrize("name", CALLBACKS)
def test_an_example_works_and_its_console_stays_clean(name: str, demo: Demo, browser: Any) -> None:
    opened(name, demo, browser).driver.get("about:blank")
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


#: The examples that two profiles open: those that keep most for a session, or all that keep something.
OF_TWO_PROFILES = size(("session_data", "explore"), tuple(sorted(OF_A_SESSION)))


def test_two_profiles_of_a_browser_see_their_own_data(
    demo: Demo, browser: Any, browser_factory: Callable[[], Any], tmp_path: Path
) -> None:
    held, seen = [], []
    for driver in (browser, browser_factory()):
        for name in OF_TWO_PROFILES:
            page = opened(name, demo, driver)
            if name == "explore":
                assert page.text("columns") == ""
                upload(page, tmp_path / "places.csv", FILE)
                page.wait(lambda page=page: "3 rows in 3 columns" in page.text("columns"))
            if name == "session_data":
                seen.append(timestamps(page.text("output-1")))
                assert len(seen[-1]) == 4
                assert timestamps(page.text("output-2")) == seen[-1]
            held.append(tokens_in(page.layout()))
            page.assert_console_is_clean()
    assert all(held)
    assert len(set().union(*held)) == sum(map(len, held))
    assert not set(seen[0]) & set(seen[1])


def opened(name: str, demo: Demo, driver: Any) -> Page:
    """Open the page of an example."""
    page = Page(driver, f"{demo.url}/{name}/")
    page.open(callbacks=CALLBACKS[name])
    page.wait(lambda: "waiting for the first data" not in page.text("react-entry-point"))
    page.assert_console_is_clean()
    return page


def tokens_in(text: str) -> set[str]:
    """Return which tokens of sessions a page holds."""
    return set(re.findall(r'"db1\.[0-9a-f]{8}\.([sn][0-9a-f]{32})', text))


@pytest.mark.skipif(BACKEND == "flask", reason="test_plain.py does it with Flask")
def test_the_originals_are_there_too(demo: Demo) -> None:
    for path in ("/", "/flights_plain/", "/assets/style.css", "/signalling_plain/_dash-layout"):
        requests.get(demo.url + path, timeout=30).raise_for_status()


def test_the_demo_removes_its_store_and_its_caches_when_it_is_interrupted(demo: Demo) -> None:
    brain = Brain("load_once", url=f"shm://demo-{demo.url.rpartition(':')[2]}")
    place = Path(brain._store.place)
    assert "readings" in brain
    caches = [path for path in demo.temporary.iterdir() if any(path.glob("*"))]
    assert {stat.S_IMODE(path.stat().st_mode) for path in caches} == {0o700}
    os.killpg(demo.process.pid, signal.SIGINT)  # as a terminal does
    assert demo.process.wait(60) == 0
    assert not place.exists()
    assert not [path for path in caches if path.exists()]
    assert "Traceback" not in demo.log.read_text()
