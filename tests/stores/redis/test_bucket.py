"""Large values in a bucket: whole or absent, and nothing that Redis has forgotten stays there."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
import uuid
from contextlib import suppress

import pytest

from dash_brain.errors import DecodeError, EncodeError, LeaseLost, StoreFull, StoreUnavailable, ValueMissing
from dash_brain.stores import ABSENT, CopyStore, NearCopy
from dash_brain.stores.locked import making_under
from dash_brain.stores.redis import RedisStore, blobs
from dash_brain.stores.redis.bucket import Bucket
from dash_brain.stores.redis.names import sending_of, value_of
from dash_brain.testing import plain
from tests.programs import REPOSITORY
from tests.redis import KEY, free_port
from tests.s3 import BUCKET, CREDENTIALS
from tests.stores.places import remove

SPACE = "brain/bucket"
MB = 1 << 20
#: There while nobody has to look through the bucket.
SWEPT = blobs.PREFIX + b"swept"
#: A value of three parts, the last of them short.
LARGE = [b"stream", bytes(range(256)) * (17 * MB // 256)]


class Inside:
    """What lies in the bucket under the prefix of a store."""

    def __init__(self, client, url: str) -> None:
        self.client = client
        self.prefix = url.partition(f"{BUCKET}/")[2] + "/"

    def names(self) -> list[str]:
        answer = self.client.list_objects_v2(Bucket=BUCKET, Prefix=self.prefix)
        return sorted(one["Key"].removeprefix(self.prefix) for one in answer.get("Contents", ()))

    def put(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=BUCKET, Key=self.prefix + name, Body=content)

    def get(self, name: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=BUCKET, Key=self.prefix + name)["Body"].read()
        return content

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=BUCKET, Key=self.prefix + name)


@pytest.fixture
def inside(s3, bucket_url):
    client = s3.client()
    yield Inside(client, bucket_url)
    client.close()


@pytest.fixture
def store(bucket_store, client):
    """A store that looks through its bucket only when it is told to."""
    client.set(SWEPT, b"")
    return bucket_store


def parts(object_id: str, count: int = 3) -> list[str]:
    return [f"{object_id}/{number}" for number in range(count)]


def test_large_value_lies_in_the_bucket_and_a_smaller_one_in_redis(store, inside, client):
    object_id = store.put(SPACE, "large", LARGE)
    store.put(SPACE, "smaller", [b"x" * (MB - 64)])
    assert inside.names() == parts(object_id)
    assert [bytes(frame) for frame in store.get(SPACE, "large")] == LARGE
    assert client.exists(*(blobs.PREFIX + f"object:{object_id}:{n}".encode() for n in range(5))) == 0
    assert client.strlen(blobs.PREFIX + f"object:{object_id}:0".encode()) == 0


def test_near_copies_of_what_lies_in_the_bucket_are_read_without_it_and_go_with_their_values(store, inside):
    """They do else what near copies of any store do: they see the bucket through the store only."""
    near = NearCopy(store, CopyStore(f"test-{uuid.uuid4().hex}"))
    read, written = store.put(SPACE, "read", LARGE), near.put(SPACE, "written", LARGE)
    assert plain(near.get(SPACE, "read")) == LARGE
    for name in (*parts(read), *parts(written)):
        inside.delete(name)
    for key in ("read", "written"):
        assert plain(near.get(SPACE, key)) == LARGE
    store.put(SPACE, "read", [b"newer", *LARGE])
    assert plain(near.get(SPACE, "read")) == [b"newer", *LARGE]
    for key in ("read", "written"):
        store.delete(SPACE, key)
        with pytest.raises(ValueMissing):
            near.get(SPACE, key)
    near.close()
    remove(near._copies.store)


def test_bytes_in_the_bucket_count(store):
    store.put(SPACE, "large", LARGE)
    assert store.usage() == store.info(SPACE, "large").nbytes > 17 * MB


def test_budget_holds_for_what_lies_in_the_bucket(bucket_url, inside):
    store = RedisStore(f"{bucket_url}&size=20MB", key=KEY)
    store.put("memo/f", "first", LARGE)
    kept = store.put("memo/f", "second", LARGE)  # the first is evicted
    assert inside.names() == parts(kept)
    with pytest.raises(StoreFull):
        store.put(SPACE, "too large", [b"x" * 21 * MB])
    assert inside.names() == parts(kept)
    store.close()


def test_what_was_replaced_deleted_or_dropped_is_removed_at_once(store, inside):
    store.put(SPACE, "key", LARGE)
    newer = store.put(SPACE, "key", LARGE)
    assert inside.names() == parts(newer)
    store.delete(SPACE, "key")
    assert inside.names() == []
    store.put(SPACE, "key", LARGE)
    store.drop(SPACE)
    assert inside.names() == []


def test_what_is_replaced_by_a_small_value_goes_with_the_next_change(store, inside):
    store.put(SPACE, "key", LARGE)
    store.put(SPACE, "key", [b"small"])
    store.delete(SPACE, "other")
    assert inside.names() == []


def test_what_expired_is_removed_by_a_sweep(store, inside):
    store.put(SPACE, "key", LARGE, ttl=0)
    assert store.sweep() == 1
    assert inside.names() == []


def test_what_was_refused_is_not_left_there(store, inside):
    there = store.put(SPACE, "key", [b"x"])
    with pytest.raises(Exception, match="replaced"):
        store.put(SPACE, "key", LARGE, replaces=ABSENT)
    assert inside.names() == []
    assert store.info(SPACE, "key").object_id == there


def test_sweep_removes_what_redis_lost_and_nothing_else(store, inside, client):
    lost = [store.put(SPACE, key, LARGE) for key in ("a", "b")]
    inside.put("notes.txt", b"not ours")
    client.flushall()
    client.set(SWEPT, b"")
    kept = store.put(SPACE, "kept", LARGE)
    assert len(inside.names()) == 10
    assert store.sweep() == len(lost)
    assert inside.names() == [*parts(kept), "notes.txt"]
    assert [bytes(frame) for frame in store.get(SPACE, "kept")] == LARGE


def test_value_that_redis_evicted_is_missing_and_leaves_the_bucket(store, inside, client):
    for name in (lambda _: value_of(SPACE, "key"), blobs.object_of):
        object_id = store.put(SPACE, "key", LARGE)
        client.unlink(name(object_id))
        store.sweep()
        with pytest.raises(ValueMissing, match="evicted"):
            store.get(SPACE, "key")
        assert inside.names() == []


def test_once_in_a_while_a_put_looks_through_the_bucket(bucket_store, inside, monkeypatch):
    swept = threading.Event()
    monkeypatch.setattr(blobs.Blobs, "sweep", lambda self: swept.set())
    bucket_store.put(SPACE, "key", LARGE)
    assert swept.wait(30)
    swept.clear()
    bucket_store.put(SPACE, "key", LARGE)
    assert not swept.wait(0.2)


def test_sweep_leaves_what_is_being_sent(store, inside, monkeypatch):
    sent, other = Bucket.put, RedisStore.sweep

    def put_and_sweep(self, name, content):
        sent(self, name, content)
        other(store)

    monkeypatch.setattr(Bucket, "put", put_and_sweep)
    object_id = store.put(SPACE, "key", LARGE)
    assert inside.names() == parts(object_id)
    assert [bytes(frame) for frame in store.get(SPACE, "key")] == LARGE


def test_writer_of_which_redis_forgot_that_it_was_sending_stores_nothing(store, inside, monkeypatch, client):
    sent = Bucket.put

    def put_and_forget(self, name, content):
        sent(self, name, content)
        client.flushall()

    old = store.put(SPACE, "key", [b"old"])
    assert old
    monkeypatch.setattr(Bucket, "put", put_and_forget)
    with pytest.raises(StoreUnavailable, match="gone before"):
        store.put(SPACE, "key", LARGE)
    store.sweep()
    assert inside.names() == []


KILLED = """
import os, sys
from dash_brain.stores.redis import RedisStore
from dash_brain.stores.redis.bucket import Bucket

sent = Bucket.put

def put_and_die(self, name, content):
    sent(self, name, content)
    os._exit(9)

Bucket.put = put_and_die
RedisStore(sys.argv[1], key=sys.argv[2]).put("brain/bucket", "key", [b"x" * (20 << 20)])
"""


def test_what_a_killed_writer_sent_is_swept_when_its_time_is_over(store, bucket_url, inside, client):
    store.put(SPACE, "key", [b"old"])
    writer = subprocess.run([sys.executable, "-c", KILLED, bucket_url, KEY], cwd=REPOSITORY, timeout=120)
    assert writer.returncode == 9
    assert inside.names()
    (lock,) = client.scan_iter(sending_of("*"))
    assert 0 < client.ttl(lock) <= 60
    store.sweep()
    assert inside.names()  # it might be slow
    client.unlink(lock)  # as after a minute
    assert store.sweep() == 1
    assert inside.names() == []
    assert bytes(store.get(SPACE, "key")[0]) == b"old"


def test_value_whose_part_was_deleted_in_the_bucket_is_missing_for_all(store, inside):
    for number in range(3):
        object_id = store.put(SPACE, "key", LARGE)
        inside.delete(f"{object_id}/{number}")
        with pytest.raises(ValueMissing):
            store.get(SPACE, "key")
        assert not store.exists(SPACE, "key")
        store.put(SPACE, "key", [b"new"], replaces=ABSENT)
    store.sweep()
    assert inside.names() == []
    assert store.usage() == store.info(SPACE, "key").nbytes


def test_fetch_of_a_value_that_was_deleted_in_the_bucket_is_a_miss(store, inside):
    object_id = store.put(SPACE, "key", LARGE)
    (seen,) = store.look([(SPACE, "key")])
    assert seen.frames is None
    inside.delete(f"{object_id}/1")
    with pytest.raises(ValueMissing):
        store.fetch(seen.info)


@pytest.mark.parametrize(
    "change",
    [
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda _: b"",
        lambda content: content[:100] + b"!" + content[101:],
    ],
)
def test_foreign_bytes_in_the_bucket_are_refused(store, inside, change):
    store.put(SPACE, "key", LARGE)
    for name in inside.names():
        content = inside.get(name)
        inside.put(name, change(content))
        with pytest.raises(DecodeError):
            store.get(SPACE, "key")
        inside.put(name, content)
    assert [bytes(frame) for frame in store.get(SPACE, "key")] == LARGE


def test_parts_of_another_value_are_refused(store, inside):
    first, second = store.put(SPACE, "a", [b"a" * 2 * MB]), store.put(SPACE, "b", [b"b" * 2 * MB])
    inside.put(f"{first}/0", inside.get(f"{second}/0"))
    with pytest.raises(DecodeError):
        store.get(SPACE, "a")


def test_forged_note_of_what_was_removed_reaches_nothing_outside_the_prefix(store, inside, client):
    kept = store.put(SPACE, "key", LARGE)
    for note in (b"../../x 1", b"x", b"", f"{kept[:-1]}/ 3".encode(), b"\xff 1", b"0" * 32 + b" 99999999999"):
        client.sadd(blobs.PREFIX + b"removed", note)
    store.delete(SPACE, "other")
    assert inside.names() == parts(kept)


def test_process_without_the_bucket_or_with_another_says_so(store, bucket_url):
    store.put(SPACE, "key", LARGE)
    for url in (bucket_url.partition("&blobs")[0], f"{bucket_url}/other"):
        other = RedisStore(url, key=KEY)
        with pytest.raises(StoreUnavailable, match=r"same \?blobs="):
            other.get(SPACE, "key")
        assert other.exists(SPACE, "key")
        other.close()


def test_forked_child_and_its_parent_use_the_bucket_at_once(store):
    values = {key: [key.encode(), key.encode() * (5 * MB)] for key in ("child", "parent")}
    for key, frames in values.items():
        store.put(SPACE, key, frames)
        store.get(SPACE, key)  # connections are kept

    def read(key: str) -> bool:
        return all([bytes(one) for one in store.get(SPACE, key)] == values[key] for _ in range(5))

    child = os.fork()
    if not child:
        with suppress(BaseException):
            os._exit(0 if read("child") else 1)
        os._exit(1)
    assert read("parent")
    assert os.waitpid(child, 0)[1] == 0


def test_lease_that_was_lost_leaves_nothing_in_the_bucket(store, inside, client):
    with store.lock("key"), making_under("key"):
        client.unlink(*client.keys(blobs.PREFIX + b"lock:*"))
        with pytest.raises(LeaseLost):
            store.put(SPACE, "key", LARGE)
    assert inside.names() == []


def test_wrong_credentials_are_refused_and_not_shown(bucket_url, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret")
    store = RedisStore(bucket_url, key=KEY)
    for use in (store.check, lambda: store.put(SPACE, "key", LARGE)):
        with pytest.raises(StoreUnavailable, match="refused") as raised:
            use()
        said = f"{raised.value} {raised.value.__cause__}"
        assert not any(secret in said for secret in ("wrong-secret", *CREDENTIALS.values()))
    assert not store.exists(SPACE, "key")
    store.close()


def test_bucket_that_does_not_exist_is_said_from_the_start(bucket_url):
    store = RedisStore(bucket_url.replace(f"//{BUCKET}/", "//nowhere/"), key=KEY)
    with pytest.raises(StoreUnavailable, match="NoSuchBucket"):
        store.check()
    store.close()


def test_secrets_of_the_bucket_are_not_pickled(store):
    store.put(SPACE, "key", LARGE)
    with pytest.raises(EncodeError):
        pickle.dumps(store)


@pytest.mark.parametrize(
    "at", ["", "s3://", "bucket/prefix", "http://bucket", "s3://id:s3cret@bucket/p", "s3://b/p?x=s3cret"]
)
def test_address_that_is_none_of_a_bucket_is_refused_and_not_shown(at):
    with pytest.raises(ValueError, match="s3://bucket/prefix") as raised:
        Bucket(at, 5)
    assert "s3cret" not in str(raised.value)


def test_without_botocore_it_is_said_what_to_install(bucket_url, monkeypatch):
    monkeypatch.setitem(sys.modules, "botocore", None)
    with pytest.raises(StoreUnavailable, match=r"dash-brain\[redis,s3\]"):
        RedisStore(bucket_url, key=KEY)


def test_nothing_is_loaded_for_the_bucket_unless_it_is_used(bucket_url):
    code = (
        "import sys; from dash_brain.stores import open_store; "
        f"open_store({bucket_url!r}); assert 'botocore' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, timeout=120)


def test_nobody_answering_for_the_bucket_is_an_outage_that_ends(bucket_url, s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    store = RedisStore(bucket_url, key=KEY)
    store.put(SPACE, "small", [b"x"])
    with pytest.raises(StoreUnavailable, match="does not answer"):
        store.put(SPACE, "key", LARGE)
    assert not store.exists(SPACE, "key")
    assert bytes(store.get(SPACE, "small")[0]) == b"x"
    store.close()
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3.environment["AWS_ENDPOINT_URL"])
    store._blobs.bucket._asked_again_at = 0
    store.put(SPACE, "key", LARGE)
    store.close()


def test_writer_that_stood_still_goes_on_unless_a_sweep_came(store, inside, client, monkeypatch):
    sent = Bucket.put

    def put_and_stand_still(self, name, content):
        sent(self, name, content)
        client.unlink(*client.keys(sending_of("*")) or ["none"])

    monkeypatch.setattr(Bucket, "put", put_and_stand_still)
    object_id = store.put(SPACE, "key", LARGE)
    assert inside.names() == parts(object_id)
    monkeypatch.setattr(Bucket, "put", lambda *given: (put_and_stand_still(*given), store.sweep()))
    with pytest.raises(StoreUnavailable, match="gone before"):
        store.put(SPACE, "other", LARGE)
    store.sweep()
    assert inside.names() == parts(object_id)
