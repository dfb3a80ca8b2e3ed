"""Forged tokens, cookies and claims: near misses of real ones first, then everything else JSON can hold."""

from __future__ import annotations

import json
import random
import string
from typing import Any

_URL_SAFE = string.ascii_letters + string.digits + "-_"
_LOOK_ALIKES = str.maketrans("abcdeosx019.-_", "аbсdеоѕх０１９․‐＿")  # noqa: RUF001 - that is what they are
_SPACES = ("\0", " ", "\n", "\r", "\t", "\u200b", "\ufeff", "\u2028", "=", "%00", ".")


class Forger:
    """Makes forgeries of signed text in parts: tokens and cookies.

    Parameters
    ----------
    chance
        Where all choices come from: the same seed forges the same.
    own
        Real ones of the forger's own session; of those none may come out.
    foreign
        Real ones of others, which may come out as they are.
    """

    def __init__(self, chance: random.Random, own: list[str], foreign: list[str]) -> None:
        self._chance = chance
        self._own = own
        self._foreign = foreign
        self._ways = [
            self._one_other_character,
            self._cut,
            self._with_something_in_it,
            self._swapped_parts,
            self._other_part,
            self._other_case,
            self._look_alike,
            self._last_bits,
            self._bytes_of_its_own,
            self._someone_elses,
            self._very_long,
            self._two_at_once,
            self._noise,
        ]

    def text(self) -> str:
        """Return a forged text."""
        while (forged := self._chance.choice(self._ways)()) in self._own:
            pass  # what was changed into itself
        return forged

    def json(self) -> Any:
        """Return what may stand in place of a token in JSON; None, which means no token, never."""
        if self._chance.random() < 0.85:
            return self.text()
        return other_json(self._chance, [*self._own, *self._foreign])

    def _any(self) -> str:
        return self._chance.choice(self._chance.choice([self._own, self._foreign]))

    def _parts(self) -> list[str]:
        return self._any().split(".")

    def _one_other_character(self) -> str:
        text = self._any()
        at = self._chance.randrange(len(text))
        other = (
            self._chance.choice(_URL_SAFE)
            if self._chance.random() < 0.8
            else chr(self._chance.randrange(0x500))
        )
        return text[:at] + other + text[at + 1 :] if other != text[at] else text + other

    def _cut(self) -> str:
        text = self._any()
        begin, end = sorted(self._chance.sample(range(len(text) + 1), 2))
        return text[begin:] if begin and self._chance.random() < 0.5 else text[: end - (end == len(text))]

    def _with_something_in_it(self) -> str:
        text, more = self._any(), self._chance.choice(_SPACES)
        at = self._chance.choice([0, len(text), self._chance.randrange(len(text))])
        return text[:at] + more + text[at:]

    def _swapped_parts(self) -> str:
        mine, yours = self._parts(), self._parts()
        return ".".join(self._chance.choice(pair) for pair in zip(mine, yours, strict=False))

    def _other_part(self) -> str:
        """Return one with another key, scope, object, secret or signature of the right form."""
        parts = self._parts()
        at = self._chance.randrange(len(parts))
        part = parts[at]
        if len(part) == 33 and self._chance.random() < 0.5:  # a token's scope and object id
            parts[at] = {"s": "a", "a": "s", "m": "n", "n": "m"}[part[0]] + part[1:]
        else:
            alphabet = "0123456789abcdef" if set(part[1:]) <= set(string.hexdigits) else _URL_SAFE
            parts[at] = part[: part[0] in "samn"] + "".join(
                self._chance.choices(alphabet, k=len(part) - (part[0] in "samn"))
            )
        return ".".join(parts)

    def _other_case(self) -> str:
        return self._any().swapcase()

    def _look_alike(self) -> str:
        text = self._any()
        at = self._chance.randrange(len(text))
        return text[:at] + text[at:].translate(_LOOK_ALIKES)

    def _last_bits(self) -> str:
        """Return one whose signature decodes to the same bytes: 43 characters have two bits to spare."""
        text = self._any()
        last = _ORDER.index(text[-1]) if text[-1] in _ORDER else 0
        return text[:-1] + _ORDER[last ^ self._chance.choice([1, 2, 3])]

    def _bytes_of_its_own(self) -> str:
        return self._any().replace("-", "+").replace("_", "/") + "="

    def _someone_elses(self) -> str:
        return self._chance.choice(self._foreign)

    def _very_long(self) -> str:
        return self._any() * self._chance.choice([2] * 30 + [20] * 5 + [500])

    def _two_at_once(self) -> str:
        return self._any() + self._chance.choice(["", ".", ",", ";", " ", "\0"]) + self._any()

    def _noise(self) -> str:
        length = self._chance.choice([0, 1, 8, 43, 90, 97, 91])
        return "".join(chr(self._chance.randrange(1, 0x300)) for _ in range(length))


_ORDER = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


def other_json(chance: random.Random, texts: list[str]) -> Any:
    """Return JSON of any type but text and null, with real tokens in it where it has room."""
    text = chance.choice(texts)
    return chance.choice(
        [
            lambda: chance.choice(
                [True, False, 0, 1, -1, 0.5, 1e308, 2**63, 10**300, float("inf"), float("nan")]
            ),
            lambda: [text],
            lambda: [[text], None],
            lambda: {"token": text},
            lambda: {text: None},
            lambda: {"__type__": "Token", "data": text},
            list,
            dict,
            lambda: nested(chance.choice([3, 50, 400]), text),
        ]
    )()


def nested(depth: int, inner: Any) -> Any:
    """Return lists in lists."""
    for _ in range(depth):
        inner = [inner]
    return inner


class ClaimForger:
    """Makes claims that no page of ours would send: wrong in one place or in several.

    Parameters
    ----------
    chance
        Where all choices come from.
    claim
        A real claim of the forger's own, as JSON.
    tokens
        Makes what stands in place of a token.
    marks
        Proofs that belong to other components.
    """

    def __init__(
        self, chance: random.Random, claim: dict[str, Any], tokens: Forger, marks: list[str]
    ) -> None:
        self._chance = chance
        self._claim = claim
        self._tokens = tokens
        self._marks = marks
        self._ways = [
            self._page,
            self._turn,
            self._state,
            self._held,
            self._held,
            self._held,
            self._dropped,
            self._without,
            self._more,
        ]

    def body(self) -> str:
        """Return the body of a request: a forged claim as JSON, or what was JSON once."""
        body, strange = json.dumps(self.claim()), self._chance.random()
        if strange < 0.9:
            return body
        if strange < 0.95:
            return body[: self._chance.randrange(len(body))]
        depth = self._chance.choice([900, 1100, 100_000])
        deep = self._chance.choice(
            ["[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth, "9" * 5000, "1e400"]
        )
        return f'{body[:-1]}, "{self._chance.choice(["held", "dropped", "turn", "page"])}": {deep}}}'

    def claim(self) -> Any:
        """Return a forged claim, which JSON can hold."""
        if self._chance.random() < 0.03:
            return other_json(self._chance, [self._claim["held"][0]["token"]])
        forged = {**self._claim, "held": [dict(one) for one in self._claim["held"]]}
        for _ in range(self._chance.choice([1, 1, 2, 3])):
            self._chance.choice(self._ways)(forged)
        return forged

    def _strange(self) -> Any:
        return self._chance.choice(
            [None, self._tokens.json(), other_json(self._chance, ["x"]), "", "\0", "\ud800"]
        )

    def _page(self, forged: dict[str, Any]) -> None:
        page = self._chance.choice([self._claim["page"], "0" * 32, "ab" * 16])
        odd = [page.upper(), page + "\n", page[1:], page + "0", "../" + page[3:], "", self._strange()]
        forged["page"] = self._chance.choice([page, page, *odd])

    def _turn(self, forged: dict[str, Any]) -> None:
        turns = [0, -1, 1, -(10**30), 2**63, 10**4000, 1.5, "1", True, None, [1]]
        forged["turn"] = self._chance.choice(turns)

    def _state(self, forged: dict[str, Any]) -> None:
        forged["state"] = self._chance.choice(["gone", "parked", "OPEN", "", self._strange()])

    def _held(self, forged: dict[str, Any]) -> None:
        forged["held"] = self._chance.choice(
            [
                lambda: [self._one_held() for _ in range(self._chance.choice([1, 2, 8]))],
                lambda: [self._one_held()] * self._chance.choice([*[2] * 19, 1001]),
                self._strange,
            ]
        )()

    def _one_held(self) -> Any:
        real = dict(self._claim["held"][0])
        real["token"] = self._tokens.json()
        what = self._chance.choice(["id", "mark", "kind", "nothing", "gone", "all"])
        if what == "id":
            real["id"] = self._chance.choice(
                ["forged", "told", {"a": 1}, {"a": {}}, {}, {"a": nested(50, 1)}, self._strange()]
            )
            real["mark"] = self._chance.choice([real["mark"], *self._marks])
        elif what == "mark":
            real["mark"] = self._chance.choice([*self._marks, self._tokens.text(), self._strange()])
        elif what == "kind":
            real["kind"] = self._chance.choice(["local", "session", "LOCAL", self._strange()])
        elif what == "gone":
            del real[self._chance.choice(list(real))]
        elif what == "all":
            return self._strange()
        return real

    def _dropped(self, forged: dict[str, Any]) -> None:
        some = [self._tokens.json() for _ in range(self._chance.choice([1, 2, 8]))]
        forged["dropped"] = self._chance.choice(
            [*[some] * 10, *[nested(50, some)] * 10, self._strange(), some[:1] * 1001]
        )

    def _without(self, forged: dict[str, Any]) -> None:
        forged.pop(self._chance.choice(["page", "turn", "state", "held", "dropped"]), None)

    def _more(self, forged: dict[str, Any]) -> None:
        forged[self._chance.choice(["session", "namespace", "__class__", "pickle"])] = self._strange()
