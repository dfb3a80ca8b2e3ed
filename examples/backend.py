"""The backend of Dash that the examples run on: ``BACKEND=fastapi``, ``quart``, or Flask."""

import os

BACKEND = os.environ.get("BACKEND") or "flask"
