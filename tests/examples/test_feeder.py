"""The example `feeder`: a running app follows another process, which may be killed and started again."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from dash_brain import Brain
from tests.examples.conftest import Page
from tests.programs import REPOSITORY
from tests.servers import gunicorn


@pytest.fixture
def env(tmp_path):
    return {"DASH_BRAIN_STORE": f"file://{tmp_path}", "PYTHONPATH": str(REPOSITORY)}


@pytest.fixture
def start_feeder(env):
    running = []

    def start():
        command = [sys.executable, str(REPOSITORY / "examples" / "feed.py")]
        running.append(subprocess.Popen(command, env=env, stdout=subprocess.PIPE))
        assert f"Process {running[-1].pid} feeds".encode() in running[-1].stdout.readline()
        return running[-1]

    yield start
    for process in running:
        kill(process)


def kill(process):
    with process:
        process.kill()


@pytest.fixture
def feeder(env, browser_for_module):
    with gunicorn(
        "feeder:server", workers=2, folder=REPOSITORY / "examples", env=env, options=["--graceful-timeout=1"]
    ) as server:
        page = Page(browser_for_module, server.url)
        page.open(callbacks=2)
        yield page
        browser_for_module.get("about:blank")


def test_the_page_follows_a_feeder_that_is_killed_and_started_again(feeder, start_feeder, env):
    brain = Brain("feeder", url=env["DASH_BRAIN_STORE"])
    feeder.wait(lambda: "Nobody feeds" in feeder.text("numbers"))
    first = start_feeder()
    assert_fed_by(feeder, first)
    second = start_feeder()
    assert_fed_by(feeder, first)  # the second one does not feed meanwhile
    kill(first)
    assert_fed_by(feeder, second)
    kill(second)
    last = brain["prices"].iloc[-1]
    feeder.wait(lambda: "is the feeder running?" in feeder.text("numbers"))
    third = start_feeder()
    assert_fed_by(feeder, third)
    prices = brain["prices"]
    assert len(prices) == 100_000
    assert (prices == last).all(axis=1).any()  # it went on from there
    feeder.assert_console_is_clean()


def assert_fed_by(page, feeder):
    """Wait until the page shows two versions that this process has learned, one after the other."""
    page.wait(lambda: f"pid {feeder.pid}" in page.text("numbers"))
    newest = "Math.max(...(data?.[0]?.x?._inputArray ?? [0]))"
    shown, drawn = page.text("numbers"), page.figure("graph", newest)
    page.wait(lambda: page.text("numbers") != shown and page.figure("graph", newest) > drawn)
    assert "new within a second" in page.text("numbers")
    assert f"pid {feeder.pid}" in page.text("numbers")


def test_the_gallery_has_one_of_its_workers_feed(gallery, page):
    feeder = page("feeder")
    feeder.open(callbacks=2)
    feeder.wait(lambda: "new within a second" in feeder.text("numbers"))
    pids = {child.pid for child in psutil.Process(gallery.process.pid).children()}
    assert any(f"pid {pid}" in feeder.text("numbers") for pid in pids)
    version = feeder.text("numbers").splitlines()[1]
    feeder.wait(lambda: feeder.text("numbers").splitlines()[1] != version)
    feeder.assert_accessible()
    feeder.driver.get("about:blank")
    feeder.assert_console_is_clean()
