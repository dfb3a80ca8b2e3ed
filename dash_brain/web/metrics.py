"""Metrics at a path of the app, for Prometheus; ``configure(metrics=...)`` says who may read them."""

from __future__ import annotations

from hmac import compare_digest

import dash

from dash_brain.metrics.prometheus import CONTENT_TYPE, text
from dash_brain.metrics.stats import stats
from dash_brain.settings import MetricsGuard, current
from dash_brain.web.servers import Answer, Request, answer_at

#: The path, below the prefix of the app's routes.
PATH = "_dash-brain-metrics"


def answer_scrapes(app: dash.Dash) -> None:
    """Answer requests for metrics to an app that has its server."""
    answer_at(app.server, f"{app.config.routes_pathname_prefix}{PATH}", _answer)


def _answer(request: Request) -> Answer:
    guard = current.use().metrics
    if guard is None:
        return Answer(404)
    if not _may_read(guard, request):
        return Answer(403, "You may not read metrics here: configure(metrics=...) says who may.\n")
    return Answer(200, text(stats()), CONTENT_TYPE)


def _may_read(guard: MetricsGuard, request: Request) -> bool:
    if callable(guard):
        return guard(request.headers) is True
    sent = request.headers.get("Authorization", "")
    return compare_digest(sent.encode(), f"Bearer {guard}".encode())
