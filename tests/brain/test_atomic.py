"""What somebody learns while others read, make or pop is neither lost nor overwritten."""

from __future__ import annotations

import asyncio
from concurrent.futures import ProcessPoolExecutor
from threading import Thread

import pytest

from dash_brain.brain import Brain, mapping
from dash_brain.brain.described import DescribedValues
from dash_brain.errors import BrainError, DecodeError, EncodeError, ValueConflict, ValueMissing
from dash_brain.stores.base import Store
from tests.brain.workers import learn_numbers, make_when_told, offer_jobs, take_jobs
from tests.processes import FORKSERVER

WAYS = {
    "get_or_learn": lambda names, make: names.get_or_learn("name", make),
    "preload": lambda names, make: names.preload("name", make),
    "async": lambda names, make: asyncio.run(names.get_or_learn("name", as_coroutine(make))),
}


def as_coroutine(make):
    async def make_async():
        return make()

    return make_async


@pytest.mark.parametrize("round", range(5))
def test_last_value_that_is_learned_while_others_pop_is_popped_last_or_still_there(tmp_path, round):
    brain, popped = Brain(path=tmp_path), []
    learner = FORKSERVER.Process(target=learn_numbers, args=(tmp_path, 400))
    learner.start()
    while learner.is_alive():
        if (number := brain.pop("job", None)) is not None:
            popped.append(number)
    learner.join()
    assert brain.pop("job", popped[-1]) == 399
    assert popped == sorted(set(popped))


@pytest.mark.parametrize("popitem", [False, True])
def test_each_job_that_processes_offer_is_taken_once(tmp_path, popitem):
    jobs = [[f"{number} of {offerer}" for number in range(100)] for offerer in range(2)]
    with ProcessPoolExecutor(4, mp_context=FORKSERVER) as pool:
        offering = [pool.submit(offer_jobs, tmp_path, some) for some in jobs]
        taking = [pool.submit(take_jobs, tmp_path, 100, popitem) for _ in range(2)]
        taken = [job for one in taking for job in one.result(60)]
        for one in offering:
            one.result(60)
    assert sorted(taken) == sorted(jobs[0] + jobs[1])
    assert not list(Brain(path=tmp_path))


@pytest.mark.parametrize("how", ["get_or_learn", "preload"])
def test_what_another_process_learns_meanwhile_stays_and_is_returned(tmp_path, how):
    brain, begun, go_on = Brain(path=tmp_path), FORKSERVER.Manager().Event(), FORKSERVER.Manager().Event()
    with ProcessPoolExecutor(1, mp_context=FORKSERVER) as pool:
        making = pool.submit(make_when_told, tmp_path, how, begun, go_on)
        assert begun.wait(60)
        brain["name"] = "newer"
        go_on.set()
        assert making.result(60) == brain["name"] == "newer"


@pytest.mark.parametrize("way", WAYS)
def test_what_is_learned_while_it_is_made_stays_and_is_returned(brain, way):
    object_ids = []

    def make():
        object_ids.append(brain.learn("name", None))
        return "older"

    assert WAYS[way](brain, make) is brain["name"] is None
    assert brain.object_id("name") == object_ids[0]


@pytest.mark.parametrize("way", WAYS)
def test_what_is_learned_and_forgotten_while_it_is_made_is_gone(brain, way):
    def make():
        brain["name"] = "newer"
        brain.forget("name")
        return "made"

    assert WAYS[way](brain, make) == brain["name"] == "made"


def test_setdefault_leaves_what_is_learned_meanwhile(brain, monkeypatch):
    get, learned = type(brain._store).get, []

    def get_and_learn(store, *place):
        try:
            return get(store, *place)
        finally:
            if not learned:
                learned.append(brain.learn("name", "newer"))

    monkeypatch.setattr(type(brain._store), "get", get_and_learn)
    assert brain.setdefault("name", "older") == brain["name"] == "newer"


def test_names_of_sessions_are_learned_and_popped_the_same_way(store):
    names = DescribedValues(store, "session-names/abc", ttl=60)
    assert names.get_or_learn("name", lambda: names.learn("name", "newer") and "older") == "newer"
    assert names.setdefault("name", "older") == names.pop("name") == "newer"


def replace_while_read(brain, monkeypatch, times):
    """Let somebody learn the name anew whenever it is read, so often."""
    get, learned = type(brain._store).get, []

    def get_and_replace(store, *place):
        frames = get(store, *place)
        if len(learned) < times:
            learned.append(brain.learn("name", f"newer {len(learned)}"))
        return frames

    monkeypatch.setattr(type(brain._store), "get", get_and_replace)


@pytest.mark.parametrize("pop", [lambda brain: brain.pop("name"), lambda brain: brain.popitem()[1]])
def test_value_that_replaces_the_one_that_is_popped_is_popped_in_its_place(brain, monkeypatch, pop):
    brain["name"] = "older"
    replace_while_read(brain, monkeypatch, 3)
    assert pop(brain) == "newer 2"
    assert "name" not in brain


def test_pop_of_what_is_replaced_for_ever_ends_with_a_typed_error(brain, monkeypatch):
    brain["name"] = "older"
    monkeypatch.setattr(mapping, "_ATTEMPTS", 5)
    replace_while_read(brain, monkeypatch, 1_000_000)
    with pytest.raises(ValueConflict, match="'name'"):
        brain.pop("name")
    assert "name" in brain


def test_value_that_cannot_be_read_is_not_lost_by_popping_it(brain):
    brain._store.put("brain/default", "name", [b"no pickle"])
    for pop in (lambda: brain.pop("name", None), brain.popitem):
        with pytest.raises(BrainError):
            pop()
        assert "name" in brain


def test_popitem_finds_a_name_that_is_learned_while_the_others_go(brain, monkeypatch):
    scan, scans = type(brain._store).scan, []

    def scan_and_change(store, namespace):
        found = list(scan(store, namespace))
        if not scans:
            scans.append(brain.learn("came", "meanwhile"))
            brain.forget("goes")
        return iter(found)

    brain["goes"] = 1
    monkeypatch.setattr(type(brain._store), "scan", scan_and_change)
    assert brain.popitem() == ("came", "meanwhile")
    with pytest.raises(ValueMissing):
        brain.popitem()


def test_what_cannot_be_stored_leaves_nothing_in_the_way(brain):
    with pytest.raises(EncodeError):
        brain.setdefault("name", Thread())
    assert brain.setdefault("name", 1) == brain["name"] == 1


def test_expired_value_is_made_anew(brain, monkeypatch):
    brain.learn("name", "expired", ttl=0)
    assert brain.get_or_learn("name", lambda: "made") == "made"
    brain.learn("other", "expired", ttl=0)
    assert brain.setdefault("other", "set") == brain["other"] == "set"


def test_damaged_value_is_neither_overwritten_nor_hidden(brain):
    brain._store.put("brain/default", "name", [b"no pickle"])
    for use in (lambda: brain.setdefault("name", 1), lambda: brain.get_or_learn("name", lambda: 1)):
        with pytest.raises((DecodeError, BrainError)):
            use()


def test_stores_are_asked_to_compare_only_where_it_matters(brain, monkeypatch):
    """A plain assignment wins over whatever lies there."""
    put, asked = type(brain._store).put, []

    def noted(store: Store, *args, **kwargs):
        asked.append(kwargs.get("replaces"))
        return put(store, *args, **kwargs)

    monkeypatch.setattr(type(brain._store), "put", noted)
    brain["name"] = 1
    brain.update(name=2)
    brain.learn_many({"name": 3})
    assert asked == [None] * 3
