"""Bodies in a bucket, of objects whose manifests lie in Redis.

The parts of a body are ``<prefix>/<object id>/<number>``. Before the first is sent Redis notes that they are
coming, under a lock that the writer renews (``store.lua``: put), and the script that publishes the manifest
removes that. So a body of which Redis has neither was forgotten by it, or will never be published, and may be
removed at any time: no clocks are compared, and a slow writer loses nothing.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, cast

from blake3 import blake3

from dash_brain.errors import StoreError
from dash_brain.stores.redis.bucket import Bucket
from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import COMING, PREFIX, object_of
from dash_brain.stores.redis.objects import PART, Upload

if TYPE_CHECKING:
    from redis import Redis

#: Seconds in which one process of all looks through the bucket.
_SWEPT_EVERY = 3600
#: Bodies of which Redis has forgotten that are removed in one step.
_BATCH = 1000
#: What a part is named in the bucket; what has another name is not ours.
_NAME = re.compile(r"([0-9a-f]{32})/\d+")
#: What Redis notes of a body that was removed.
_REMOVED = re.compile(rb"([0-9a-f]{32}) (\d{1,5})")


class Blobs:
    """Bodies in a bucket.

    Parameters
    ----------
    link
        The Redis that knows which of them there are.
    bucket
        Where they lie. Nothing else lies under its prefix, and no other Redis uses it.
    """

    size = PART
    at_once = 8

    def __init__(self, link: Link, bucket: Bucket) -> None:
        self._link = link
        self.bucket = bucket

    def send(self, upload: Upload) -> None:
        """Send the body of an object."""
        numbered = zip(_names(upload.object_id, upload.count), upload.parts(), strict=True)
        while some := list(islice(numbered, self.at_once)):
            _all_at_once([partial(self.bucket.put, name, part) for name, part in some])

    def receive(self, object_id: str, first: int, views: Sequence[memoryview], before: blake3) -> blake3:
        """Receive parts from the n-th on into these views; return the hash of them and those before."""
        named = zip(islice(_names(object_id, first + len(views)), first, None), views, strict=True)
        _all_at_once([partial(self.bucket.receive, name, view) for name, view in named])
        for view in views:
            before.update(view)
        return before

    def withdraw(self, upload: Upload) -> None:
        """Remove a body unless its manifest was published, as far as Redis and the bucket can be reached."""
        with suppress(StoreError):
            if self._link.call(lambda client: client.hdel(COMING, upload.object_id), again=False):
                self.bucket.remove(list(_names(upload.object_id, upload.count)))

    def clear(self) -> None:
        """Remove the bodies that Redis has noted as removed; once in a while look through all in a thread.

        What cannot be removed now is found then.
        """
        with suppress(StoreError):
            removed, is_due = self._link.call(_removed)
            if is_due:
                threading.Thread(target=self._sweep_quietly, name="dash_brain-blobs", daemon=True).start()
            noted = [found for one in removed if (found := _REMOVED.fullmatch(one))]
            self.bucket.remove([name for one in noted for name in _names(one[1].decode(), int(one[2]))])

    def sweep(self) -> int:
        """Remove all bodies that Redis knows nothing of; return how many there were."""
        gone: set[str] = set()
        for names in self.bucket.names():
            ours = {name: found[1] for name in names if (found := _NAME.fullmatch(name))}
            known = self._known(sorted(set(ours.values())))
            self.bucket.remove([name for name, object_id in ours.items() if object_id not in known])
            gone.update(set(ours.values()) - known)
        return len(gone)

    def _sweep_quietly(self) -> None:
        with suppress(StoreError):
            self.sweep()

    def _known(self, ids: list[str]) -> set[str]:
        """Return which of these objects have a manifest, or are coming."""

        def ask(client: Redis) -> list[int]:
            pipeline = client.pipeline(transaction=False)
            for one in ids:  # in this order: what is published in between is one of both
                pipeline.hexists(COMING, one)
                pipeline.exists(object_of(one))
            return pipeline.execute()

        said = self._link.call(ask)
        return {one for one, coming, there in zip(ids, said[::2], said[1::2], strict=True) if coming or there}


def _removed(client: Redis) -> tuple[list[bytes], bool]:
    """Return what was removed, and whether it is time to look through the bucket."""
    pipeline = client.pipeline(transaction=False)
    pipeline.spop(PREFIX + b"removed", _BATCH)
    pipeline.set(PREFIX + b"swept", b"", nx=True, ex=_SWEPT_EVERY)
    removed, is_due = pipeline.execute()
    return cast("list[bytes]", removed), bool(is_due)


def _names(object_id: str, count: int) -> Iterator[str]:
    return (f"{object_id}/{number}" for number in range(count))


def _all_at_once(jobs: Sequence[Callable[[], None]]) -> None:
    """Do jobs at once; when one fails wait for the others, and raise its error."""
    first, *others = jobs
    with ThreadPoolExecutor(len(jobs)) as threads:  # starts a thread for each job that it is given
        pending = [threads.submit(job) for job in others]
        first()
        for one in pending:
            one.result()
