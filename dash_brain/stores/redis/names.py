"""What lies where in Redis, as ``store.lua`` says. Names are any text, lone surrogates too."""

from __future__ import annotations

PREFIX = b"dash_brain:1:"

#: The bytes of all, of each client and of each namespace; and the field that has those of all.
USAGE, ALL = PREFIX + b"usage", "/"

#: The field of an index that is no key: the bytes of what it lists.
BYTES = b"\xff"

#: What is being sent, by object id.
COMING = PREFIX + b"coming"


def packed(text: str) -> bytes:
    """Return a name as Redis has it."""
    return text.encode("utf-8", "surrogatepass")


def unpacked(name: bytes) -> str:
    """Return a name as people have it."""
    return name.decode("utf-8", "surrogatepass")


def index_of(namespace: str) -> bytes:
    """Return where the records of a namespace lie."""
    return PREFIX + b"index:" + packed(namespace)


def member_of(namespace: str, key: str) -> bytes:
    """Return how a place is written in one text."""
    space = packed(namespace)
    return b"%d:%s%s" % (len(space), space, packed(key))


def value_of(namespace: str, key: str) -> bytes:
    """Return where the manifest of an object lies, and the body of a small one."""
    return PREFIX + b"value:" + member_of(namespace, key)


def object_of(object_id: str) -> bytes:
    """Return what is there while the body of an object in a bucket has a manifest."""
    return PREFIX + b"object:" + object_id.encode()


def sending_of(object_id: str) -> bytes:
    """Return the lock that the writer of an object holds while it sends the body."""
    return PREFIX + b"lock:" + object_id.encode()


def chunk_of(object_id: str, number: int) -> bytes:
    """Return where a chunk of an object lies."""
    return PREFIX + f"object:{object_id}:{number}".encode()
