"""Which names a piece of code reads, nested attributes and imports included; found once for each code."""

from __future__ import annotations

import dis
import weakref
from collections.abc import Iterator
from types import CodeType
from typing import Any, TypeAlias

#: ``("global", name, attribute...)``; ``("cell", name, attribute...)`` for a variable that is closed over; or
#: ``("import", level, module, attribute...)``.
Chain: TypeAlias = "tuple[Any, ...]"

_SOURCES = {
    "LOAD_GLOBAL": "global",
    "LOAD_NAME": "global",
    "LOAD_FROM_DICT_OR_GLOBALS": "global",
    "LOAD_DEREF": "cell",
    "LOAD_CLASSDEREF": "cell",
    "LOAD_FROM_DICT_OR_DEREF": "cell",
}

_known: dict[int, tuple[weakref.ref[CodeType], tuple[Chain, ...]]] = {}


def reads(code: CodeType) -> tuple[Chain, ...]:
    """Return the chains of names that code and all code inside it read, in a stable order."""
    known = _known.get(id(code))
    if known is not None and known[0]() is code:
        return known[1]
    chains = tuple(sorted(set(_chains(code, {})), key=repr))
    address = id(code)
    _known[address] = weakref.ref(code, lambda _: _known.pop(address, None)), chains
    return chains


def _chains(code: CodeType, imported: dict[str, Chain]) -> Iterator[Chain]:
    """Yield the chains; ``imported`` has what the code around it imports, by its local names."""
    scan = _Scan(dict(imported))
    before: list[Any] = [None, None]
    for step in dis.get_instructions(code):
        yield from scan.step(step.opname, step.argval, before)
        before = [before[1], step.argval]
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _chains(constant, scan.imported)


class _Scan:
    """Reads the instructions of a piece of code. Attributes belong to what was loaded last."""

    def __init__(self, imported: dict[str, Chain]) -> None:
        self.imported = imported
        self._loaded: Chain | None = None
        self._module: Chain | None = None
        self._binds: Chain | None = None

    def step(self, name: str, what: Any, before: list[Any]) -> Iterator[Chain]:
        """Yield the chain that ends here."""
        if name in ("LOAD_ATTR", "LOAD_METHOD") and self._loaded:
            self._loaded = (*self._loaded, what)
            return
        if self._loaded:
            yield self._loaded
            self._loaded = None
        if name == "IMPORT_NAME":
            self._import(what, *before)
        elif name == "IMPORT_FROM":
            self._from(what)
        elif name.startswith("STORE_"):
            self._store(what)
        if name in _SOURCES:
            self._loaded = self.imported.get(what) or (_SOURCES[name], what)
        elif "LOAD_FAST" in name:
            self._loaded = self.imported.get(what[-1] if isinstance(what, tuple) else what)

    def _import(self, module: str, level: Any, wanted: Any) -> None:
        self._module = ("import", level, module, wanted is None)
        top = module.partition(".")[0]
        self._binds = None if wanted else ("import", level, top)  # ``import a.b`` binds ``a``

    def _from(self, wanted: str) -> None:
        kind, level, module, is_whole = self._module or ("import", 0, "", False)
        # ``import a.b as c`` looks ``b`` up in ``a``, and means the module.
        self._binds = (kind, level, module) if is_whole else (kind, level, module, wanted)

    def _store(self, name: Any) -> None:
        local = name[0] if isinstance(name, tuple) else name
        if self._binds:
            self.imported[local] = self._binds
        self._binds = None
