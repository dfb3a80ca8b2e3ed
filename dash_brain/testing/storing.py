"""What is put comes back, under names of any kind."""

from __future__ import annotations

import pytest

from dash_brain.errors import ValueMissing
from dash_brain.stores.base import Frames, Store
from dash_brain.testing.common import FRAMES, KEYS, SPACE, Contract, PassTime, in_threads, plain


class StoringContract(Contract):
    """What every store does with objects."""

    @pytest.mark.parametrize("frames", FRAMES, ids=range(len(FRAMES)))
    def test_frames_come_back_byte_for_byte(self, store: Store, frames: Frames) -> None:
        store.put(SPACE, "key", frames)
        assert plain(store.get(SPACE, "key")) == plain(frames)

    def test_object_without_frames_is_refused(self, store: Store) -> None:
        with pytest.raises(ValueError):
            store.put(SPACE, "key", [])

    @pytest.mark.parametrize("size", [10, 300_000])
    def test_every_reader_may_write_into_its_own_frames(self, store: Store, size: int) -> None:
        store.put(SPACE, "key", [b"s" * size, b"b" * size])
        for frame in store.get(SPACE, "key"):
            memoryview(frame)[:] = b"!" * size
        assert plain(store.get(SPACE, "key")) == [b"s" * size, b"b" * size]

    @pytest.mark.parametrize("size", [10, 300_000])
    def test_writing_into_what_was_put_changes_nothing(self, store: Store, size: int) -> None:
        mine = bytearray(b"x" * size)
        store.put(SPACE, "key", [mine, mine])
        mine[:] = b"!" * size
        assert plain(store.get(SPACE, "key")) == [b"x" * size] * 2

    @pytest.mark.parametrize("size", [10, 300_000])
    @pytest.mark.parametrize("fate", ["replaced", "deleted", "dropped", "expired"])
    def test_reader_keeps_what_it_holds(
        self, store: Store, pass_time: PassTime, size: int, fate: str
    ) -> None:
        store.put(SPACE, "key", [b"s" * size, b"b" * size])
        held = store.get(SPACE, "key")
        if fate == "replaced":
            store.put(SPACE, "key", [b"!" * size, b"!" * size])
        elif fate == "deleted":
            store.delete(SPACE, "key")
        elif fate == "dropped":
            store.drop(SPACE)
        else:
            store.touch(SPACE, "key", 0.5)
            pass_time(0.6)
            store.sweep()
        assert plain(held) == [b"s" * size, b"b" * size]

    def test_missing_key_is_a_miss(self, store: Store) -> None:
        store.put(SPACE, "other", [b"x"])
        for namespace in (SPACE, "brain/nowhere"):
            with pytest.raises(ValueMissing):
                store.get(namespace, "key")
            with pytest.raises(ValueMissing):
                store.info(namespace, "key")
            with pytest.raises(ValueMissing):
                store.touch(namespace, "key", 5)
            assert store.delete(namespace, "key") is False

    def test_many_objects_are_looked_at_at_once(self, store: Store) -> None:
        put = {key: store.put(SPACE, key, [b"x"]) for key in ("one", "two", "")}
        found = dict(store.info_many(SPACE, ["one", "never", "two", ""]))
        assert {key: info.object_id for key, info in found.items() if info} == put

    def test_put_replaces_and_gives_another_id(self, store: Store) -> None:
        ids = {store.put(SPACE, "key", [b"%d" % number]) for number in range(5)}
        assert len(ids) == 5
        assert plain(store.get(SPACE, "key")) == [b"4"]

    def test_object_id_is_128_bits_in_hex(self, store: Store) -> None:
        object_id = store.put(SPACE, "key", [b"x"])
        assert len(bytes.fromhex(object_id)) == 16
        assert object_id == object_id.lower()

    def test_info_says_what_was_put(self, store: Store) -> None:
        object_id = store.put(SPACE, "key", [b"x" * 1000, b"y" * 500_000], meta={"type": "bytes"})
        info = store.info(SPACE, "key")
        assert (info.namespace, info.key, info.object_id) == (SPACE, "key", object_id)
        assert dict(info.meta) == {"type": "bytes"}
        assert info.nbytes >= 501_000
        assert info.expires is None
        assert abs(info.used - info.created) < 1

    @pytest.mark.parametrize(
        "meta", [{}, {"": ""}, {"ä\0\ud800": "x" * 10_000}, {"meta": "key", "key": "meta"}]
    )
    def test_meta_is_any_strings(self, store: Store, meta: dict[str, str]) -> None:
        store.put(SPACE, "key", [b"x"], meta=meta)
        assert dict(store.info(SPACE, "key").meta) == meta
        assert plain(store.get(SPACE, "key")) == [b"x"]

    def test_keys_are_any_strings_and_all_different(self, store: Store) -> None:
        for key in KEYS:
            store.put(SPACE, key, [repr(key).encode()])
        for key in KEYS:
            assert plain(store.get(SPACE, key)) == [repr(key).encode()]
            assert store.info(SPACE, key).key == key

    def test_namespaces_are_any_strings_and_all_apart(self, store: Store) -> None:
        for name in KEYS:
            store.put(f"brain/{name}", "key", [repr(name).encode()])
        store.put("app/a", "key", [b"another domain"])
        for name in KEYS:
            assert plain(store.get(f"brain/{name}", "key")) == [repr(name).encode()]

    @pytest.mark.parametrize("verb", ["put", "get", "delete", "drop"])
    @pytest.mark.parametrize("namespace", ["", "brain", "/name", "Brain/name", "../name", "brain.x/name"])
    def test_namespace_without_a_domain_is_refused(self, store: Store, verb: str, namespace: str) -> None:
        arguments = {"put": ("key", [b"x"]), "get": ("key",), "delete": ("key",), "drop": ()}[verb]
        with pytest.raises(ValueError):  # call dash_brain.stores.split(namespace) in each verb
            getattr(store, verb)(namespace, *arguments)

    def test_delete_says_whether_there_was_one(self, store: Store) -> None:
        store.put(SPACE, "key", [b"x"])
        assert store.delete(SPACE, "key") is True
        assert store.delete(SPACE, "key") is False
        with pytest.raises(ValueMissing):
            store.get(SPACE, "key")

    def test_failed_put_leaves_the_old_object(self, store: Store) -> None:
        store.put(SPACE, "key", [b"old"])
        with pytest.raises(TypeError):
            store.put(SPACE, "key", [b"new", "text"])  # type: ignore[list-item]
        assert plain(store.get(SPACE, "key")) == [b"old"]

    def test_drop_removes_one_namespace_whole(self, store: Store) -> None:
        for key in KEYS:
            store.put("brain/alpha", key, [b"x"])
        store.put("brain/alphabet", "key", [b"stays"])
        store.put("app/alpha", "key", [b"stays"])
        store.drop("brain/alpha")
        store.drop("brain/alpha")
        for key in KEYS:
            with pytest.raises(ValueMissing):
                store.get("brain/alpha", key)
        assert plain(store.get("brain/alphabet", "key")) == plain(store.get("app/alpha", "key")) == [b"stays"]
        store.put("brain/alpha", "key", [b"again"])
        assert plain(store.get("brain/alpha", "key")) == [b"again"]

    def test_usage_is_what_objects_occupy(self, store: Store) -> None:
        assert store.usage() == 0
        store.put(SPACE, "one", [b"x" * 1000])
        store.put("app/other", "two", [b"x" * 500_000])
        assert store.usage() == store.info(SPACE, "one").nbytes + store.info("app/other", "two").nbytes
        store.put("app/other", "two", [b"x"])
        assert 1000 < store.usage() < 100_000
        store.delete("app/other", "two")
        store.drop(SPACE)
        assert store.usage() == 0

    def test_secret_is_32_bytes_for_good(self, store: Store) -> None:
        secret = store.secret()
        assert len(secret) == 32
        assert len(set(secret)) > 8
        store.close()
        assert store.secret() == secret

    def test_closed_store_is_opened_anew_by_its_next_use(self, store: Store) -> None:
        store.put(SPACE, "key", [b"x" * 300_000])
        held = store.get(SPACE, "key")
        store.close()
        store.close()
        assert plain(held) == plain(store.get(SPACE, "key")) == [b"x" * 300_000]

    def test_threads_never_see_a_torn_or_missing_object(self, store: Store) -> None:
        def write(writer: int) -> None:
            for number in range(40):
                byte = bytes([writer * 40 + number])
                store.put(SPACE, "key", [byte * 50, byte * 70_000])

        def read(_: int) -> None:
            for _ in range(80):
                stream, buffer = plain(store.get(SPACE, "key"))
                assert stream == stream[:1] * 50
                assert buffer == stream[:1] * 70_000

        store.put(SPACE, "key", [b"0" * 50, b"0" * 70_000])
        in_threads([write] * 4 + [read] * 4)
