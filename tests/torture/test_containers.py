"""In a real container, with little shared memory or little memory at all, everything goes on."""

from __future__ import annotations

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.stores.places import mounted
from tests.torture.containers import container, kill, memory_group, needs_containers, told
from tests.torture.pages import Line, Page

MB = 1 << 20
pytestmark = needs_containers


def together(box, workers, *arguments):
    """Let several processes fill the store at once, and return what each of them told."""
    return [told(one) for one in [box.begin("fill", str(number), *arguments) for number in range(workers)]]


def test_container_with_64_mb_of_shared_memory_takes_four_times_as_much(tmp_path):
    with container(tmp_path, shm="64m") as box:
        for one in together(box, 2, 16, 8):
            assert (one["budget"], one["refused"], one["whole"]) == (32 * MB, 0, 16)
            (warning,) = one["warned"]
            assert "has room for 33.6 MB only" in warning
            assert "docker run --shm-size=2g" in warning


@pytest.mark.parametrize("whose", ["its own", "of the group around it"])
def test_container_stays_within_its_memory_and_nobody_is_killed(tmp_path, whose):
    with (
        memory_group(None if whose == "its own" else 256 * MB) as around,
        container(tmp_path, shm="8g", limit=256 * MB if whose == "its own" else None, within=around) as box,
    ):
        for one in together(box, 2, 20, 8):
            assert (one["budget"], one["refused"], one["whole"]) == (64 * MB, 0, 20)
            assert one["used"] <= 64 * MB
        assert around.killed() + box.group.killed() == 0


@pytest.fixture
def crowded(request, tmp_path):
    """A container whose processes have taken nearly all of its memory, with a disk or without."""
    with container(tmp_path if request.param else None, shm="8g", limit=256 * MB) as box:
        hog = box.begin("hold_memory", 180)
        assert hog.stdout.readline() == f"{180 * MB}\n"
        yield box, hog


@pytest.mark.parametrize("crowded", [True], indirect=True)
def test_values_are_spilled_when_others_have_taken_the_memory_and_nobody_is_killed(crowded):
    box, hog = crowded
    (one,) = together(box, 1, 30, 4)
    assert (one["refused"], one["whole"]) == (0, 30)
    assert one["used"] < one["budget"] // 2, "the budget was not what bounded it"
    assert (hog.poll(), box.group.killed()) == (None, 0)


@pytest.mark.parametrize("crowded", [False], indirect=True)
def test_values_are_refused_where_there_is_neither_memory_nor_a_disk_until_there_is(crowded):
    box, hog = crowded
    (one,) = together(box, 1, 8, 20)
    assert one["refused"] == 8
    assert "the memory of this container is used up" in one["error"]
    assert (hog.poll(), box.group.killed()) == (None, 0)
    kill(hog)
    (one,) = together(box, 1, 1, 20)
    assert (one["refused"], one["whole"]) == (0, 1)


def exchange(url, mark):
    """Hand on values of 4 MB through an app, and tell whether each was read as it was put."""
    page = Page(Line(url)).open()
    seen = [page.exchange(mark, serial, nbytes=4 * MB)["seen"] for serial in range(8)]
    return seen == [None, *([mark, serial, True] for serial in range(7))]


def test_app_in_a_small_container_hands_on_what_its_shared_memory_has_no_room_for(tmp_path):
    gunicorn = [sys.executable, "-m", "gunicorn", "tests.torture.served:server", "--bind=127.0.0.1:0"]
    with container(tmp_path, shm="16m", limit=768 * MB) as box:
        app = box.start(*gunicorn, "--workers=2", "--env=DASH_BRAIN_STORE=shm://contained")
        url = next(found[1] for line in app.stdout if (found := re.search(r"Listening at: (\S+)", line)))
        with ThreadPoolExecutor(4) as callers:
            assert all(callers.map(partial(exchange, url), "abcd"))
        assert box.group.killed() == 0
        assert list(tmp_path.rglob("spill-*")), "most of it was spilled"


def test_containers_that_share_memory_and_no_disk_spill_each_to_its_own(tmp_path):
    for name in ("one", "another"):
        (tmp_path / name).mkdir()
    with (
        mounted(tmp_path / "shm", "size=64m") as shm,
        container(tmp_path / "one", shm=shm) as one,
        container(tmp_path / "another", shm=shm) as another,
    ):
        for box, mark in ((one, "one"), (another, "another")):
            filled = box.call("fill", mark, 12, 4)
            assert (filled["refused"], filled["whole"]) == (0, 12)
        swept = [box.call("sweep") for box in (one, another)]
        assert swept[0] == swept[1], "both count what both spilled"
        assert swept[0]["removed"] == 0
        told = another.call("read_all", "one", 12)
        assert 1 <= told.count("whole") < 12
        assert all("does not see" in why and "PrivateTmp" in why for why in told if why != "whole")
        assert one.call("read_all", "one", 12) == ["whole"] * 12
