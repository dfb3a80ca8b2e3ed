"""The doctor names cause and remedy of what keeps dash_brain from working, and ends with 1 then."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from dash_brain import Brain
from dash_brain.cli.doctor import contents, place
from dash_brain.cli.doctor.place import Place
from dash_brain.settings import Settings
from dash_brain.stores import FileStore, open_store
from dash_brain.stores.redis import RedisStore
from dash_brain.web.sessions.worker_keys import WorkerKeys
from tests.cli.commands import Ran, run, run_installed
from tests.needs import needs_root, needs_unshare
from tests.redis import KEY, redis_server, running
from tests.stores.places import damage, file_of, mounted, mounted_disk, needs_disk

OTHER_KEY = KEY[::-1]


#: What this machine is like, which most tests are not about.
MACHINE = {"container", "disk", "huge pages", "shared memory"}


def bad(ran: Ran, *, machine: bool = False) -> list[dict[str, Any]]:
    """Return what is wrong, of a report in JSON; each has a remedy, and the status tells of errors."""
    found = [one for one in ran.json["findings"] if one["level"] not in ("ok", "note")]
    assert all(one["remedy"] for one in found)
    broken = any(one["level"] == "error" for one in found)
    assert (ran.json["broken"], ran.status) == (broken, int(broken)), ran.err
    return [one for one in found if (one["check"] in MACHINE) == machine]


def only(ran: Ran) -> tuple[str, str, str, str]:
    """Return what was checked, how bad it is, cause and remedy of the only thing that is wrong."""
    (one,) = bad(ran)
    return one["check"], one["level"], one["says"], one["remedy"]


def about(check: str, ran: Ran) -> dict[str, Any]:
    """Return what is wrong with a part of the machine."""
    return next(one for one in bad(ran, machine=True) if one["check"] == check)


def test_a_store_that_works_is_said_to_work(tmp_path):
    ran = run_installed("doctor", store=f"file://{tmp_path}")
    assert (ran.status, ran.err) == (int("error  " in ran.out), "")
    assert re.search(r"ok +versions: dash_brain .*, Python .*, dash ", ran.out)
    assert re.search(
        r"ok +store: FileStore at .* used \(\d+%\)\. A value was put, read and removed in ", ran.out
    )
    assert re.search(r"ok +keys: Key [0-9a-f]{8} signs here; it comes from the store", ran.out)
    assert run("ls", store=f"file://{tmp_path}").out.endswith("holds nothing.\n")  # not that value either


def test_a_report_has_these_fields(tmp_path):
    said = run("doctor", "--json", store=f"file://{tmp_path}").json
    assert said.keys() == {"broken", "findings"}
    assert said["broken"] == any(one["level"] == "error" for one in said["findings"])
    for one in said["findings"]:
        assert one.keys() == {"check", "level", "says", "remedy", "lines"}


@needs_unshare
def test_the_64_mb_of_a_container_are_said_to_be_little():
    mount = "mount -t tmpfs -o size=64m tmpfs /dev/shm"
    ran = run_installed("doctor", store="shm://", before=mount)
    assert (ran.status, ran.err) == (int("error  " in ran.out), "")
    assert "warning  shared memory: /dev/shm has 67.1 MB" in ran.out
    assert "a store there may hold 33.6 MB" in ran.out
    for line in ("-> Give the container more shared memory.", "docker run --shm-size=2g", "medium: Memory"):
        assert line in ran.out
    assert re.search(r"\d warning", ran.out.splitlines()[-1])


@needs_unshare
def test_shared_memory_that_cannot_be_written_is_named_with_the_place_taken_instead():
    ran = run_installed("doctor", "--json", store="shm://", before="mount -t tmpfs -o ro tmpfs /dev/shm")
    found = about("shared memory", ran)
    assert found["level"] == "warning"
    assert found["says"].startswith("/dev/shm is read-only for this process, so values lie in ")
    assert "DASH_BRAIN_STORE=file:///folder" in found["remedy"]


@needs_root
def test_a_folder_of_another_user_is_refused_and_named(tmp_path):
    FileStore(tmp_path).usage()
    outer = tmp_path / f"dash_brain-{os.geteuid()}"
    os.chown(outer, 54321, 54321)
    check, level, cause, cure = only(run_installed("doctor", "--json", store=f"file://{tmp_path}"))
    assert (check, level) == ("store", "error")
    assert f"{outer} belongs to user 54321, not to user {os.geteuid()}." in cause
    assert "remove it, or choose another place" in cure


def test_a_folder_that_is_open_to_others_is_refused_and_named(tmp_path):
    FileStore(tmp_path).usage()
    (tmp_path / f"dash_brain-{os.geteuid()}").chmod(0o755)
    _, level, cause, cure = only(run("doctor", "--json", store=f"file://{tmp_path}"))
    assert (level, "is open to other users (mode 755)." in cause) == ("error", True)
    assert "remove it" in cure


@pytest.mark.parametrize("below", ["", "/below"])
def test_a_file_in_the_place_of_the_folder_is_named(tmp_path, below):
    place = tmp_path / "file"
    place.touch()
    check, level, cause, cure = only(run("doctor", "--json", store=f"file://{place}{below}"))
    assert (check, level) == ("store", "error")
    assert cause == f"The folder {place}{below} cannot be made or opened (there is a file in its place)."
    assert cure == "Choose another place with file:///folder or shm://name."


@pytest.mark.parametrize("root", ["/proc", "/sys"])
def test_a_file_system_that_holds_no_files_is_not_said_to_have_room(root):
    ran = run("doctor", "--json", store=f"file://{root}/dash-brain")
    assert about("disk", ran)["says"].startswith(f"{root}/dash-brain lies on a file system that does not say")
    check, level, cause, cure = only(ran)
    assert (check, level, f"{root}/dash-brain cannot be made" in cause) == ("store", "error", True)
    assert cure == "Choose another place with file:///folder or shm://name."


@pytest.mark.parametrize(
    ("modules", "url", "extra"),
    [
        (["redis", "redis.connection"], "redis://127.0.0.1:1/0", "redis"),
        (["botocore"], "redis://127.0.0.1:1/0?near=off&blobs=s3://bucket/doctor", "redis,s3"),
    ],
)
def test_a_library_that_is_missing_is_named_with_what_installs_it(monkeypatch, modules, url, extra):
    for name in modules:
        monkeypatch.setitem(sys.modules, name, None)
    check, level, cause, cure = only(run("doctor", "--json", store=url, DASH_BRAIN_KEY=KEY))
    assert (check, level, cause.endswith(" is not installed.")) == ("settings", "error", True)
    assert cure == f"Install it: pip install 'dash-brain[{extra}]'"


@needs_disk
def test_a_full_disk_is_named(tmp_path):
    with mounted_disk(tmp_path / "disk", 32) as disk:
        FileStore(disk).usage()
        fill_up(disk / "log")
        full = about("disk", run_installed("doctor", "--json", store=f"file://{disk}"))
        assert full["level"] == "error"
        assert re.match(rf"The disk at {disk} is full: only .* are free of ", full["says"])
        assert "`dash-brain clear` removes values" in full["remedy"]


@needs_root
def test_full_shared_memory_is_named_with_the_lines_that_make_it_larger(tmp_path):
    with mounted(tmp_path / "small", "size=4m") as folder:
        fill_up(folder / "log")
        full = about("shared memory", run("doctor", "--json", store=f"file://{folder}"))
        assert (full["level"], "is full" in full["says"]) == ("error", True)
        assert "--shm-size" in full["lines"]["docker"]


def fill_up(file: Path) -> None:
    """Write until the disk is full."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as log:
        while True:
            log.write(bytes(1 << 20))


def test_a_store_full_of_names_says_who_holds_them_and_that_they_stay(tmp_path):
    store = FileStore(tmp_path, size="1MB")
    Brain("shop", store=store)["prices"] = bytes(950_000)
    found = bad(run("doctor", "--json", store=f"file://{tmp_path}"))
    room = next(one for one in found if one["check"] == "room")
    assert room["level"] == "error"
    assert re.match(r"95\d\.\d KB of 1\.0 MB are used; most by brain/shop 95\d\.\d KB\.", room["says"])
    assert "never evicted" in room["remedy"]


def test_a_store_whose_disk_is_full_is_not_said_to_need_a_larger_budget(tmp_path):
    store = FileStore(tmp_path, size="1MB")  # as small as what it holds, which a full disk makes of it
    store.put("memo/brain/shop", "result", [bytes(950_000)])
    assert {one.check for one in contents.check(store, with_room=True)} == {"room"}
    assert not list(contents.check(store, with_room=False))


def test_a_store_that_evicts_says_who_holds_most_and_loses_nothing_by_the_check(tmp_path):
    store = FileStore(tmp_path, size="1MB")
    store.put("memo/brain/shop", "result", [bytes(950_000)])
    found = bad(run("doctor", "--json", store=f"file://{tmp_path}"))
    room = next(one for one in found if one["check"] == "room")
    assert (room["level"], "most by memo/brain/shop" in room["says"]) == ("warning", True)
    assert store.exists("memo/brain/shop", "result")


def test_a_redis_that_does_not_answer_is_named():
    with socket.socket() as silent:  # nobody else gets its port, and it does not listen
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        url = f"redis://me:hidden@127.0.0.1:{port}/0"
        ran = run_installed("doctor", "--json", store=url, DASH_BRAIN_KEY=KEY)
    assert only(ran) == (
        *("store", "error"),
        f"Redis at 127.0.0.1:{port} does not answer.",
        "Is it running, and is the URL right?",
    )
    assert "hidden" not in ran.out + ran.err
    assert KEY not in ran.out + ran.err


def test_a_redis_and_no_key_is_named_with_the_lines_that_give_one():
    ran = run("doctor", "--json", store="redis://127.0.0.1:1/0")
    assert only(ran)[:2] == ("keys", "error")
    assert "DASH_BRAIN_KEY" in only(ran)[3]
    assert "secretKeyRef" in bad(ran)[0]["lines"]["kubernetes"]


def test_values_that_another_key_signed_are_named():
    with running(redis_server()) as server:
        RedisStore(server.url, key=OTHER_KEY).put("brain/shop", "prices", [b"1"])
        ran = run_installed("doctor", "--json", store=f"{server.url}?near=off", DASH_BRAIN_KEY=KEY)
        check, level, cause, cure = only(ran)
        assert (check, level) == ("keys", "error")
        assert cause == "Values in 1 namespace are signed with a key that this process does not have."
        assert cure.startswith("Give all processes the same DASH_BRAIN_KEY")
        assert not bad(run("doctor", "--json", store=f"{server.url}?near=off", DASH_BRAIN_KEY=OTHER_KEY))


def test_workers_with_different_keys_are_named_by_those(tmp_path):
    store = FileStore(tmp_path)
    workers = [WorkerKeys(Settings(store, secrets=(key,)), "5a" * 16) for key in (KEY, OTHER_KEY)]
    for worker in workers:
        worker._note()
    check, level, cause, cure = only(run("doctor", "--json", store=f"file://{tmp_path}"))
    assert (check, level) == ("keys", "error")
    assert cause.startswith("Workers of app 5a5a5a5a5a5a… sign with different keys: ")
    assert all(kid in cause for worker in workers for kid in worker._kids())
    assert "the same DASH_BRAIN_KEY" in cure


def test_a_shell_with_another_key_than_the_workers_is_told(tmp_path):
    WorkerKeys(Settings(FileStore(tmp_path), secrets=(KEY,)), "5a" * 16)._note()
    store = f"file://{tmp_path}"
    assert only(run("doctor", "--json", store=store, DASH_BRAIN_KEY=OTHER_KEY))[:2] == ("keys", "warning")
    assert bad(run("doctor", "--json", store=store, DASH_BRAIN_KEY=KEY)) == []
    assert bad(run("doctor", "--json", store=store)) == []


def test_a_key_that_can_be_guessed_is_named_and_not_repeated(tmp_path):
    ran = run("doctor", "--json", store=f"file://{tmp_path}", DASH_BRAIN_KEY="changeme-changeme")
    assert only(ran)[:2] == ("settings", "error")
    assert "can be guessed" in only(ran)[2]
    assert "changeme" not in ran.out


def test_a_password_that_redis_does_not_take_is_named():
    with running(redis_server()) as server:
        url = server.url.replace("//", "//:hidden@")
        ran = run("doctor", "--json", store=f"{url}?near=off", DASH_BRAIN_KEY=KEY)
    check, level, cause, cure = only(ran)
    assert (check, level) == ("store", "error")
    assert "does not take the user or password of the URL" in cause
    assert cure.startswith("Set in the URL those that Redis has")
    assert "hidden" not in ran.out


def test_a_redis_that_evicts_by_itself_is_named():
    options = ("--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru")
    with running(redis_server(), *options) as server:
        ran = run("doctor", "--json", store=f"{server.url}?near=off", DASH_BRAIN_KEY=KEY)
    check, level, cause, cure = only(ran)
    assert (check, level) == ("redis", "warning")
    assert cause.startswith("Redis evicts by itself (allkeys-lru)")
    assert cure.endswith("redis-cli config set maxmemory-policy noeviction")


def test_a_damaged_value_is_named_by_its_namespace(tmp_path):
    store = open_store(f"file://{tmp_path}")
    Brain("shop", store=store)["prices"] = 1
    damage(file_of(store), at=40)
    check, level, cause, cure = only(run("doctor", "--json", store=f"file://{tmp_path}"))
    assert (check, level, cause) == (
        "store",
        "error",
        "A value in brain/shop is damaged or forged, and is not read.",
    )
    assert "dash-brain clear" in cure


def test_a_library_that_is_too_old_is_named_before_it_keeps_all_else_from_working(tmp_path):
    metadata = tmp_path / "pandas-2.1.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: pandas\nVersion: 2.1.0\n")
    path = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    check, level, cause, cure = only(run_installed("doctor", "--json", PYTHONPATH=path))
    assert (check, level) == ("versions", "error")
    assert "2.1.0 is installed" in cause
    assert cure.startswith('pip install "pandas>=')


def test_a_store_of_one_process_is_a_note():
    said = run("doctor", "--json", store="memory://").json
    assert [one["check"] for one in said["findings"] if one["level"] == "note"] == ["store"]
    assert not said["broken"]


def test_stores_of_other_users_in_the_place_are_noted(tmp_path):
    (tmp_path / "dash_brain-54321").mkdir()
    ran = run("doctor", store=f"file://{tmp_path}")
    assert re.search("note +user: .* user 54321 has stores of its own", ran.out)


GB = 1_000_000_000
HERE = Place("/dev/shm", size=8 * GB, free=8 * GB, in_memory=True, remote=False)


@pytest.mark.parametrize(
    ("facts", "level", "says", "line"),
    [
        ({}, "ok", "a store there may hold 4.0 GB", None),
        ({"limit": GB // 2, "left": GB // 4}, "warning", "a quarter of the memory of this", "--memory"),
        (
            {"size": GB // 10, "overflow": "is refused"},
            "warning",
            "What does not fit is refused.",
            "--shm-size",
        ),
        ({"free": GB // 10, "in_memory": False}, "warning", "a store there may hold 50.0 MB", None),
        ({"free": GB // 10, "used": GB, "in_memory": False}, "ok", "a store there may hold 1.1 GB", None),
        ({"has_inodes": False, "in_memory": False}, "error", "no inode", None),
    ],
)
def test_the_room_of_a_place_is_judged_by_what_bounds_it(facts, level, says, line):
    (found,) = place.check_room(Place(**{**vars(HERE), **facts}))
    assert (found.level, says in found.says) == (level, True)
    assert bool(found.remedy) == (level != "ok")
    assert (line is None) == (not found.lines)
    assert line is None or line in found.lines["docker"]


def test_a_folder_over_a_network_is_warned_of():
    (_, found) = place.check_room(Place(**{**vars(HERE), "remote": True}))
    assert (found.level, "another machine" in found.says) == ("warning", True)


@pytest.mark.parametrize(("left", "level"), [(GB, "ok"), (10_000_000, "error"), (-5, "error")])
def test_a_container_without_memory_is_named(left, level):
    (found,) = place.check_container(Place(**{**vars(HERE), "limit": 2 * GB, "left": left}))
    assert (found.level, "2.0 GB" in found.says) == (level, True)
