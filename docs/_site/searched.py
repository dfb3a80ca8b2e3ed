"""The search leaves out the pages that name everything: they would be the first results of most searches."""

from __future__ import annotations

from typing import Any

NOT_SEARCHED = ("changelog", "promises", "trust")


def _leave_out(app: Any, env: Any) -> None:
    for page in NOT_SEARCHED:
        env.metadata[page]["nosearch"] = "its words are found on the pages that it is about"


def setup(app: Any) -> dict[str, bool]:
    app.connect("env-updated", _leave_out)
    return {"parallel_read_safe": True}
