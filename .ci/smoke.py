"""Use the installed wheel with nothing but its own requirements beside it: no tests, no extras."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    os.environ["DASH_BRAIN_STORE"] = f"file://{folder}"

    import dash_brain
    from dash_brain import Brain

    package = Path(dash_brain.__file__).parent
    assert "site-packages" in package.parts, f"{package} is not the installed wheel"
    assert (package / "py.typed").is_file(), "the wheel lacks py.typed"
    assert list(package.rglob("*.js")), "the wheel lacks the browser half of ServerStore"

    import pandas as pd

    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=3), "text": list("abc")})
    brain = Brain("smoke")
    brain["frame"] = frame
    pd.testing.assert_frame_equal(brain["frame"], frame)

    from dash import Dash, Input, dcc

    from dash_brain import ServerStore, brain_callback

    app = Dash("smoke")
    app.layout = [dcc.Input(id="text", value="a"), ServerStore(id="store")]

    @brain_callback(dash_brain.ServerOutput("store"), Input("text", "value"))
    def store(text):
        return frame

    page = app.server.test_client().get("/")
    assert page.status_code == 200
    assert b"dash_brain" in page.data, "the page does not load the browser half of ServerStore"
    command = [Path(sys.executable).parent / "dash-brain", "inspect", "frame", "--namespace", "smoke"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "pandas.DataFrame" in shown, f"the command says: {shown}"
print("the wheel works:", dash_brain.__version__)
