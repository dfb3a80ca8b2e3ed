"""Namespaces are apart, for all processes alike."""

from __future__ import annotations

import pytest

from dash_brain.brain import Brain
from dash_brain.errors import (
    BrainNamespaceNameError,
    BrainNamespaceNotExistError,
    BrainNamespaceRemoveDefaultError,
)
from tests.brain.workers import learn_in_namespace
from tests.processes import FORKSERVER


def test_names_are_those_of_the_namespace_that_is_asked_for(brain):
    brain["a"] = 1
    brain.view("alpha")["b"] = 2
    brain.view("alphabet")["c"] = 3
    assert brain.names() == brain.names("default") == ["a"]
    assert brain.names("alpha") == ["b"]
    assert brain.names(namespace="alphabet") == ["c"]
    assert brain.names("unknown") == []
    assert brain.namespace == "default"


def test_names_of_all_namespaces_are_there_as_often_as_they_are_used(brain):
    brain.learn_many({"b": 1, "a": 1})
    brain.view("other")["a"] = 2
    assert brain.names("all") == ["a", "b", "a"]


def test_set_namespace_moves_there_and_says_where_it_is(brain):
    brain["this"] = "default text"
    assert brain.set_namespace("x") == "x"
    assert brain.namespace == brain.set_namespace() == "x"
    assert "this" not in brain
    brain["this"] = "other text"
    brain.set_namespace("default")
    assert brain["this"] == "default text"


@pytest.mark.parametrize("namespace", ["", "a" * 256, 5, b"name"])
def test_namespace_that_is_no_such_text_is_refused_and_the_current_one_stays(brain, namespace):
    for ask in (brain.set_namespace, brain.view, brain.names):
        with pytest.raises(BrainNamespaceNameError):
            ask(namespace)
    assert brain.namespace == "default"


def test_namespace_is_changed_by_set_namespace_alone(brain):
    with pytest.raises(AttributeError):
        brain.namespace = "other"


def test_namespaces_are_those_that_hold_something_with_the_current_one_and_default(brain, store):
    assert brain.namespaces() == {"default"}
    brain.set_namespace("current")
    Brain("other", store=store)["a"] = 1
    store.put("session/abc", "a", [b""])
    assert brain.namespaces() == {"default", "current", "other"}


def test_second_process_leaves_the_namespaces_as_they_are(tmp_path):
    brain = Brain("first", path=tmp_path)
    brain["a"] = 1
    with FORKSERVER.Pool(1) as pool:
        assert pool.apply(learn_in_namespace, (str(tmp_path), "second")) == {"default", "first", "second"}
    assert brain.namespaces() == {"default", "first", "second"}
    assert brain["a"] == 1


def test_removed_namespace_takes_its_names_along_and_no_others(brain):
    for namespace in ("alpha", "alphabet", "default"):
        brain.view(namespace)["a"] = 1
    assert brain.remove_namespace("alpha") == "default"
    assert brain.namespaces() == {"default", "alphabet"}
    assert brain.names("all") == ["a", "a"]


@pytest.mark.parametrize("arguments", [(), ("current",)])
def test_removing_the_current_namespace_leads_back_to_default(brain, arguments):
    brain.set_namespace("current")
    brain["a"] = 1
    assert brain.remove_namespace(*arguments) == "default"
    assert brain.namespace == "default"
    assert brain.namespaces() == {"default"}
    assert brain.names("all") == []


def test_removing_another_namespace_stays_in_the_current_one(brain):
    brain.set_namespace("current")
    brain.view("other")["a"] = 1
    assert brain.remove_namespace("other") == "current"
    assert brain.namespace == "current"


@pytest.mark.parametrize("arguments", [(), ("default",)])
def test_default_cannot_be_removed(brain, arguments):
    brain["a"] = 1
    with pytest.raises(BrainNamespaceRemoveDefaultError):
        brain.remove_namespace(*arguments)
    assert brain["a"] == 1


def test_unknown_namespace_cannot_be_removed(brain):
    with pytest.raises(BrainNamespaceNotExistError, match="'unknown'"):
        brain.remove_namespace("unknown")


def test_no_name_is_reserved(brain):
    assert brain.reserved_names == []
