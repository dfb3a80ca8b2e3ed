"""Where a Redis is, by its URL, and how it is spoken to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from dash_brain.errors import StoreUnavailable

if TYPE_CHECKING:
    from redis import Redis

#: What such URLs begin with. redis-py has no URL of its own for Sentinel; this is how others spell it.
SENTINELS = ("redis+sentinel", "rediss+sentinel")
SCHEMES = ("redis", "rediss", "unix", *SENTINELS)

#: Options of redis-py that a URL may give.
_PASSED_ON = {"db", "username", "password", "client_name", "max_connections", "health_check_interval"}
_SENTINEL_PORT = 26379
#: Seconds to connect in.
_CONNECT = 2.0


class Address:
    """What a URL says of a Redis; nothing is connected yet.

    Raises
    ------
    StoreUnavailable
        When redis-py is not installed.
    ValueError
        When the URL is none.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        given = dict(parse_qsl(parts.query, keep_blank_values=True))
        self.size = given.pop("size", None)
        #: The bucket where large bodies lie.
        self.blobs = given.pop("blobs", None)
        self.lease = _seconds(given.pop("lease", "15"), "lease")
        self.timeout = _seconds(given.pop("timeout", "5"), "timeout")
        self._sentinel = {
            name: given.pop(f"sentinel_{name}")
            for name in ("username", "password")
            if f"sentinel_{name}" in given
        }
        unknown = sorted(name for name in given if name not in _PASSED_ON and not name.startswith("ssl_"))
        if unknown or parts.fragment:
            raise ValueError(f"unknown parameter {', '.join(unknown) or '#'}.")
        self._parts = parts._replace(query=urlencode(given))
        #: Where it is, without credentials, for messages.
        self.shown = parts.netloc.rpartition("@")[2] or parts.path
        self._options = self._parsed()

    def client(self) -> Redis:
        """Return a client with a pool of connections, none of which is made yet."""
        from redis import ConnectionPool, Redis
        from redis.sentinel import Sentinel

        if self._parts.scheme not in SENTINELS:
            return Redis(connection_pool=ConnectionPool(**self._options))
        tls = {name: value for name, value in self._options.items() if name.startswith("ssl")}
        sentinel = Sentinel(
            [_host_and_port(one) for one in self.shown.split(",")],
            sentinel_kwargs={**_talk(self.timeout), **tls, **self._sentinel},
        )
        return sentinel.master_for(self._service, **self._options)  # type: ignore[no-any-return]

    @property
    def keeps_connections(self) -> bool:
        """Whether they need not be looked at each time: with Sentinel another server may be the master."""
        return self._parts.scheme not in SENTINELS and "max_connections" not in self._options

    def _parsed(self) -> dict[str, Any]:
        try:
            from redis.connection import parse_url
        except ImportError:
            raise StoreUnavailable(
                "Values are to lie in Redis, and redis-py is not installed. "
                "Install it: pip install 'dash-brain[redis]'"
            ) from None
        sentinel = self._parts.scheme in SENTINELS
        parts = _of_master(self._parts) if sentinel else self._parts
        options = parse_url(f"{parts.scheme}://{parts.netloc}{parts.path}?{parts.query}")
        if sentinel:
            if options.pop("connection_class", None):
                options["ssl"] = True
            del options["host"]
        keep = {} if parts.scheme == "unix" else {"socket_keepalive": True}
        return {**options, **_talk(self.timeout), **keep}

    @property
    def _service(self) -> str:
        return unquote(self._parts.path.split("/")[1]) if "/" in self._parts.path else ""


def _talk(timeout: float) -> dict[str, Any]:
    """Return how connections behave: they give up in time, and retry nothing by themselves."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return {
        "socket_timeout": timeout,
        "socket_connect_timeout": min(timeout, _CONNECT),
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }


def _of_master(parts: SplitResult) -> SplitResult:
    """Return the URL of what the sentinels will name, with a host that stands for it."""
    service, *database = [unquote(one) for one in parts.path.split("/")[1:]] or [""]
    if not service or not all(map(str.isdecimal, database)) or len(database) > 1:
        raise ValueError("the path of such a URL is the name of the service, and a number of a database.")
    if not all(_host_and_port(one)[0] for one in parts.netloc.rpartition("@")[2].split(",")):
        raise ValueError("a sentinel has no host.")
    user = parts.netloc.rpartition("@")[0]
    return SplitResult(
        parts.scheme.removesuffix("+sentinel"),
        f"{user}@master" if user else "master",
        f"/{''.join(database) or 0}",
        parts.query,
        "",
    )


def _host_and_port(text: str) -> tuple[str, int]:
    one = urlsplit(f"//{text}")
    return one.hostname or "", one.port or _SENTINEL_PORT


def _seconds(text: str, name: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise ValueError(f"{name} is a number of seconds.")
    return seconds
