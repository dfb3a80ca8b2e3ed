"""Where a Redis is, and how it is reached: TLS, sockets, Sentinel, users; and what is refused."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
import time
import traceback
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest
import redis

from dash_brain import Brain, open_store
from dash_brain.errors import EncodeError, StoreError, StoreUnavailable, StoreURLError, ValueMissing
from dash_brain.stores.base import Store, needs_lock
from dash_brain.stores.redis import RedisStore
from tests.redis import KEY, free_port, redis_server, running
from tests.stores.redis.traffic import SPACE, check, frames_of, recovers


def works(store: Store) -> None:
    """Use a store a little, and close it."""
    with closing(store):
        for key in ("key 0", "key 1", "key 2"):
            with needs_lock(store).lock(key):
                store.put(SPACE, key, frames_of(key, 1), ttl=60)
            check(key, store.get(SPACE, key))
        store.drop(SPACE)
    with pytest.raises(ValueMissing):
        store.get(SPACE, "key 0")
    store.close()


@pytest.fixture
def certificate(tmp_path) -> tuple[Path, Path]:
    """A certificate for this machine, and its key."""
    made = tmp_path / "made.pem", tmp_path / "made.key"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    subprocess.run(
        [*command, "-days", "2", *subject, "-out", str(made[0]), "-keyout", str(made[1])],
        check=True,
        capture_output=True,
    )
    return made


def test_tls(certificate):
    made, key = map(str, certificate)
    options = ["--tls-cert-file", made, "--tls-ca-cert-file", made, "--tls-key-file", key]
    with tls_server(*options, "--tls-auth-clients", "no") as port:
        works(RedisStore(f"rediss://localhost:{port}/0?ssl_ca_certs={made}", key=KEY))
        with pytest.raises(StoreUnavailable):
            RedisStore(f"rediss://localhost:{port}/0", key=KEY).check()  # nobody vouches for it


@contextmanager
def tls_server(*options: str):
    free = free_port()
    with running(redis_server(), "--tls-port", str(free), *options):
        yield free


def test_unix_socket(tmp_path):
    path = tmp_path / "redis.sock"
    with running(redis_server(), "--unixsocket", str(path)):
        works(RedisStore(f"unix://{path}?db=1", key=KEY))


def test_password_and_the_least_that_a_user_may_do(lasting_server):
    rights = "~dash_brain:* &dash_brain:* -@all +@read +@write +@scripting +@pubsub +@connection +info +time"
    with redis.Redis(port=lasting_server.port) as client:
        client.execute_command("ACL", "SETUSER", "app", "on", ">pass word", *rights.split())
    address = f"127.0.0.1:{lasting_server.port}/0"
    works(RedisStore(f"redis://app:pass%20word@{address}", key=KEY))
    with pytest.raises(StoreUnavailable, match="does not take the user or password of the URL") as caught:
        RedisStore(f"redis://app:wrong@{address}", key=KEY).check()
    assert "wrong" not in str(caught.value)


def test_what_a_user_may_not_do_is_told_from_a_wrong_password(lasting_server):
    with redis.Redis(port=lasting_server.port) as client:
        client.execute_command(
            "ACL", "SETUSER", "reader", "on", ">password", "~*", "-@all", "+@connection", "+info"
        )
    store = RedisStore(f"redis://reader:password@127.0.0.1:{lasting_server.port}/0", key=KEY)
    for use in (lambda: store.put(SPACE, "key", [b"x"]), lambda: store.get(SPACE, "key")):
        with pytest.raises(
            StoreUnavailable, match=r"refused what was asked of it: (NOPERM|NoPermissionError)\. "
        ):
            use()


def test_password_that_redis_got_later_is_asked_for(server):
    stores = [RedisStore(url, key=KEY) for url in (server.url, server.url.replace("//", "//:guessed@"))]
    store = stores[0]
    store.put(SPACE, "key", [b"x"])
    store.get(SPACE, "key")
    with redis.Redis(port=server.port) as client:
        client.config_set("requirepass", "password")
        client.execute_command("CLIENT", "KILL", "SKIPME", "no")
    for one in stores:
        for use in (one.check, lambda one=one: one.get(SPACE, "key")):
            with pytest.raises(StoreUnavailable, match="Set in the URL those that Redis has") as caught:
                use()
            assert "guessed" not in str(caught.value)


def test_databases_are_apart(lasting_server, store):
    other = RedisStore(lasting_server.url.replace("/0", "/1"), key=KEY)
    other.put(SPACE, "key", [b"x"])
    assert not store.exists(SPACE, "key")
    other.drop(SPACE)


def test_cluster_is_refused_with_the_reason():
    bus = str(free_port())  # by default 10,000 above the server's own, which may be none
    with running(redis_server(), "--cluster-enabled", "yes", "--cluster-port", bus) as server:
        store = RedisStore(server.url, key=KEY)
        with pytest.raises(StoreUnavailable, match="Cluster"):
            store.check()
        with pytest.raises(StoreUnavailable, match="Cluster"):
            store.put(SPACE, "key", [b"x"])


def test_missing_library_is_named_with_what_installs_it():
    code = """
import sys
sys.modules["redis"] = None
from dash_brain import open_store
from dash_brain.errors import StoreUnavailable
try:
    open_store("redis://localhost")
except StoreUnavailable as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert "pip install 'dash-brain[redis]'" in said


@pytest.mark.parametrize(
    "url",
    [
        *("redis://host/0?colour=red", "redis://host/0#x", "redis://host:port", "redis://host?timeout=0"),
        *(
            "redis://host?lease=x",
            "redis://host?size=none",
            "redis+sentinel://host",
            "redis+sentinel:///name",
        ),
        *("redis+sentinel://host/name/x", "redis+sentinel://host/name/0/1", "redis+sentinel://host,/name"),
    ],
)
def test_other_addresses_are_refused(url):
    with pytest.raises(StoreURLError):
        open_store(url.replace("//", "//user:secret-word@", 1))


def test_secrets_are_neither_shown_nor_pickled():
    url = "redis://user:secret-word@host.invalid:1/0"
    store = RedisStore(url, key=KEY)
    assert repr(store) == "RedisStore at host.invalid:1"
    with pytest.raises(EncodeError, match="secrets"):
        pickle.dumps(store)
    pickled = pickle.dumps(Brain(url=url))
    assert b"secret-word" not in pickled
    with pytest.raises(StoreUnavailable) as caught:
        store.check()
    shown = "".join(traceback.format_exception(caught.value))
    assert "secret-word" not in shown
    assert KEY not in shown


def test_nothing_is_connected_before_the_first_use():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        store = open_store(f"redis://127.0.0.1:{listening.getsockname()[1]}/0?near=off&timeout=0.2")
        listening.setblocking(False)
        with pytest.raises(BlockingIOError):
            listening.accept()
        with pytest.raises(StoreUnavailable):
            store.exists(SPACE, "key")
        listening.accept()[0].close()


@pytest.mark.timeout(120)
def test_sentinel_names_the_new_master_when_the_old_one_is_gone(tmp_path):
    with running(redis_server()) as master, running(redis_server()) as replica:
        with redis.Redis(port=replica.port) as client:
            client.replicaof("127.0.0.1", master.port)
        with sentinel(tmp_path, master.port) as port:
            store = RedisStore(f"redis+sentinel://127.0.0.1:{port},127.0.0.1:1/shop/0?timeout=1", key=KEY)
            store.put(SPACE, "key", [b"x"])
            with redis.Redis(port=replica.port) as client:
                wait_until(lambda: client.exists(f"dash_brain:1:index:{SPACE}"))
            master.stop()
            try:
                recovers(store, 60)
                assert bytes(store.get(SPACE, "key")[0]) == b"x"
            finally:
                master.go_on()
            works(store)


@contextmanager
def sentinel(folder: Path, master: int):
    """Run a sentinel that watches a master, and notices within a second when it is gone."""
    port, config = free_port(), folder / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\nsentinel monitor shop 127.0.0.1 {master} 1\n"
        "sentinel down-after-milliseconds shop 500\nsentinel failover-timeout shop 5000\n"
    )
    command = [redis_server(), str(config), "--sentinel"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        with redis.Redis(port=port) as client:
            wait_until(lambda: client.sentinel_master("shop")["num-slaves"])
        yield port
    finally:
        process.kill()
        process.wait()


def wait_until(is_so) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(redis.RedisError, StoreError):
            if is_so():
                return
        time.sleep(0.05)
    raise AssertionError
