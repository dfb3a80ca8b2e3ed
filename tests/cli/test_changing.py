"""Values are removed when somebody says yes, and copied to a folder and back."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import time
from contextlib import suppress

import pytest

from dash_brain import Brain
from dash_brain.cli import clearing, survey
from dash_brain.stores import FileStore, open_store
from dash_brain.stores.redis import RedisStore
from dash_brain.testing import Clock
from tests.cli.commands import PROGRAM, SESSION, SHOWN, run
from tests.redis import KEY, redis_server, running

OTHER_KEY = KEY[::-1]


def names(url: str, namespace: str = "shop") -> list[str]:
    return Brain(namespace, url=url).names()


def test_nothing_is_removed_before_somebody_says_yes(url):
    asked = run("clear", "-n", "shop", store=url, typed="n\n")
    assert asked.status == 1
    assert "Remove 2 values (20.5 KB) of brain/shop from FileStore at" in asked.err
    assert run("clear", "-n", "shop", store=url).status == 1  # nobody is there to say anything
    assert names(url) == ["orders", "prices"]
    told = run("clear", "-n", "shop", store=url, typed="y\n")
    assert (told.status, told.out) == (0, "Removed 2 values (20.5 KB) of brain/shop.\n")
    assert (names(url), names(url, "feed")) == ([], ["trap"])


@pytest.mark.parametrize("given", [SHOWN, SHOWN[:-1], f"session/{SHOWN}"])
def test_the_values_of_a_session_are_removed(url, given):
    ran = run("clear", "--session", given, "--yes", "--json", store=url)
    assert ran.json.keys() == {"store", "removed", "bytes", "unverified", "age_unknown", "namespaces"}
    assert ran.json["namespaces"] == [f"session/{SHOWN}", f"session-names/{SHOWN}"]
    assert [one["namespace"] for one in run("ls", "--json", store=url).json["namespaces"]] == [
        *("brain/feed", "brain/shop"),
    ]


def test_notes_stay_for_a_closed_session_is_closed_for_good(url):
    assert run("clear", "--all", "--yes", store=url).status == 0
    store = open_store(url)
    assert survey.namespaces(store, survey.VALUES) == []
    assert store.exists("closed/sessions", SESSION)


def test_what_is_old_is_removed_and_what_is_younger_stays(tmp_path):
    clock, url = Clock(time.time() - 7200), f"file://{tmp_path}"
    Brain("shop", store=FileStore(tmp_path, clock=clock))["old"] = 1
    Brain("shop", url=url)["new"] = 2
    assert run("clear", "--all", "--older-than", "3h", store=url).out == "There was nothing to remove.\n"
    assert run("clear", "--all", "--older-than", "1h", "--yes", store=url).status == 0
    assert names(url) == ["new"]


def test_values_that_another_key_signed_are_said_to_be_of_unknown_size_and_age():
    with running(redis_server()) as server:
        for key, name in ((KEY, "prices"), (OTHER_KEY, "orders"), (OTHER_KEY, "years")):
            RedisStore(server.url, key=key).put("brain/shop", name, [b"1"])
        url = f"{server.url}?near=off"
        ran = run("clear", "--all", "--older-than", "1d", store=url, DASH_BRAIN_KEY=KEY)
        assert ran.out.startswith("There was nothing to remove.\n2 values cannot be verified, so nothing is")
        ran = run("clear", "-n", "shop", store=url, DASH_BRAIN_KEY=KEY, typed="n\n")
        assert ran.err.startswith("2 values cannot be verified. The key they are signed with is none that")
        assert re.search(r"Remove 3 values \(.* bytes, and 2 of unknown size\) of brain/shop from", ran.err)
        ran = run("clear", "--all", "--yes", store=f"{url}&timeout=4", DASH_BRAIN_KEY=KEY[1:])
        assert ran.out == "Removed 3 values (of unknown size) of brain/shop.\n"


def test_what_replaces_an_old_value_meanwhile_stays(tmp_path):
    store = FileStore(tmp_path)
    brain = Brain("shop", store=store)
    brain["prices"] = "old"
    planned = list(clearing.planned(store, ["brain/shop"], time.time() + 1, iter))
    brain["prices"] = "new"
    clearing.remove(store, planned)
    assert brain["prices"] == "new"


def test_who_says_not_what_to_remove_is_told_how(url):
    for arguments in ([], ["--all", "-n", "shop"], ["--older-than", "1h"]):
        ran = run("clear", "--yes", *arguments, store=url)
        assert ran.status == 2
        assert "one of --namespace, --session and --all" in ran.err
    ran = run("clear", "--session", "abcdef", "--yes", store=url)
    assert (ran.status, "no session 'abcdef'" in ran.err) == (1, True)


def test_named_values_are_copied_to_a_folder_and_to_another_store(url, tmp_path):
    folder, other = str(tmp_path / "dump"), f"file://{tmp_path / 'other'}"
    ran = run("dump", folder, "prices", "-n", "shop", "--json", store=url)
    assert ran.json == {"folder": folder, "names": ["prices"]}
    assert run("load", folder, "-n", "copied", store=other).out == "prices\n"
    assert Brain("copied", url=other)["prices"] == "gold and silver" * 1000
    assert run("dump", folder, "-n", "shop", store=url).out == "orders\nprices\n"
    assert run("dump", folder, "mising", "-n", "shop", store=url).status == 1


def test_values_are_copied_without_unpickling_them(url, tmp_path):
    folder = str(tmp_path / "dump")
    assert run("dump", folder, "-n", "feed", store=url).status == 0
    assert run("load", folder, "-n", "feed", store=url).status == 0  # the fixture looks for a trace


def test_a_namespace_without_values_leaves_the_older_dump_as_it_is(url, tmp_path):
    folder = str(tmp_path / "dump")
    assert run("dump", folder, "-n", "shop", store=url).status == 0
    ran = run("dump", folder, "-n", "shpo", store=url)
    assert (ran.status, "no namespace 'shpo'" in ran.err) == (1, True)
    Brain("shop", url=url).clear()
    assert run("dump", folder, "-n", "shop", store=url).status == 1  # as in a store that was lost
    assert run("load", folder, "-n", "shop", store=url).out == "orders\nprices\n"


def test_values_of_another_kind_are_not_copied_as_those_of_a_brain(url, tmp_path):
    folder = str(tmp_path / "dump")
    assert run("dump", folder, "-n", "shop", store=url).status == 0
    for command in ("dump", "load"):
        ran = run(command, folder, "-n", f"session/{SHOWN}", store=url)
        assert (ran.status, "Only values of a Brain can be copied" in ran.err) == (2, True)
    assert run("load", folder, "-n", "brain/session/a", store=url).status == 0
    assert names(url, "session/a") == ["orders", "prices"]


def test_a_person_sees_how_far_a_copy_is(url, tmp_path):
    folder = str(tmp_path / "dump")
    assert "Copying" in shown_to_a_person("dump", folder, "-n", "shop", "--store", url)
    assert "100%" in shown_to_a_person("load", folder, "-n", "copied", "--store", url)


def shown_to_a_person(*arguments: str) -> str:
    """Run the installed command in a terminal, and return what that shows."""
    ours, its = pty.openpty()
    with subprocess.Popen([str(PROGRAM), *arguments], stdin=its, stdout=its, stderr=its) as program:
        os.close(its)
        shown = b""
        with suppress(OSError):  # EIO: its end
            while piece := os.read(ours, 4096):
                shown += piece
    os.close(ours)
    assert program.returncode == 0
    return shown.decode()
