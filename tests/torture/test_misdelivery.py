"""Very many sessions at once, over many workers: each gets what is its own."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

from tests.torture.crowds import together
from tests.torture.pages import Line
from tests.torture.sessions import BROWSERS, NAMES, QUOTA, STEPS, Session, sessions_of
from tests.torture.sizes import size

WORKERS = size(8, 16)
SESSIONS = size(50, 1_000)
CALLERS = size(5, 20)
VALUES = size(1_000, 1_000_000)
GRACE = 2.0


def caller(url: str, number: int, folder: Path) -> list[Session]:
    """Let some of the sessions hand over all of their values, and return them."""
    with closing(Line(url)) as one, closing(Line(url)) as another:
        sessions = [
            session
            for turn in range(SESSIONS // CALLERS // sum(map(len, BROWSERS)))
            for place, users in enumerate(BROWSERS)
            for session in sessions_of(users, f"{number}-{turn}-{place}", one, folder)
        ]
        for serial in range(VALUES // SESSIONS):
            for session in random.sample(sessions, len(sessions)):
                session.page.line = random.choice([one, another])
                session.step(serial)
    return sessions


def test_no_session_is_ever_handed_a_value_of_another(serve, shelf, tmp_path):
    env = {**shelf.environment(grace=GRACE, session_quota=QUOTA), "TORTURE_USERS": "1"}
    target = "tests.torture.served:server"
    server = serve(target, workers=WORKERS, threads=2, env=env, options=["--preload"])
    crowd = together(
        [lambda number=number: caller(server.url, number, tmp_path) for number in range(CALLERS)]
    )
    sessions = [session for some in crowd for session in some]
    assert len({session.page.cookie for session in sessions}) == SESSIONS
    common = {made for session in sessions for made in session.common.items()}
    assert len(common) == lines_in(tmp_path / "common") == min(NAMES, VALUES // SESSIONS // len(STEPS))
    assert sum(session.made for session in sessions) == lines_in(tmp_path / "own")
    workers = {pid for session in sessions for pid in session.workers}
    assert len(workers) >= WORKERS // 2
    assert "Traceback" not in server.log


def lines_in(journal: Path) -> int:
    """Return how often something was made, by a line for each time."""
    return len(journal.read_text().splitlines())
