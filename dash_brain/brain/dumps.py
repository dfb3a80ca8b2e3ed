"""Dumps: copies of named values in a plain folder, which can be moved to another machine.

::

    manifest    a signature; then, as JSON, for each name: file, lengths of the frames, digest, meta, expiry
    <id>.value  the frames of one value, one after the other
    key         what the signature was made with, unless its owner keeps the key elsewhere

Values are pickles, and whoever can forge one runs code where it is recalled. So nothing is learned unless
the manifest is signed and the digest of every file is right. A signature proves what its key is worth:

- Without ``key=`` the key lies in the folder. That tells a damaged dump, and one that another user of the
  machine has touched: the folder must be the loader's own, and nobody else's to change. Who copies a dump
  here vouches for it, as for any program that he copies here.
- With ``key=`` the folder may lie or travel anywhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from dash_brain.brain.dump_folder import SUFFIX, DumpFolder, opened
from dash_brain.brain.mapping import checked_name
from dash_brain.common.signing import Key, master_from
from dash_brain.errors import DecodeError, StoreUnavailable, ValueMissing
from dash_brain.stores.base import Frames, Store, needs_scan, new_object_id

StrPath: TypeAlias = "str | os.PathLike[str]"
Secret: TypeAlias = "str | bytes"

#: Keeps a value: name, frames, meta, and seconds left to live, or None.
Learn: TypeAlias = Callable[[str, Frames, Mapping[str, str], "float | None"], object]

#: Passes things on one by one, and may show how many are left.
Watched: TypeAlias = Callable[[Iterable[Any]], Iterable[Any]]

FORMAT = 1

_MANIFEST = "manifest"
_LABEL = "dump"


@dataclass(frozen=True)
class Dumped:
    """One value as it lies in a dump; ``expires`` is in seconds since the epoch, or None."""

    frames: Frames
    meta: Mapping[str, str]
    expires: float | None


def write(
    store: Store,
    namespace: str,
    path: StrPath,
    names: Iterable[str] | None,
    key: Secret | None,
    watched: Watched = iter,
) -> list[str]:
    """Write a dump in place of an older one, which stays as it is if this fails; return its names."""
    with opened(path, writing=True) as folder:
        if key is None:
            folder.make_key()
        signing, kept = _key(folder, key), folder.values()
        try:
            values = _taken(store, namespace, names, watched)
            entries = {name: _write(folder, value) for name, value in values}
            folder.replace(_MANIFEST, _signed(signing, entries))
            kept = {entry["file"] for entry in entries.values()}
        finally:
            for file in folder.values() - kept:
                folder.remove(file)
        if key is not None:
            folder.remove_key()
        return list(entries)


def read(path: StrPath, key: Secret | None, learn: Learn, watched: Watched = iter) -> list[str]:
    """Learn what has not expired of a dump, once all of it has proved authentic; return the names."""
    learned = []
    with opened(path, writing=False) as folder:
        folder.find(_MANIFEST)  # before its key: where there is no dump, no key is missing
        entries = _entries(_key(folder, key), folder.read(_MANIFEST))
        for entry in watched(list(entries.values())):
            _read(folder, entry)
        for name, entry in watched(list(entries.items())):
            left = _left(entry)
            if left is None or left > 0:
                learn(name, _read(folder, entry), entry["meta"], left)
                learned.append(name)
    return learned


def _taken(
    store: Store, namespace: str, names: Iterable[str] | None, watched: Watched
) -> Iterator[tuple[str, Dumped]]:
    """Yield names with their values; of all names, without those that are forgotten meanwhile."""
    if names is not None:
        for name in watched([names] if isinstance(names, str) else names):
            yield name, _taken_one(store, namespace, checked_name(name))
        return
    for name in watched(sorted(needs_scan(store).scan(namespace))):
        with suppress(ValueMissing):
            yield name, _taken_one(store, namespace, name)


def _taken_one(store: Store, namespace: str, name: str) -> Dumped:
    while True:
        info = store.info(namespace, name)
        frames = store.get(namespace, name)
        if store.info(namespace, name).object_id == info.object_id:  # else it was replaced meanwhile
            return Dumped(frames, info.meta, info.expires)


def _left(entry: Mapping[str, Any]) -> float | None:
    """Return how many seconds a value has left to live: never more than when it was dumped."""
    if entry["expires"] is None:
        return None
    left: float = min(entry["expires"] - time.time(), entry["left"])
    return left


def _key(folder: DumpFolder, key: Secret | None) -> Key:
    return Key(folder.key() if key is None else master_from(key))


def _write(folder: DumpFolder, value: Dumped) -> dict[str, Any]:
    file = new_object_id() + SUFFIX
    folder.write(file, value.frames)
    left = None if value.expires is None else value.expires - time.time()
    return {
        "file": file,
        "lengths": [memoryview(frame).nbytes for frame in value.frames],
        "digest": _digest(value.frames),
        "meta": dict(value.meta),
        "expires": value.expires,
        "left": left,
    }


def _read(folder: DumpFolder, entry: Mapping[str, Any]) -> Frames:
    try:
        content = memoryview(folder.read(entry["file"]))
    except FileNotFoundError as error:
        raise _damaged(entry["file"]) from error
    if _digest([content]) != entry["digest"]:
        raise _damaged(entry["file"])
    frames, start = [], 0
    for length in entry["lengths"]:
        frames.append(content[start : start + length])
        start += length
    return frames


def _digest(frames: Frames) -> str:
    digest = hashlib.blake2b(digest_size=32)
    for frame in frames:
        digest.update(frame)
    return digest.hexdigest()


def _signed(key: Key, entries: Mapping[str, Any]) -> bytes:
    text = json.dumps({"format": FORMAT, "values": entries}).encode("ascii")
    return key.signature(_LABEL, text).encode("ascii") + b"\n" + text


def _entries(key: Key, manifest: bytearray) -> dict[str, dict[str, Any]]:
    signature, _, text = bytes(manifest).partition(b"\n")
    if not key.signs(signature.decode("latin-1"), _LABEL, text):
        raise _damaged(_MANIFEST)
    content = json.loads(text)
    if content["format"] != FORMAT:
        raise StoreUnavailable(
            f"The dump has format {content['format']}, and this release knows {FORMAT}. Load it with the "
            "release that made it, or a later one."
        )
    values: dict[str, dict[str, Any]] = content["values"]
    return values


def _damaged(file: str) -> DecodeError:
    return DecodeError(
        f"The dump is damaged, forged, or made with another key: {file} is not what was written. "
        "Load it with the key= that it was made with, or make it again."
    )
