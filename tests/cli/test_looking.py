"""What lies in a store is listed: without values, without secrets, and without reading it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dash_brain import Brain
from dash_brain.settings import current
from dash_brain.stores import open_store
from tests.cli.commands import PROGRAM, SHOWN, Ran, run, run_installed
from tests.cli.conftest import fill
from tests.redis import KEY, redis_server, running
from tests.stores.places import damage, file_of, remove

ALL = ["brain/feed", "brain/shop", f"session/{SHOWN}", f"session-names/{SHOWN}"]


def rows(ran: Ran) -> dict[str, list[str]]:
    """Return the cells of a table by those of the first column, without its head."""
    assert (ran.status, ran.err) == (0, "")
    lines = [re.split(r"  +", line) for line in ran.out.splitlines()]
    return {first: others for first, *others in lines[1:]}


def test_namespaces_are_listed_with_their_values_and_bytes(url):
    found = rows(run("ls", store=url))
    assert list(found) == ALL
    assert found["brain/shop"][:2] == ["2", "20.5 KB"]


def test_names_are_listed_with_type_and_time_to_live(url):
    found = rows(run("ls", "shop", store=url))
    assert list(found) == ["orders", "prices"]
    assert (found["orders"][0], found["orders"][-1]) == ("list", "60 minutes")
    assert (found["prices"][0], found["prices"][-1]) == ("str", "-")


def test_a_session_is_listed_by_what_was_shown_of_it(url):
    for given in (f"session/{SHOWN}", f"session/{SHOWN[:-1]}"):
        assert list(rows(run("ls", given, store=url))) == ["fedcba987654…"]
    assert list(rows(run("ls", f"session-names/{SHOWN}", store=url))) == ["cart"]


def test_notes_are_listed_when_asked_for(url):
    assert list(rows(run("ls", "--all", store=url))) == [*ALL, "closed/sessions"]


@pytest.mark.parametrize(
    "arguments",
    [["ls", "--all"], ["ls", f"session/{SHOWN}"], ["ls", "closed/sessions"], ["ls", "shop"], ["stats"]],
)
def test_neither_values_nor_whole_ids_are_printed(url, arguments):
    for form in ([], ["--json"]):
        ran = run(*arguments, *form, store=url)
        assert ran.status == 0
        assert not re.search(r"gold|[0-9a-f]{13}", ran.out), ran.out


def test_the_id_of_a_session_whose_data_lies_in_a_cache_is_shortened(tmp_path):
    url = f"file://{tmp_path}"
    for end in ("1", "2"):
        open_store(url).put("cache/app", f"session:dGhpcyBpcyBhIHNlY3JldA-x_{end}", [b"1"])
    assert "IHNlY" not in run("ls", "cache/app", "--json", store=url).out
    ran = run("inspect", "session:dGhpcyBpcyBh…", "-n", "cache/app", store=url)
    assert (ran.status, ran.out) == (1, "")
    assert "2 names are shown as 'session:dGhpcyBpcyBh…'" in ran.err


def test_a_name_controls_no_terminal(tmp_path):
    url = f"file://{tmp_path}"
    Brain("shop", url=url)["red \x1b[31m\n"] = 1
    found = rows(run("ls", "shop", store=url))
    assert list(found) == ["red \\x1b[31m\\n"]
    assert run("ls", "shop", "--json", store=url).json["values"][0]["name"] == "red \x1b[31m\n"


def test_a_namespace_that_is_not_there_is_an_error(url):
    ran = run("ls", "shpo", store=url)
    assert (ran.status, ran.out) == (1, "")
    assert "no namespace 'shpo'" in ran.err


def test_looking_makes_no_store(tmp_path):
    for arguments in (["ls"], ["stats"], ["clear", "--all"]):
        assert run(*arguments, store=f"file://{tmp_path}").status == 0
    ran = run("inspect", "prices", store=f"file://{tmp_path}")
    assert ran.status == 1
    assert "holds nothing" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_was_never_made_is_not_said_to_lack_a_budget(tmp_path):
    ran = run("stats", store=f"file://{tmp_path}")
    assert (ran.status, ran.out) == (
        0,
        f"FileStore at {open_store(f'file://{tmp_path}').place} holds nothing.\n",
    )
    assert run("stats", "--json", store=f"file://{tmp_path}").json["values"] == 0


def test_stores_of_other_users_in_the_place_are_named(tmp_path):
    (tmp_path / "dash_brain-54321").mkdir()
    assert "user 54321 has one there" in run("ls", store=f"file://{tmp_path}").out


def test_what_is_known_of_a_name_is_shown(url):
    ran = run("inspect", "orders", "--namespace", "shop", store=url)
    shown = dict(re.split(r"  +", line, maxsplit=1) for line in ran.out.splitlines())
    assert (shown["type"], shown["description"]) == ("list", "of this year")
    assert shown["bytes"] == "4096 (4.1 KB)"
    assert shown["ttl"] == "60 minutes"


def test_a_value_that_could_do_anything_is_described_and_not_unpickled(url):
    assert run("inspect", "trap", "-n", "feed", store=url).status == 0  # the fixture looks for its trace


def test_what_is_known_of_a_name_that_went_is_said(url):
    Brain("shop", url=url).forget("orders")
    ran = run("inspect", "orders", "-n", "shop", store=url)
    assert ran.status == 1
    assert "'orders' was deleted" in ran.err


def test_a_damaged_value_is_listed_as_such_and_nothing_is_said_of_it(tmp_path):
    store = open_store(f"file://{tmp_path}")
    Brain("shop", store=store)["prices"] = 1
    damage(file_of(store), at=40)
    ran = run("ls", "shop", "--json", store=f"file://{tmp_path}")
    assert [one["verified"] for one in ran.json["values"]] == [False]
    ran = run("inspect", "prices", "-n", "shop", store=f"file://{tmp_path}")
    assert ran.status == 1
    assert "not an authentic object" in ran.err


def test_stats_say_what_fills_the_store_and_who_holds_most(url):
    said = run("stats", "--json", store=url).json
    assert (said["values"], said["sessions"]) == (5, 1)
    assert said["bytes"] >= sum(kind["bytes"] for kind in said["kinds"])
    assert [kind["kind"] for kind in said["kinds"]][:2] == ["named values", "values of sessions"]
    assert said["largest"][0]["namespace"] == "brain/shop"
    shown = run("stats", store=url).out
    assert "5 values, 1 session" in shown
    assert "brain/shop" in shown


def test_stats_say_what_was_done_with_the_store(url):
    with pytest.raises(KeyError):
        Brain("shop", url=url)["price"]
    Brain("shop", url=url).memoize()(lambda: 1)()
    work = run("stats", "--json", store=url).json["work"]
    assert (work["shared"], work["computations"], work["kinds"]["result"]["puts"]) == ("host", 1, 1)
    assert (work["kinds"]["value"]["puts"], work["kinds"]["value"]["misses"]["unknown"]) == (5, 1)
    lines = run("stats", store=url).out.splitlines()[-6:]
    shown = {first: others for first, *others in map(str.split, lines)}
    assert dict(zip(shown["KIND"], shown["values"], strict=True)) == {
        **dict.fromkeys(("GETS", "EVICTED", "EXPIRED", "DELETED", "SPILLED", "REFUSED"), "0"),
        "PUTS": "5",
        "MISSES": "1",
    }


def test_the_reports_have_these_fields(url):
    times = {"created", "used"}
    spaces = run("ls", "--json", store=url).json
    assert spaces.keys() == {"store", "namespaces"}
    assert spaces["namespaces"][0].keys() == {"namespace", "values", "bytes", "unverified"} | times
    values = run("ls", "shop", "--json", store=url).json
    assert values.keys() == {"store", "namespace", "values"}
    value = {"name", "type", "function", "server_store", "bytes", "expires", "verified"} | times
    assert values["values"][0].keys() == value
    one = run("inspect", "prices", "-n", "shop", "--json", store=url).json
    assert one.keys() == value | {"store", "namespace", "description", "version"}
    stats = run("stats", "--json", store=url).json
    assert stats.keys() == {
        *(
            "store",
            "bytes",
            "budget",
            "on_disk",
            "values",
            "unverified",
            "sessions",
            "kinds",
            "work",
            "largest",
        ),
    }
    work = stats["work"]
    assert work.keys() == {
        *("shared", "kinds", "sessions_begun", "computations", "compute_seconds", "waits", "wait_seconds"),
        "hits",
    }
    assert work["kinds"].keys() == {"value", "result", "note", "copy"}


def test_top_prints_a_report_again_and_again(url):
    command = [str(PROGRAM), "top", "--json", "--every", "0.1", "--store", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert [json.loads(program.stdout.readline())["values"] for _ in range(3)] == [5, 5, 5]
        program.send_signal(signal.SIGTERM)


def test_a_store_of_one_process_is_refused(tmp_path):
    ran = run("ls", store="memory://")
    assert ran.status == 1
    assert "memory of the app's process" in ran.err


def test_a_wrong_url_is_refused_without_repeating_it():
    ran = run("ls", "--store", "rediss:/me:hidden@host")
    assert ran.status in (1, 2)
    assert "hidden" not in ran.err


@pytest.mark.parametrize("options", ["?near=off", ""])
def test_redis_is_looked_into_likewise(tmp_path, monkeypatch, options):
    monkeypatch.setenv("DASH_BRAIN_KEY", KEY)
    with running(redis_server()) as server:
        url = f"{server.url}{options}"
        check_commands(url, tmp_path, run)
        if not options:
            remove(open_store(url)._copies.store)


def test_the_installed_command_looks_into_what_another_process_stored(tmp_path):
    url = f"shm://cli-{os.getpid()}-{time.time_ns()}"
    try:
        check_commands(url, tmp_path, run_installed)
    finally:
        remove(open_store(url))


def check_commands(url: str, tmp_path: Path, run: Callable[..., Ran]) -> None:
    """Fill a store, look into it, and clear it."""
    current.forget()
    fill(open_store(url), tmp_path / "trap")
    assert list(rows(run("ls", store=url))) == ALL
    assert list(rows(run("ls", "shop", store=url))) == ["orders", "prices"]
    assert run("inspect", "prices", "-n", "shop", store=url).status == 0
    assert run("clear", "--all", "--yes", "--json", store=url).json["removed"] == 5
    assert "holds nothing" in run("ls", store=url).out
