"""Dash apps beside Django in one server, by WSGI and by ASGI."""

from __future__ import annotations

from typing import Any

import django
import pytest
from dash import Dash
from django import conf
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from tests.app.asgi import client_of
from tests.app.test_mounted import assert_apart, use
from tests.redis import KEY

NAMES = ["one", "two"]
urlpatterns = [path("", lambda request: HttpResponse("Django itself"))]


@pytest.fixture(scope="module", autouse=True)
def _django() -> None:
    conf.settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY=KEY)
    django.setup()


def test_apps_of_flask_that_are_dispatched_beside_django_have_their_own_values():
    mounts = {
        f"/{name}": use(Dash(name, requests_pathname_prefix=f"/{name}/"), name).server for name in NAMES
    }
    server = Flask("around")
    server.wsgi_app = DispatcherMiddleware(get_wsgi_application(), mounts)
    assert server.test_client().get("/").text == "Django itself"
    assert_apart(server, NAMES)


@pytest.mark.parametrize("kind", ["fastapi", "quart"])
def test_apps_of_asgi_beside_django_have_their_own_values(kind):
    apps = {name: use(Dash(name, backend=kind, url_base_pathname=f"/{name}/"), name).server for name in NAMES}
    rest = get_asgi_application()

    async def server(scope: Any, receive: Any, send: Any) -> None:
        name = NAMES[0] if scope["type"] == "lifespan" else scope["path"].split("/")[1]
        await apps.get(name, rest)(scope, receive, send)

    assert client_of(server).get("/").text == "Django itself"
    assert_apart(server, NAMES)
