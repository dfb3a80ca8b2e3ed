"""What a request reads and stores, and how long that takes: the header ``Server-Timing``, in debug mode.

Browsers show it with each request, Dash in its graph of callbacks, and the panel adds it up for a page.
"""

from __future__ import annotations

from functools import partial
from time import perf_counter

from dash_brain.web.apps import requested_app
from dash_brain.web.dash_internals import is_debugged
from dash_brain.web.servers import Response, current_request

#: Whether an app of this process is debugged. Whoever notes something looks here first, so that it costs
#: nothing elsewhere.
is_on = False

#: What is noted, and what stands before a count of it; without commas, at which Dash splits the header.
_WORDS = {
    "get": "values read",
    "put": "values stored",
    "hit": "results known",
    "miss": "results not known",
}

#: What was noted -> how often, and the seconds that it took in all.
_Noted = dict[str, tuple[int, float]]


def turn_on() -> None:
    """Note what requests do from now on, of apps that are debugged."""
    global is_on
    is_on = True


def note(what: str, began: float | None = None) -> None:
    """Note what was done, which began at a time of ``perf_counter``; without one, only that it was done.

    Outside of requests, as in a background job, nothing is noted.
    """
    request, app = current_request(), requested_app()
    if request is None or app is None or not is_debugged(app):
        return
    if "timing" not in request.state:
        request.state["timing"] = {}
        request.before_sending(partial(_send, request.state["timing"]))
    noted: _Noted = request.state["timing"]
    count, seconds = noted.get(what, (0, 0.0))
    noted[what] = count + 1, seconds + (0.0 if began is None else perf_counter() - began)


def _send(noted: _Noted, response: Response) -> None:
    for what, (count, seconds) in noted.items():
        text = f'dash_brain_{what};dur={seconds * 1000:.3f};desc="dash_brain {_WORDS[what]}: {count}"'
        response.headers.add("Server-Timing", text)
