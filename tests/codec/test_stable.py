"""Streams name what rebuilds values by stable names, so that what was stored outlives a move of the code."""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from typing import Any

import pytest

from dash_brain.codec import encode, stable
from dash_brain.web.recipes.records import ArgumentRef, ObjectRef, Record
from dash_brain.web.tokens import Token
from tests.codec.values import VALUES

#: Never shorter: streams that were stored hold these names.
NAMES = {
    "MemoGiven",
    "MemoHeld",
    "MemoRecord",
    "Token",
    "array",
    "array_attributes",
    "array_of",
    "array_seen_as",
    "arrow_list",
    "arrow_map",
    "arrow_rows",
    "arrow_scalar",
    "arrow_type",
    "blocks",
    "cells",
    "exception",
    "figure",
    "frame",
    "index",
    "lines",
    "masked",
    "nan",
    "polars_arrow",
    "polars_own",
    "polars_series",
    "range_index",
    "strings",
    "text",
}


def test_no_name_is_ever_removed() -> None:
    assert set(stable.HOMES) >= NAMES


@pytest.mark.parametrize("name", stable.HOMES)
def test_each_name_stands_for_what_has_it(name: str) -> None:
    thing = getattr(stable, name)
    assert (thing.__module__, thing.__qualname__) == (stable.__name__, name)


def globals_of(stream: Any) -> Iterator[tuple[str, str]]:
    """Yield module and name of what a stream refers to."""
    texts: list[str] = []
    memo: dict[int, str] = {}
    for opcode, argument, _ in pickletools.genops(bytes(stream)):
        if opcode.name in ("SHORT_BINUNICODE", "BINUNICODE"):
            texts.append(argument)
        elif opcode.name == "MEMOIZE":
            memo[len(memo)] = texts[-1] if texts else ""
        elif opcode.name in ("BINGET", "LONG_BINGET"):
            texts.append(memo.get(argument, ""))
        elif opcode.name == "STACK_GLOBAL":
            yield texts[-2], texts[-1]


def test_what_is_kept_of_memoized_calls_has_stable_names() -> None:
    held, given = ObjectRef("memo", "0" * 32), ArgumentRef("app/memo", "0" * 32)
    record = Record("load", "f", "c", "i", 0.0, [held, Token("t")], (held,), None, b"")
    for module, _ in globals_of(encode([record, given])[0]):
        assert module == stable.__name__


@pytest.mark.parametrize("name", VALUES)
def test_streams_refer_to_nothing_else_of_dash_brain(name: str) -> None:
    stream = bytes(memoryview(encode(VALUES[name]())[0]))
    for module, _ in globals_of(stream):
        assert not module.startswith("dash_brain") or module == stable.__name__
    assert b"dash_brain.codec.adapters" not in stream
