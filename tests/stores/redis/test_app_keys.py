"""An app signs what it puts in Redis with the key of its server, where no other was configured."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import zygote
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


@pytest.fixture
def serve(url: str, tmp_path: Path) -> Callable[..., str]:
    """Serve the page of an app once, in a process of its own, and return what that printed."""

    def serve(*secrets: str, **env: str) -> str:
        (tmp_path / "app.py").write_text(APP)
        (tmp_path / "said").touch()
        env["DASH_BRAIN_STORE"] = f"{url}&near=off"  # no folder is left
        program = zygote.start([str(tmp_path / "app.py"), *secrets], output=tmp_path / "said", env=env)
        program.wait(60)
        return (tmp_path / "said").read_text()

    return serve


@pytest.mark.parametrize("secrets", [[KEY], [KEY, OLDER]])
def test_key_of_the_server_signs_and_older_ones_verify(serve, secrets):
    assert serve(*secrets) == "works True\n"


def test_configured_key_comes_first(serve):
    said = serve(OLDER, DASH_BRAIN_KEY=KEY)
    assert KEY not in said
    assert "AssertionError" in said  # it is not that of the server


@pytest.mark.parametrize("secret", ["", "dev"])
def test_without_a_key_that_is_one_no_page_is_served(serve, secret):
    said = serve(secret)
    assert "works" not in said
    assert "Values in Redis are signed, and there is no key." in said
