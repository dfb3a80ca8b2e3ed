"""Nothing that was not signed for the session that asks is taken; nothing that was sent is unpickled."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Iterator
from contextlib import suppress

import flask
import pytest

from dash_brain.common.signing import KeyRing
from dash_brain.settings import current
from dash_brain.web.leases.claim import BadClaim, parse
from dash_brain.web.leases.pages import accept
from dash_brain.web.sessions import current_caller
from dash_brain.web.tokens import SCOPES, mint
from tests.torture.forgeries import ClaimForger, Forger
from tests.torture.pages import OURS, Page, as_callback
from tests.torture.served import server
from tests.torture.shelves import Shelf
from tests.torture.sizes import size
from tests.torture.trial import cookie_parts, failures, page_of, unpickled, visit_of

TOKENS = size(5_000, 10_000_000)
COOKIES = size(2_500, 1_000_000)
CLAIMS = size(2_500, 1_000_000)

AT_ONCE = 500
VALUES = 20


@pytest.fixture
def seed() -> int:
    """Shown by pytest when the test fails."""
    return secrets.randbits(32)


@pytest.fixture(autouse=True)
def _own_settings(own_settings: None) -> None:
    """All of this happens in one process, with a store of its own."""


def made(page: Page, mark: str) -> list[str]:
    """Return tokens of some values of the page's session, which the page holds and claims."""
    tokens = []
    for serial in range(VALUES):
        page.exchange(mark, serial)
        tokens.append(page.held["value"])
    page.held = {f"store {number}": token for number, token in enumerate(tokens)}
    page.dropped = []
    assert page.claim() == []
    return tokens


def signed_otherwise(page: Page) -> list[str]:
    """Return tokens that look right: signed by another key, for another scope, app or session."""
    asking, other, keys = visit_of(page), KeyRing([secrets.token_bytes(32)]), current.use().keys
    [*scopes], name = SCOPES, secrets.token_hex(16)
    strangers = [
        f"session/{secrets.token_hex(16)}",
        f"app/{secrets.token_hex(16)}",
        asking.names,
        asking.claims,
    ]
    by_another_key = [mint(other, scope, asking.namespace(scope), name) for scope in scopes]
    renamed = [token.replace(other.newest.kid, keys.newest.kid) for token in by_another_key]
    elsewhere = [mint(keys, scope, namespace, name) for scope in scopes for namespace in strangers]
    crossed = [
        mint(keys, "session", asking.namespace("app"), name),
        mint(keys, "app", asking.namespace("session"), name),
    ]
    return [*by_another_key, *renamed, *elsewhere, *crossed]


def test_no_forged_token_is_taken(seed, monkeypatch):
    thief, victim = page_of(server), page_of(server)
    own, foreign = made(thief, "thief"), [*made(victim, "victim"), *signed_otherwise(thief)]
    forger = Forger(random.Random(seed), own, foreign)
    with unpickled(monkeypatch) as streams, failures(server) as failed:
        for _ in range(TOKENS // AT_ONCE):
            forged = [forger.json() for _ in range(AT_ONCE)]
            answers = thief.shown(forged)
            taken = [one for one, answer in zip(forged, answers, strict=True) if answer != "BadToken"]
            assert not taken, f"seed {seed}"
        assert streams == failed == []
        assert [answer[0] for answer in thief.shown(own)] == ["thief"] * VALUES
        assert len(streams) == VALUES
    assert [answer[0] for answer in victim.shown(foreign[:VALUES])] == ["victim"] * VALUES


def test_a_forged_token_ends_a_callback_with_a_typed_error_and_no_other(seed, monkeypatch):
    thief, victim = page_of(server), page_of(server)
    forger = Forger(random.Random(seed), made(thief, "thief"), made(victim, "victim"))
    number = TOKENS // 200
    with unpickled(monkeypatch) as streams, failures(server) as failed:
        for _ in range(number):
            thief.held["shared"] = forger.json()
            body = thief.body("told-shared.children", {"shared.data": thief.held["shared"]})
            status, _, _ = thief.line.ask(
                "POST", "/_dash-update-component", lambda body=body: body, Cookie=str(thief.cookie)
            )
            assert status == 500, f"seed {seed}"
    assert failed == ["BadToken"] * number, f"seed {seed}"
    assert streams == []


def test_no_forged_cookie_is_a_session(seed, monkeypatch):
    pages = [page_of(server) for _ in range(VALUES)]
    [(name, _), *_] = parts = [cookie_parts(str(page.cookie)) for page in pages]
    real = [value for _, value in parts]
    forger = Forger(random.Random(seed), real, made(pages[0], "token"))
    with unpickled(monkeypatch) as streams:
        for _ in range(COOKIES):
            forged = forger.text().replace(";", "").replace(",", "")
            context = server.test_request_context(
                "/_dash-layout", headers={"Cookie": _header(f"{name}={forged}")}
            )
            with context:
                if (
                    flask.request.cookies.get(name) not in real
                ):  # quotes and blanks around a real one are no lie
                    assert current_caller().session is None, f"seed {seed}"
    assert streams == []


def test_a_forged_cookie_ends_a_callback_with_a_typed_error_and_a_page_with_a_new_session(seed, monkeypatch):
    pages = [page_of(server) for _ in range(VALUES)]
    [(name, _), *_] = parts = [cookie_parts(str(page.cookie)) for page in pages]
    real = [value for _, value in parts]
    forger = Forger(random.Random(seed), real, made(pages[0], "token"))
    seen, number = set(real), COOKIES // 200
    with unpickled(monkeypatch) as streams, failures(server) as failed:
        for _ in range(number):
            thief = page_of(server)
            thief.session = f"{name}={_plain(forger.text())}"
            _, headers, _ = thief.line.ask("GET", "/", Cookie=thief.cookie)
            given = cookie_parts(headers["Set-Cookie"].split(";")[0])[1]
            assert given not in seen, f"seed {seed}: an id is adopted, or given twice"
            seen.add(given)
            body = thief.body(
                "value.data told.children", {"order.value": {"mark": "thief", "serial": 1}}, ("value",)
            )
            status, _, _ = thief.line.ask(
                "POST", "/_dash-update-component", lambda body=body: body, Cookie=thief.cookie
            )
            assert status == 500, f"seed {seed}"
    assert failed == ["NoSession"] * number, f"seed {seed}"
    assert streams == []


def _header(cookie: str) -> str:
    text = cookie.encode("utf-8", "surrogatepass").decode("latin-1")
    return text.replace("\r", " ").replace("\n", " ")


def _plain(forged: str) -> str:
    """Return a forgery without what ends or frames a cookie: the rest would be a real one."""
    return forged.strip().strip('";,').replace(";", "").replace(",", "") + "x"


def marks_of(page: Page) -> dict[str, str]:
    """Return the proofs that the page's layout shows, by id."""
    _, _, content = page.line.ask("GET", "/_dash-layout", Cookie=str(page.cookie))
    components = [one["props"] for one in json.loads(content) if "mark" in one["props"]]
    return {props["id"]: props["mark"] for props in components if isinstance(props["id"], str)}


def belongings(shelf: Shelf, page: Page) -> dict[str, tuple[int, int]]:
    """Return the files of a session's values: which ones they are, and when they expire."""
    folder = shelf.folder / visit_of(page).namespace("session")
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.iterdir()}


def post_claim(page: Page, body: str) -> int:
    """Post what may be a claim, and return the status of the answer."""
    headers = {"Cookie": str(page.cookie), **OURS}
    return int(page.line.ask("POST", "/_dash-update-component", lambda: as_callback(body), **headers)[0])


def judge_claims(page: Page, bodies: Iterator[str]) -> int:
    """Do with each body what the route does, in one request; return how many are claims at all."""
    accepted = 0
    with server.test_request_context(
        "/_dash-update-component", method="POST", headers={"Cookie": str(page.cookie), **OURS}
    ):
        asking = current_caller()
        for body in bodies:
            with suppress(BadClaim):
                accept(asking, parse(body))
                accepted += 1
    return accepted


def test_no_forged_claim_keeps_deletes_or_registers_anything(seed, shelf, monkeypatch):
    thief, victim = page_of(server), page_of(server)
    own, foreign = made(thief, "thief"), made(victim, "victim")
    marks = marks_of(thief)
    held = {"id": "value", "mark": marks["value"], "token": own[0], "kind": "memory"}
    real = {"page": thief.id, "turn": 2, "state": "open", "held": [held], "dropped": []}
    assert post_claim(thief, json.dumps(real)) == 200
    before, registered = belongings(shelf, victim), shelf.files("registry")
    assert len(before) == VALUES
    chance = random.Random(seed)
    tokens = Forger(chance, own, [*foreign, *signed_otherwise(thief)])
    wrong_marks = [marks["shared"], cookie_parts(str(thief.cookie))[1][-43:], own[0][-43:]]
    forger = ClaimForger(chance, real, tokens, wrong_marks)
    with unpickled(monkeypatch) as streams, failures(server) as failed:
        accepted = judge_claims(thief, (forger.body() for _ in range(CLAIMS)))
        too_large = json.dumps(
            {**real, "dropped": own[:1] * 10_000}
        )  # chance alone makes one of these seldom
        statuses = {post_claim(thief, forger.body()) for _ in range(CLAIMS // 20)} | {
            post_claim(thief, too_large)
        }
    assert failed == streams == [], f"seed {seed}"
    assert statuses == {200, 400, 413}, f"seed {seed}"
    assert accepted > CLAIMS / 10
    assert belongings(shelf, victim) == before, f"seed {seed}"
    assert shelf.files("registry") == registered, f"seed {seed}"
    assert page_of(server, like=thief).claim() == []
