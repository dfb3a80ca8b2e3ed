"""The servers that an app may run on: one interface to the current request and its response."""

from dash_brain.web.servers.base import Request, Response
from dash_brain.web.servers.flask import current_request  # the only one so far

__all__ = ["Request", "Response", "current_request"]
