"""Bytes in a bucket of S3, or of a server that speaks its protocol.

By botocore, since a client of it can be made anew in a forked child. obstore and opendal run on tokio, which
hangs in a child once the parent has used it; and workers of gunicorn, of Celery and of Dash's background
callbacks are forked.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import cached_property, partial
from importlib.util import find_spec
from typing import Any, TypeVar
from urllib.parse import urlsplit

from dash_brain.common.forks import reset_in_children
from dash_brain.errors import StoreUnavailable
from dash_brain.stores.redis.parts import Altered, Gone

T = TypeVar("T")

#: Connections that are kept; more threads than that open some anew.
_CONNECTIONS = 32
#: How often a question is asked in all, and how often an answer that broke off is fetched.
_TRIES = 3
#: Seconds to connect in, and those for which nothing is asked after nobody answered.
_CONNECT = 2.0
_COOL_DOWN = 1.0
#: Names that are removed by one question, at most.
_BATCH = 1000


class Bucket:
    """The objects of a bucket whose names begin with a prefix.

    Parameters
    ----------
    at
        ``s3://bucket`` or ``s3://bucket/prefix``. The endpoint, the region and the credentials are those that
        botocore finds: ``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``, profiles, roles.
    timeout
        Seconds for an answer.

    Raises
    ------
    StoreUnavailable
        When botocore is not installed.
    ValueError
        When it is no such address.
    """

    def __init__(self, at: str, timeout: float) -> None:
        parts = urlsplit(at)
        if (
            parts.scheme != "s3"
            or not re.fullmatch(r"[\w.-]+", parts.netloc)
            or parts.query
            or parts.fragment
        ):
            raise ValueError(
                "blobs is s3://bucket/prefix; credentials come from AWS_ACCESS_KEY_ID, a profile or a role."
            )
        if find_spec("botocore") is None:
            raise StoreUnavailable(
                "Large values are to lie in a bucket, and botocore is not installed. "
                "Install it: pip install 'dash-brain[redis,s3]'"
            )
        self._name, prefix = parts.netloc, parts.path.strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self.at = f"s3://{self._name}/{prefix}"
        self._timeout = timeout
        self._asked_again_at = 0.0
        reset_in_children(self)

    def put(self, name: str, content: bytes | memoryview) -> None:
        """Put what nobody changes any more."""
        body = bytes(content)  # botocore takes no views; of bytes this is no copy
        self._call(lambda client: client.put_object(**self._place(name), Body=body))

    def receive(self, name: str, view: memoryview) -> None:
        """Receive an object where it is to lie.

        Raises
        ------
        Gone
            When it is not there.
        Altered
            When it is shorter or longer.
        """
        self._call(partial(_receive, self._place(name), view))

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; those that are not there are fine."""
        for first in range(0, len(names), _BATCH):
            some = [{"Key": self._prefix + name} for name in names[first : first + _BATCH]]
            self._call(partial(self._remove, {"Objects": some, "Quiet": True}))

    def names(self, most: int = _BATCH) -> Iterator[list[str]]:
        """Yield the names of all objects, so many at a time."""
        asked = {"Bucket": self._name, "Prefix": self._prefix, "MaxKeys": most}
        while True:
            answer = self._call(partial(_list, asked))
            yield [one["Key"].removeprefix(self._prefix) for one in answer.get("Contents", ())]
            if not answer.get("IsTruncated"):
                return
            asked = {**asked, "ContinuationToken": answer["NextContinuationToken"]}

    def check(self) -> None:
        """Raise ``StoreUnavailable`` when it is not there, or may not be used."""
        next(self.names(1))

    def close(self) -> None:
        """Drop the connections; the next use connects anew."""
        client = vars(self).pop("_client", None)
        if client is not None:
            client.close()

    def reset_after_fork(self) -> None:
        """Let the child connect by itself."""
        vars(self).pop("_client", None)

    @cached_property
    def _client(self) -> Any:
        from botocore.config import Config  # type: ignore[import-untyped]
        from botocore.session import Session  # type: ignore[import-untyped]

        config = Config(
            connect_timeout=min(self._timeout, _CONNECT),
            read_timeout=self._timeout,
            max_pool_connections=_CONNECTIONS,
            retries={"mode": "standard", "total_max_attempts": _TRIES},
            # What is read is verified by the manifest, and not every server knows the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return Session().create_client("s3", config=config)

    def _place(self, name: str) -> dict[str, str]:
        return {"Bucket": self._name, "Key": self._prefix + name}

    def _remove(self, those: dict[str, Any], client: Any) -> None:
        failed = client.delete_objects(Bucket=self._name, Delete=those).get("Errors", ())
        for code in {one.get("Code", "") for one in failed} - {"NoSuchKey"}:
            raise self._refused(code)

    def _call(self, use: Callable[[Any], T]) -> T:
        """Return what ``use`` does with the client.

        Raises
        ------
        StoreUnavailable
            When nobody answers, or what was asked is refused; at once when nobody answered a moment ago.
        """
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

        if time.monotonic() < self._asked_again_at:
            raise self._unreachable()
        try:
            return use(self._client)
        except StoreUnavailable:  # it is an OSError
            raise
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code == "NoSuchKey":
                raise Gone from error
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < 500:
                raise self._refused(code) from error
            raise self._no_answer() from error
        except (BotoCoreError, OSError) as error:
            raise (self._no_answer() if _is_outage(error) else self._refused(type(error).__name__)) from error

    def _no_answer(self) -> StoreUnavailable:
        self._asked_again_at = time.monotonic() + _COOL_DOWN
        return self._unreachable()

    def _unreachable(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"The bucket {self.at} does not answer, and the large values lie there. Once it does, this "
            "process goes on by itself. Is AWS_ENDPOINT_URL right?"
        )

    def _refused(self, code: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"The bucket {self.at} refused what was asked of it: {code[:60]}. The credentials that botocore "
            "finds (AWS_ACCESS_KEY_ID, a profile, a role) need s3:GetObject, s3:PutObject and "
            "s3:DeleteObject for what lies there, and s3:ListBucket. The bucket has to exist."
        )


def _list(asked: dict[str, Any], client: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.list_objects_v2(**asked)
    return answer


def _receive(place: dict[str, str], view: memoryview, client: Any) -> None:
    for left in reversed(range(_TRIES)):
        try:
            return _receive_once(place, view, client)
        except Exception as error:
            if not (left and _is_outage(error)):
                raise
    return None


def _receive_once(place: dict[str, str], view: memoryview, client: Any) -> None:
    answer = client.get_object(**place)
    with closing(answer["Body"]) as body:
        if answer["ContentLength"] != len(view):
            raise Altered
        while view and (received := body.readinto(view)):  # an answer that breaks off raises
            view = view[received:]


def _is_outage(error: Exception) -> bool:
    """Say whether it may be over in a moment."""
    from botocore import exceptions as botocore  # type: ignore[import-untyped]

    broken = (botocore.HTTPClientError, botocore.ConnectionError, botocore.IncompleteReadError)
    return isinstance(error, (*broken, OSError))
