"""An app signs what it puts in Redis with the key of its server, where no other was configured."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.programs import REPOSITORY
from tests.redis import KEY

APP = """
import sys
import dash
from dash_brain import ServerStore, configure
from dash_brain.common.signing import KeyRing, master_from
from dash_brain.settings import current

app = dash.Dash()
app.server.config["SECRET_KEY"], app.server.config["SECRET_KEY_FALLBACKS"] = sys.argv[1] or None, sys.argv[2:]
app.layout = ServerStore(id="store")
answer = app.server.test_client().get("/")
assert answer.status_code == 200, answer.status_code
names = [KeyRing([master_from(secret)]).newest.kid for secret in sys.argv[1:]]
assert [key.kid for key in current.use().keys] == names, names
current.use().store.put("brain/a", "key", [b"x"])
print("works", "set-cookie" in {name.lower() for name, _ in answer.headers})
"""

OLDER = "b5e0c7f31d294a8e96f8d17a3c40b2e5"


def serve(url: str, *secrets: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Serve the page of an app once."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("DASH_BRAIN")}
    return subprocess.run(
        [sys.executable, "-c", APP, *secrets],
        env={**given, "DASH_BRAIN_STORE": f"{url}&near=off", **env},  # no folder is left
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("secrets", [[KEY], [KEY, OLDER]])
def test_key_of_the_server_signs_and_older_ones_verify(url, secrets):
    assert serve(url, *secrets).stdout == "works True\n"


def test_configured_key_comes_first(url):
    assert f"{KEY}" not in serve(url, OLDER, DASH_BRAIN_KEY=KEY).stdout
    assert "AssertionError" in serve(url, OLDER, DASH_BRAIN_KEY=KEY).stderr  # it is not that of the server


@pytest.mark.parametrize("secret", ["", "dev"])
def test_without_a_key_that_is_one_no_page_is_served(url, secret):
    served = serve(url, secret)
    assert served.returncode
    assert "Values in Redis are signed, and there is no key." in served.stderr
