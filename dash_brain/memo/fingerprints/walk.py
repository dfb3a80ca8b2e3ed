"""A walk through a value and through what it uses, which gives its fingerprint.

Each part is hashed by itself, and a container hashes the digests of its parts. So a part that occurs a
thousand times is hashed once, and one shared object counts as several equal ones do. A part that contains
itself is written as its distance from itself.

Classes, and functions that code finds by name, are written by their names; their content is added once, at
the end. So functions may call one another in cycles, and in chains of any length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from types import FunctionType
from typing import Any, TypeAlias

from blake3 import blake3

from dash_brain.codec.names import type_name
from dash_brain.memo.fingerprints.hasher import ATOMS, LONG, TEXTS, Hasher, write_plain
from dash_brain.memo.fingerprints.no_fingerprint import NoFingerprint
from dash_brain.memo.fingerprints.snapshot import Snapshot

#: Writes a value of a certain type.
Rule: TypeAlias = "Callable[[Walk, Hasher, Any], None]"

#: Number of digests that are remembered: less than 20 MB.
_REMEMBERED = 1 << 15

#: Parts of containers that are written at once if all are atoms, by exact type.
FEW = 16
_SMALL: dict[type, Callable[[Any], tuple[Any, ...]]] = {
    list: lambda value: (value,),
    tuple: lambda value: (value,),
    dict: lambda value: (value, value.values()),
}

#: By a rule, what writes some of its values at once, and says whether this was one of them.
AT_ONCE: dict[Rule, Callable[[Walk, Hasher, Any], bool]] = {}

#: Elements that are looked at together.
_TOGETHER = 1 << 10


class Walk:
    """One walk.

    Parameters
    ----------
    rules
        What writes values of a type; called once for each type.
    home
        The package whose code counts by itself even where it is installed.
    ignores_cells
        Whether the closed-over variables of the function itself are left out.
    is_lenient
        Whether a part without a fingerprint counts by its type, in place of an error.
    snapshot
        Records what was read, to tell later whether any of it has changed.
    """

    def __init__(
        self,
        rules: Callable[[type], Rule],
        home: str = "",
        *,
        ignores_cells: bool = False,
        is_lenient: bool = False,
        snapshot: Snapshot | None = None,
    ) -> None:
        self.home = home
        self.ignores_cells = ignores_cells
        self.is_lenient = is_lenient
        self.snapshot = snapshot
        self.among_helpers = False
        self.is_in_function = False
        self._rules_of = rules
        self._rules: dict[type, Rule] = {}
        self._digests: dict[int, tuple[Any, bytes]] = {}
        self._older: dict[int, tuple[Any, bytes]] = {}
        # Tarjan's algorithm: parts that may belong to a cycle which is not closed yet, and their places.
        self._open: list[Any] = []
        self._places: dict[int, int] = {}
        self._here = self._lowest = -1
        self._named: dict[int, tuple[Any, bytes]] = {}
        self._pending: list[tuple[Any, bytes, Rule, str]] = []
        self._same_names: dict[str, int] = {}

    def fingerprint(self, write: Callable[[Walk, Hasher], None]) -> bytes:
        """Return the fingerprint of what is written, and of all that it refers to."""
        hasher = Hasher()
        write(self, hasher)
        for entry in sorted(self._entries()):
            hasher.write(entry)
        return hasher.digest()

    def put(self, hasher: Hasher, value: Any) -> None:
        """Write a value, as its digest if it has parts."""
        cls = type(value)
        if cls in _SMALL and len(value) <= FEW and self.plain(hasher, value, *_SMALL[cls](value)):
            self.meet(cls)
            return
        atom = ATOMS.get(cls)
        if atom is not None and not (cls in TEXTS and len(value) >= LONG):
            self.meet(cls)
            atom(hasher, value)
            return
        at_once = AT_ONCE.get(self._rule(cls))
        if at_once is None or not at_once(self, hasher, value):
            hasher.write(self._digest(value))

    def put_at(self, hasher: Hasher, label: str, value: Any) -> None:
        """Write a value; if it is refused, the label tells where it lies."""
        try:
            self.put(hasher, value)
        except NoFingerprint as refused:
            raise refused.within(label) from None

    def inline(self, hasher: Hasher, value: Any) -> None:
        """Write a value that was made on the way, and is therefore not remembered."""
        self._rule(type(value))(self, hasher, value)

    def items(
        self, hasher: Hasher, values: Iterable[Any], label: Callable[[int], str] = "[{}]".format
    ) -> None:
        """Write values one after the other."""
        number = 0
        for together in _chunks(values):
            if not self.plain(hasher, together, together, tag=b"M"):
                for at, value in enumerate(together, number):
                    try:
                        self.put(hasher, value)
                    except NoFingerprint as refused:
                        raise refused.within(label(at)) from None
            number += len(together)
        hasher.mark(b".", number)

    def plain(self, hasher: Hasher, values: Any, *parts: Any, tag: bytes = b"m") -> bool:
        """Write a container, whose ``parts`` are these, at once if it is plain; say whether it is."""
        kinds = write_plain(hasher, values, *parts, tag=tag)
        for kind in kinds or ():
            self.meet(kind)
        return kinds is not None

    def alone(self, value: Any) -> bytes:
        """Return the digest of a value by itself."""
        hasher = Hasher()
        self.put(hasher, value)
        return hasher.digest()

    def refer(self, hasher: Hasher, thing: Any, name: str, content: Rule, label: str = "") -> None:
        """Write the name of a class or function; what it is counts once, at the end."""
        known = self._named.get(id(thing))
        if known is None:
            number = self._same_names[name] = self._same_names.get(name, -1) + 1
            token = Hasher()
            token.text(f"{name} {number}")
            known = self._named[id(thing)] = thing, token.digest()
            self._pending.append((thing, known[1], content, label))
        hasher.write(b"@" + known[1])

    def _entries(self) -> Iterator[bytes]:
        self.among_helpers = self.is_in_function = True
        while self._pending:
            thing, token, content, label = self._pending.pop()
            if self.snapshot and type(thing) is not FunctionType:
                self.snapshot.end()
            try:
                hasher = Hasher()
                content(self, hasher, thing)
                yield token + hasher.digest()
            except NoFingerprint as refused:
                raise refused.within(label) from None

    def _rule(self, cls: type) -> Rule:
        rule = self._rules.get(cls)
        if rule is None:
            rule = self._rules[cls] = self._rules_of(cls)
        return rule

    def _digest(self, value: Any) -> bytes:
        key = id(value)
        known = self._digests.get(key) or self._older.get(key)
        if known is not None:
            self._digests[key] = known
            return known[1]
        place = self._places.get(key)
        if place is not None:  # it holds itself
            self._lowest = min(self._lowest, place)
            return b"^" + (self._here - place).to_bytes(8, "little", signed=True)
        return self._begin(value)

    def meet(self, cls: type) -> None:
        """Record that a value of this type was met."""
        if self.snapshot:
            self.snapshot.meet(cls)

    def _begin(self, value: Any) -> bytes:
        self.meet(type(value))
        place, around = len(self._open), (self._here, self._lowest)
        self._open.append(value)
        self._places[id(value)] = self._here = self._lowest = place
        hasher = Hasher()
        try:
            self._rule(type(value))(self, hasher, value)
        except NoFingerprint as refused:
            self._here, self._lowest = around
            for member in self._open[place:]:
                del self._places[id(member)]
            del self._open[place:]
            if self.is_lenient:
                return b"?" + blake3(refused.what.encode()).digest()
            raise
        digest, lowest = b"#" + hasher.digest(), self._lowest
        self._here, self._lowest = around
        if lowest == place:
            self._close(place, digest)
        else:
            self._lowest = min(self._lowest, lowest)
        return digest

    def _close(self, place: int, digest: bytes) -> None:
        """Remember a part, and those that form a cycle with it by their places in that."""
        members = self._open[place:]
        del self._open[place:]
        for number, member in enumerate(members):
            del self._places[id(member)]
            own = digest if number == 0 else b"#" + blake3(digest + b"%d" % number).digest()
            self._digests[id(member)] = member, own
        if len(self._digests) > _REMEMBERED:
            self._older, self._digests = self._digests, {}


def _chunks(values: Iterable[Any]) -> Iterator[Any]:
    if isinstance(values, (list, tuple)) and len(values) <= _TOGETHER:
        yield list(values)
        return
    source = iter(values)
    while together := list(islice(source, _TOGETHER)):
        yield together


def refuse(value: Any) -> NoFingerprint:
    """Return the refusal of a value."""
    return NoFingerprint(type_name(value))
