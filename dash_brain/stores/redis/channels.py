"""Waiting for what others announce, so that nobody has to look again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from dash_brain.stores.redis.link import Link
from dash_brain.stores.redis.names import PREFIX

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import PubSub

#: Seconds after which who waits looks again by himself: an announcement can be lost.
LOOK = 1.0


@contextmanager
def listening(link: Link, channel: bytes) -> Iterator[Callable[[float], None]]:
    """Listen in this block; the function given waits for an announcement, for so many seconds at most."""
    with link.call(lambda client: client.pubsub(ignore_subscribe_messages=True)) as messages:
        link.call(lambda _: messages.subscribe(PREFIX + channel))
        yield lambda seconds: link.call(partial(_wait, messages, seconds))


def _wait(messages: PubSub, seconds: float, _: Redis) -> None:
    # The first answer is that we listen now, and who waits looks once more then.
    messages.get_message(timeout=seconds)
