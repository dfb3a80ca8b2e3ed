"""The connection to Redis: what fails is tried again, and when Redis is away that is said at once."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable
from functools import cached_property, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeVar

from dash_brain.common.forks import reset_in_children
from dash_brain.errors import StoreError, StoreFull, StoreUnavailable
from dash_brain.stores.namespaces import OF_CLIENTS
from dash_brain.stores.redis.address import Address
from dash_brain.stores.redis.names import packed
from dash_brain.stores.redis.wire import Answer, Wire

if TYPE_CHECKING:
    from redis import Redis

T = TypeVar("T")

#: How often what failed is tried in all, and the seconds in between, at most.
_TRIES = 3
_PAUSE = 0.2
#: Seconds for which Redis is not asked again after it could not be reached.
_COOL_DOWN = 1.0


class OutOfMemory(StoreFull):
    """Redis has reached its maxmemory, and evicts nothing by itself."""


class Link:
    """A pool of connections to one Redis, and the script that does the work there."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self._asked_again_at = 0.0
        reset_in_children(self)

    def run(self, verb: str, *arguments: str | bytes | float, again: bool = True) -> Any:
        """Return what a verb of the script answers; ``again``: it may be sent twice."""
        given = [verb, *(packed(one) if isinstance(one, str) else one for one in arguments)]
        return self.call(lambda client: _evaluate(client, given), again=again)

    def ask(self, question: bytes, read: Callable[[Answer], T]) -> T:
        """Return what ``read`` makes of the answer to commands that change nothing, which ``wire`` packs."""
        return self.call(lambda _: self.wire.ask(question, read))

    def call(self, use: Callable[[Redis], T], *, again: bool = True) -> T:
        """Return what ``use`` does with the client.

        Raises
        ------
        StoreUnavailable
            When Redis cannot be reached, or refuses; at once when it could not be reached a moment ago.
        StoreFull
            When it has no memory left.
        """
        if time.monotonic() < self._asked_again_at:
            raise self._unreachable()
        begun, tries = time.monotonic(), _TRIES if again else 1
        while True:
            tries -= 1
            try:
                return use(self.client)
            except StoreError:  # it is an OSError, and has been told already
                raise
            except Exception as error:
                if not _is_of_redis(error):
                    raise
                if not _is_outage(error):
                    raise self._refused(error) from error
                if not tries or time.monotonic() - begun >= self.address.timeout:
                    self._asked_again_at = time.monotonic() + _COOL_DOWN
                    raise self._unreachable() from error
            time.sleep(random.uniform(0, _PAUSE))

    @cached_property
    def client(self) -> Redis:
        """The client, which was asked whether values can lie there."""
        client = self.address.client()
        if client.info("cluster").get("cluster_enabled"):
            raise StoreUnavailable(
                f"The Redis at {self.address.shown} is a Cluster, which keeps the parts of one value on "
                "several servers and cannot replace them in one step. Use a single Redis or Valkey; with "
                "Sentinel, redis+sentinel://, if it has to survive its machine."
            )
        return client

    @cached_property
    def wire(self) -> Wire:
        """What reads are asked on."""
        return Wire(self.client, keeps=self.address.keeps_connections)

    @cached_property
    def room(self) -> int:
        """Bytes that values may take in this Redis: the rest is for its bookkeeping, and for what is sent."""
        memory = self.call(lambda client: client.info("memory"))
        return int(memory.get("maxmemory") or memory.get("total_system_memory") or 1 << 34) * 3 // 4

    def close(self) -> None:
        """Drop the connections; the next use connects anew."""
        client = vars(self).pop("client", None)
        vars(self).pop("wire", None)
        if client is not None:
            client.close()

    def reset_after_fork(self) -> None:
        """Let the child connect by itself: what is said on the connections of its parent is the parent's."""
        vars(self).pop("client", None)
        vars(self).pop("wire", None)

    def _unreachable(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"Redis at {self.address.shown} does not answer. Nothing is known of the values there until it "
            "does; this process goes on by itself then. Is it running, and is the URL right?"
        )

    def _refused(self, error: Exception) -> StoreUnavailable | StoreFull:
        if "command not allowed when used memory" in str(error):
            return OutOfMemory(
                f"Redis at {self.address.shown} has no memory left, and what may be evicted of this store "
                "would not be enough. What was stored before is untouched. Delete values, give them a ttl, "
                "or raise maxmemory."
            )
        kind = _kind(error)
        if kind in ("AuthenticationError", "NOAUTH", "WRONGPASS"):
            return StoreUnavailable(
                f"Redis at {self.address.shown} does not take the user or password of the URL, or wants one "
                "that the URL does not have. Set in the URL those that Redis has, with %40 for an @ in them: "
                "redis://user:password@host."
            )
        return StoreUnavailable(
            f"Redis at {self.address.shown} refused what was asked of it: {kind}. Its user needs the keys "
            "and channels dash_brain:*, the commands of the categories @read, @write, @scripting, @pubsub "
            "and @connection, and INFO."
        )


def _evaluate(client: Redis, given: list[str | bytes | float]) -> Any:
    from redis.exceptions import NoScriptError

    text, digest = _script()
    try:
        return client.evalsha(digest, 0, *given)
    except NoScriptError:  # Redis was started anew
        return client.eval(text, 0, *given)


@lru_cache
def _script() -> tuple[str, str]:
    """Return the script and its name."""
    clients = ", ".join(f"['{domain}'] = true" for domain in OF_CLIENTS)
    text = files(__package__).joinpath("store.lua").read_text("utf-8").replace("@CLIENTS@", clients)
    return text, hashlib.sha1(text.encode()).hexdigest()


def _kind(error: Exception) -> str:
    """Return the kind of an error, and nothing else: what Redis says may quote a command, and so a value."""
    from redis.exceptions import AuthenticationError

    if isinstance(error, AuthenticationError):
        return "AuthenticationError"
    first = str(error).partition(" ")[0][:40]  # redis-py removes it where it has a type for the kind
    return first if first.isupper() else type(error).__name__


def _is_of_redis(error: Exception) -> bool:
    from redis.exceptions import RedisError

    return isinstance(error, (RedisError, OSError))


def _is_outage(error: Exception) -> bool:
    """Say whether it may be over in a moment."""
    from redis import exceptions as redis

    if isinstance(error, (redis.AuthenticationError, redis.AuthorizationError, redis.MaxConnectionsError)):
        return False
    passing = (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError, redis.MasterDownError, OSError)
    return isinstance(error, passing)
