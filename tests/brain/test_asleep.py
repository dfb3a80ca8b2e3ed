"""A Brain that sleeps does nothing until it is woken up."""

from __future__ import annotations

import pytest

from dash_brain.brain import Brain
from dash_brain.errors import BrainClientDisconnectedError

OPERATIONS = {
    "get": lambda brain: brain["a"],
    "set": lambda brain: brain.__setitem__("a", 1),
    "del": lambda brain: brain.__delitem__("a"),
    "in": lambda brain: "a" in brain,
    "len": lambda brain: len(brain),
    "iterate": lambda brain: list(brain),
    "items": lambda brain: list(brain.items()),
    "values": lambda brain: list(brain.values()),
    "get with default": lambda brain: brain.get("a", 1),
    "pop": lambda brain: brain.pop("a", None),
    "popitem": lambda brain: brain.popitem(),
    "setdefault": lambda brain: brain.setdefault("a", 1),
    "update": lambda brain: brain.update(a=1),
    "clear": lambda brain: brain.clear(),
    "learn": lambda brain: brain.learn("a", 1),
    "recall": lambda brain: brain.recall("a"),
    "forget": lambda brain: brain.forget("a"),
    "exists": lambda brain: brain.exists("a"),
    "learn_many": lambda brain: brain.learn_many({"a": 1}),
    "recall_many": lambda brain: brain.recall_many(["a"]),
    "get_or_learn": lambda brain: brain.get_or_learn("a", int),
    "names": lambda brain: brain.names(),
    "names of all": lambda brain: brain.names("all"),
    "knowledge": lambda brain: brain.knowledge(),
    "metadata": lambda brain: brain.metadata("a"),
    "object_id": lambda brain: brain.object_id("a"),
    "object_ids": lambda brain: brain.object_ids(),
    "ids": lambda brain: brain.ids(),
    "namespaces": lambda brain: brain.namespaces(),
    "set_namespace": lambda brain: brain.set_namespace("other"),
    "remove_namespace": lambda brain: brain.remove_namespace("other"),
    "view": lambda brain: brain.view("other"),
    "version": lambda brain: brain.version("a"),
    "wait": lambda brain: brain.wait("a", None, timeout=0),
    "dump": lambda brain: brain.dump("never made"),
    "load": lambda brain: brain.load("not there"),
    "size": lambda brain: brain.size(),
    "used": lambda brain: brain.used(),
    "free": lambda brain: brain.free(),
    "bytes": lambda brain: brain.bytes,
    "mb": lambda brain: brain.mb,
    "resize": lambda brain: brain.resize(1_000_000),
    "dead": lambda brain: brain.dead(i_am_sure=True),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_says_that_it_is_asleep(brain, operation):
    brain["a"] = "kept"
    brain.view("other")["a"] = "kept"
    brain.sleep()
    with pytest.raises(BrainClientDisconnectedError, match=r"wake_up\(\)"):
        OPERATIONS[operation](brain)
    brain.wake_up()
    assert brain["a"] == brain.view("other")["a"] == "kept"


def test_every_public_method_is_among_the_operations():
    methods = {name for name in dir(Brain) if not name.startswith("_") and callable(getattr(Brain, name))}
    views_of_a_mapping = {"keys"}
    assert methods - views_of_a_mapping - {"sleep", "wake_up", "start"} <= set(OPERATIONS)


def test_what_it_is_can_be_said_in_sleep(brain):
    brain.sleep()
    assert brain.namespace == "default"
    assert brain.reserved_names == []
    assert repr(brain).endswith("asleep)")


def test_others_are_not_concerned(brain, store):
    brain["a"] = 1
    view = brain.view("default")
    brain.sleep()
    assert Brain(store=store)["a"] == view["a"] == 1


def test_who_is_not_sure_is_left_alive(brain):
    brain["a"] = 1
    assert not brain.dead()
    assert brain["a"] == 1


def test_death_forgets_all_namespaces_and_nothing_of_sessions(brain, store):
    brain["a"] = brain.view("other")["b"] = 1
    store.put("session/abc", "kept", [b""])
    assert brain.dead(i_am_sure=True)
    with pytest.raises(BrainClientDisconnectedError):
        brain.names()
    brain.start()
    assert brain.names("all") == []
    assert list(store.scan("session/abc")) == ["kept"]
