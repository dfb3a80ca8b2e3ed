"""The result of one call of a memoized callback: its key, and how it is read and stored."""

from __future__ import annotations

import logging
import time
from contextlib import AbstractContextManager, suppress
from typing import Any, NamedTuple

from dash_brain import codec
from dash_brain.errors import StoreError, ValueMissing
from dash_brain.settings import current
from dash_brain.singleflight import Unkept
from dash_brain.singleflight.flight_key import FlightKey
from dash_brain.stores.base import Store, new_object_id
from dash_brain.stores.namespaces import RESULT
from dash_brain.web import server_timing
from dash_brain.web.leases import LEASE
from dash_brain.web.outgoing import Outgoing
from dash_brain.web.recipes import recompute, records
from dash_brain.web.recipes.definitions import Definition
from dash_brain.web.recipes.records import ObjectRef, Record
from dash_brain.web.sessions import Caller

log = logging.getLogger("dash_brain")


class ResultKey(NamedTuple):
    """The key of a result: its scope, and the fingerprints of function, call and arguments."""

    store: Store
    scope: str
    namespace: str
    function: str
    call: str
    identity: str

    @property
    def short(self) -> str:
        """The key of its record."""
        return records.record_key(self.store, self.call)


class MemoizedResult:
    """The result of one call, whether it is there or not.

    Parameters
    ----------
    callback
        The definition of the callback.
    result_key
        Its key.
    given
        The arguments, with :class:`ArgumentRef` for the values of tokens.
    """

    def __init__(self, callback: Definition, result_key: ResultKey, given: list[Any]) -> None:
        self._callback = callback
        self._store, self._scope, self._namespace = result_key[:3]
        self._short = result_key.short
        self._result_key = result_key
        self._given = given

    @property
    def flight_key(self) -> FlightKey:
        """The key under which callers wait for it."""
        key = f"{records.record_namespace(self._namespace)}/{self._short}"
        return FlightKey(self._store, key, self._callback.name)

    def making(self) -> AbstractContextManager[None]:
        """Return the context manager for computing and storing it."""
        return self._callback.making(self._scope)

    def known(self) -> Record | None:
        """Return the record of the call, if all its objects exist."""
        record = self._record()
        if record is None or not records.touch(self._store, self._namespace, self._short, record):
            return None
        return record

    def fresh(self) -> Record:
        """Return the record if it is fresh; else raise ``ValueMissing``."""
        record = self.known()
        if record is None or self.is_stale(record):
            raise ValueMissing("There is no fresh result; it has to be computed.")
        return record

    def is_stale(self, record: Record) -> bool:
        """Say whether a result is stale."""
        return self._callback.lifetime.is_stale(record.made)

    def keep(self, result: Any, caller: Caller, context: Any) -> Record | Unkept[Record]:
        """Store what the function returned: under its old ids if it was evicted, else under new ones."""
        self._callback.stability.compare(self._result_key.function, self._callback.fingerprint)
        evicted = self._record()
        if evicted is not None and not self.is_stale(evicted):
            with suppress(ValueMissing):  # pages may hold tokens with the old ids
                values = recompute.values_by_id(self._callback.outputs.schema, evicted, result)
                if recompute.put_back(self._store, self._namespace, evicted, values):
                    return evicted
        return self._store_as_new(result, caller, context)

    def _record(self) -> Record | None:
        record = records.read(self._store, self._namespace, self._short)
        whole = self._callback.lifetime.whole
        if record is None or record.call != self._result_key.call:
            return None
        return record if whole is None or abs(time.time() - record.made) <= whole else None

    def _store_as_new(self, result: Any, caller: Caller, context: Any) -> Record | Unkept[Record]:
        objects: list[ObjectRef] = []

        def put(value: Any) -> ObjectRef:
            objects.append(self._put(value))
            return objects[-1]

        try:
            outgoing = Outgoing(caller, context, put)
            outputs = outgoing.outputs(result, context["outputs_list"], self._callback.outputs)
            return self._written(self._as_record(outputs, objects))
        except BaseException:
            for held in objects:
                with suppress(StoreError):
                    self._store.delete(self._namespace, held.object_id)
            raise

    def _put(self, value: Any) -> ObjectRef:
        held = ObjectRef(self._scope, self._short + new_object_id()[len(self._short) :])
        began = time.perf_counter() if server_timing.is_on else None
        frames, meta = codec.encode(value), {**codec.summary(value), "callback": self._callback.name}
        quota = current.use().quota
        self._store.put(
            self._namespace,
            held.object_id,
            frames,
            ttl=self._ttl(),
            meta=meta,
            retention=RESULT.within(quota),
        )
        if began is not None:
            server_timing.note("put", began)
        return held

    def _written(self, record: Record) -> Record | Unkept[Record]:
        try:
            records.write(self._store, self._namespace, self._short, record)
        except StoreError as error:
            if record.objects:  # its objects would be orphans
                raise
            log.warning("The result of %s is not kept: %s", self._callback.name, error)
            return Unkept(record)
        return record

    def _as_record(self, outputs: Any, objects: list[ObjectRef]) -> Record:
        given = codec.encode(self._given)
        # With key=, other arguments may have made the result, which may be gone when it is needed again.
        known = self._callback.memoize.key is None and sum(map(len, given)) <= records.LARGEST_ARGUMENTS
        return Record(
            callback=self._callback.name,
            function=self._result_key.function,
            call=self._result_key.call,
            identity=self._result_key.identity,
            made=time.time(),
            outputs=outputs,
            objects=tuple(objects),
            ttl=self._ttl(),
            arguments=bytes(given[0]) if known else None,
        )

    def _ttl(self) -> float | None:
        """Return the ttl of an unused result."""
        whole = self._callback.lifetime.whole
        if whole is not None:
            return max(whole, LEASE)  # a page may hold it when it is not fresh any more
        return None if self._scope == records.SCOPES["app"] else current.use().session_ttl
