"""``configure()``, the environment, and what comes first."""

from __future__ import annotations

import inspect
import secrets
from pathlib import Path

import pytest

from dash_brain.errors import AlreadyConfigured
from dash_brain.settings import Settings, configure, current


def test_equal_settings_may_be_given_again_and_others_may_not(tmp_path: Path) -> None:
    configure(f"file://{tmp_path}", session_ttl=60)
    configure(f"file://{tmp_path}", session_ttl=60)
    configure(f"file://{tmp_path}", session_ttl=90)  # not in use yet
    assert current.use().session_ttl == 90
    configure(f"file://{tmp_path}", session_ttl=90)
    with pytest.raises(AlreadyConfigured, match="once"):
        configure(f"file://{tmp_path}", session_ttl=60)
    assert current.use().session_ttl == 90


def test_arguments_come_before_the_environment_and_that_before_the_defaults(monkeypatch) -> None:
    monkeypatch.setenv("DASH_BRAIN_SESSION_TTL", "120")
    monkeypatch.setenv("DASH_BRAIN_GRACE", "5")
    monkeypatch.setenv("DASH_BRAIN_MAX_SESSIONS", "7")
    monkeypatch.setenv("DASH_BRAIN_APP_ID", "from the environment")
    monkeypatch.setenv("DASH_BRAIN_ON_MISSING", "empty")
    configure(grace=9)
    settings = current.use()
    assert (settings.session_ttl, settings.grace, settings.max_sessions) == (120, 9, 7)
    assert (settings.app_id, settings.on_missing) == ("from the environment", "empty")


OPTIONS = [name for name in inspect.signature(configure).parameters if name != "principal"]  # a function
OTHERS = {"store": "memory://other", "key": secrets.token_urlsafe(), "on_missing": "empty", "cookie": "page"}
OTHERS["metrics"] = secrets.token_urlsafe()


@pytest.mark.parametrize("name", OPTIONS)
def test_each_option_has_its_environment_variable(name, monkeypatch) -> None:
    field = {"store": "store_or_url", "key": "secrets"}.get(name, name)
    before = getattr(current.use(), field)
    current.forget()
    monkeypatch.setenv(f"DASH_BRAIN_{name.upper()}", OTHERS.get(name, "777"))
    assert getattr(current.use(), field) != before


def test_the_key_may_come_from_the_environment(monkeypatch) -> None:
    key = secrets.token_urlsafe()
    monkeypatch.setenv("DASH_BRAIN_KEY", key)
    first = current.use().keys.newest.kid
    current.forget()
    configure(key=key)
    assert current.use().keys.newest.kid == first
    assert first != Settings("memory://").keys.newest.kid


@pytest.mark.parametrize(
    "wrong",
    [
        {"session_ttl": 0},
        {"grace": -1},
        {"max_sessions": 0},
        {"session_ttl": float("nan")},
        {"on_missing": "ignore"},
        {"key": []},
        {"key": ""},
    ],
)
def test_what_makes_no_sense_is_refused_at_once(wrong) -> None:
    with pytest.raises(ValueError):
        configure(**wrong)
