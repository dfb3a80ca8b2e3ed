"""The public names are few, pinned, and each of them says what it is for."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import FunctionType

import pytest

import dash_brain
from dash_brain import errors

PUBLIC = [
    "Brain",
    "Memoize",
    "ServerOutput",
    "ServerStore",
    "Token",
    "brain_callback",
    "close_session",
    "configure",
    "from_token",
    "open_store",
    "session_brain",
    "set_props",
    "stats",
    "to_token",
]


def public_functions() -> Iterator[tuple[str, object]]:
    """Every public function, and every public method that dash_brain itself defines."""
    for name in PUBLIC:
        thing = getattr(dash_brain, name)
        if inspect.isclass(thing):
            for attribute, member in vars(thing).items():
                if not attribute.startswith("_") and isinstance(member, FunctionType | property):
                    yield f"{name}.{attribute}", member
        elif inspect.isfunction(thing):
            yield name, thing


def test_the_public_names_are_these() -> None:
    assert dash_brain.__all__ == PUBLIC


def test_the_public_names_are_sorted() -> None:
    assert sorted(dash_brain.__all__) == list(dash_brain.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_object_says_what_it_is_for(name: str) -> None:
    thing = getattr(dash_brain, name)
    assert inspect.getdoc(thing if callable(thing) else type(thing))


def test_public_functions_and_methods_say_what_they_do() -> None:
    assert not [name for name, function in public_functions() if not inspect.getdoc(function)]


@pytest.mark.parametrize("name", [name for name, thing in vars(errors).items() if inspect.isclass(thing)])
def test_an_error_says_when_it_is_raised_and_is_a_brain_error(name: str) -> None:
    error = getattr(errors, name)
    assert issubclass(error, errors.BrainError)
    assert error.__doc__


def test_tools_see_all_public_names_before_they_are_loaded() -> None:
    assert set(PUBLIC) <= set(dir(dash_brain))
