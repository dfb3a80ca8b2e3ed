"""``BrainSharedStorage``: what the tests of Dash ask of a shared storage."""

from __future__ import annotations

import asyncio
import json
import threading
import time

import dash
import pandas as pd
import pytest
from dash import Dash, Input, Output, ctx, html

from dash_brain.stores import FileStore, MemoryStore
from tests.app.conftest import Page

if not hasattr(dash, "BaseSharedStorage"):
    pytest.skip("shared storage begins with Dash 4.5", allow_module_level=True)

from dash import SharedStorageError, SharedStorageGap

from dash_brain.adapters import shared_storage
from dash_brain.adapters.shared_storage import BrainSharedStorage
from tests.processes import FORKSERVER

TTL = 1.0


@pytest.fixture
def url(tmp_path):
    return f"file://{tmp_path}/store"


@pytest.fixture
def storage(url, monkeypatch):
    monkeypatch.setattr(shared_storage, "SHORTEST", 0.1)
    return BrainSharedStorage(url)


def taken(subscription, count):
    found = []
    for message in subscription:
        found.append(message)
        if len(found) == count:
            return found
    return found


def test_keys(storage):
    assert storage.get("missing") is None
    assert storage.get("missing", 42) == 42
    storage.set("a", {"x": 1})
    assert storage.get("a") == {"x": 1}
    storage.delete("a")
    assert storage.get("a") is None
    storage.delete("a")


def test_none_is_a_value(storage):
    storage.set("a", None)
    assert storage.get("a", "default") is None


def test_key_expires(storage):
    storage.set("a", "v", ttl=100)
    assert storage.get("a") == "v"
    storage.set("a", "v", ttl=0.2)
    time.sleep(0.3)
    assert storage.get("a", "gone") == "gone"


def test_frame_comes_back_as_it_was(storage):
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="key"))
    storage.set("frame", frame)
    pd.testing.assert_frame_equal(storage.get("frame"), frame)


def test_new_reader_sees_what_comes_from_now_on(storage):
    storage.publish("t", "old")
    reader, received = storage.subscribe("t"), []
    thread = threading.Thread(target=lambda: received.extend(taken(reader, 2)))
    thread.start()
    storage.publish("t", "new1")
    storage.publish("t", "new2")
    thread.join(30)
    assert received == ["new1", "new2"]


def test_replay_after_a_message(storage):
    for message in ("m1", "m2", "m3"):
        storage.publish("t", message)
    with storage.subscribe("t", replay_from=1) as reader:
        assert taken(reader, 2) == ["m2", "m3"]


def test_poll_gives_numbers_and_goes_on_from_there(storage):
    reader = storage.subscribe("t")
    assert reader.poll() == []
    storage.publish("t", "m1")
    storage.publish("t", {"m": 2})
    assert reader.poll() == [(1, "m1"), (2, {"m": 2})]
    assert reader.poll(0.1) == []


def test_poll_waits_for_a_message(storage):
    reader = storage.subscribe("t")
    timer = threading.Timer(0.2, storage.publish, ("t", "m1"))
    timer.start()
    assert reader.poll(30) == [(1, "m1")]


@pytest.mark.parametrize(("kept", "seen"), [(2, 1), (32, -1)])
def test_reader_that_is_too_far_behind_gets_a_gap(url, kept, seen):
    storage = BrainSharedStorage(url, buffer_size=kept)
    for number in range(5 if kept == 2 else 40):
        storage.publish("t", number)
    with pytest.raises(SharedStorageGap, match="'t'"):
        next(iter(storage.subscribe("t", replay_from=max(seen, 0))))


def test_reader_at_the_edge_of_the_buffer_gets_no_gap(url):
    storage = BrainSharedStorage(url, buffer_size=2)
    for number in range(4):
        storage.publish("t", f"m{number}")
    assert taken(storage.subscribe("t", replay_from=2), 2) == ["m2", "m3"]


def test_reader_of_a_topic_that_began_anew_gets_a_gap(storage):
    storage.publish("t", "m")
    with pytest.raises(SharedStorageGap):
        storage.subscribe("t", replay_from=7).poll()


def test_buffer_is_bounded(url, tmp_path):
    storage = BrainSharedStorage(url, buffer_size=3)
    for number in range(10):
        storage.publish("t", number)
    assert len(list(FileStore(tmp_path / "store").scan("shared-topics/default/t"))) == 3 + 1


def idle():
    time.sleep(TTL * 1.25 + 0.2)


def test_idle_topic_is_released(storage):
    for number in range(3):
        storage.publish("t", f"m{number}", ttl=TTL)
    idle()
    assert storage.subscribe("t", replay_from=0).poll() == []
    storage.publish("t", "again", ttl=TTL)
    assert storage.subscribe("t", replay_from=0).poll() == [(1, "again")]


def test_a_topic_that_is_read_keeps_every_message(storage):
    storage.publish("t", "m1", ttl=TTL)
    reader = storage.subscribe("t", replay_from=1)
    end = time.monotonic() + 3 * TTL
    while time.monotonic() < end:
        assert reader.poll() == []
        time.sleep(TTL / 5)
    assert storage.subscribe("t", replay_from=0).poll() == [(1, "m1")]


def test_without_ttl_a_topic_is_kept(storage):
    storage.publish("t", "m1", ttl=TTL)
    storage.publish("t", "m2")
    idle()
    assert storage.subscribe("t", replay_from=0).poll() == [(1, "m1"), (2, "m2")]


def test_a_shorter_ttl_applies_at_once(storage):
    storage.publish("t", "m1", ttl=60)
    storage.publish("t", "m2", ttl=TTL)
    idle()
    assert storage.subscribe("t", replay_from=0).poll() == []


@pytest.mark.parametrize("ttl", [0, -1, 0.5, float("nan"), float("inf")])
def test_a_ttl_that_is_too_short_or_none_is_refused(url, ttl):
    with pytest.raises(SharedStorageError):
        BrainSharedStorage(url).publish("t", "m", ttl=ttl)


def test_on_an_event_loop(storage):
    async def use():
        await storage.aset("key", 1)
        reader = storage.subscribe("t")
        await storage.apublish("t", "m1")
        await storage.apublish("t", "m2")
        found = [await anext(reader.aiter_with_seq())]
        async with reader:
            async for message in reader:
                found.append(message)
                break
        return await storage.aget("key"), found

    assert asyncio.run(use()) == (1, [(1, "m1"), "m2"])


def test_closed_reader_ends(storage):
    reader = storage.subscribe("t")
    threading.Timer(0.1, reader.close).start()
    assert list(reader) == []


def publish_all(url, number, go):
    storage = BrainSharedStorage(url, buffer_size=100)
    go.wait(30)
    for count in range(20):
        storage.publish("t", [number, count])


def test_processes_publish_in_one_order_and_lose_nothing(url):
    go, reader = FORKSERVER.Event(), BrainSharedStorage(url, buffer_size=100).subscribe("t")
    processes = [FORKSERVER.Process(target=publish_all, args=(url, number, go)) for number in range(3)]
    for one in processes:
        one.start()
    go.set()
    received = taken(reader, 60)
    for one in processes:
        one.join(30)
    for number in range(3):
        assert [count for who, count in received if who == number] == list(range(20))


def test_storages_of_other_names_are_apart(url):
    one, other = BrainSharedStorage(url, "one"), BrainSharedStorage(url, "other")
    one.set("key", 1)
    one.publish("t", "m")
    assert other.get("key") is None
    assert other.subscribe("t", replay_from=0).poll() == []


def test_what_cannot_be_done_is_an_error_of_dash(tmp_path):
    full = BrainSharedStorage(MemoryStore(size=1000))
    with pytest.raises(SharedStorageError, match="no room"):
        full.set("key", b"x" * 10_000)
    with pytest.raises(SharedStorageError, match="lambda"):
        full.set("key", lambda: 1)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SharedStorageError):
        BrainSharedStorage(FileStore(tmp_path / "file")).get("key")


def test_callbacks_of_an_app_share_it(url):
    app = Dash("app", shared_storage=BrainSharedStorage(url))
    app.layout = [
        html.Button(id="bump"),
        html.Button(id="read"),
        html.Div(id="count"),
        html.Div(id="readout"),
    ]

    @app.callback(Output("count", "children"), Input("bump", "n_clicks"), prevent_initial_call=True)
    def bump(_):
        ctx.shared_storage.set("count", ctx.shared_storage.get("count", 0) + 1)
        return str(ctx.shared_storage.get("count"))

    @app.callback(Output("readout", "children"), Input("read", "n_clicks"), prevent_initial_call=True)
    def read(_):
        return f"count={ctx.shared_storage.get('count', 0)}"

    page = Page(app)
    for count in ("1", "2"):
        assert page.fire("count.children", trigger="bump.n_clicks") == {"count": {"children": count}}
    assert page.fire("readout.children", trigger="read.n_clicks") == {"readout": {"children": "count=2"}}


def test_streams_of_dash_go_through_it(url):
    """Dash publishes the frames of a streaming callback to a topic, whose reader may be another worker."""
    from dash import _stream_hub

    storage = BrainSharedStorage(url)
    topic = _stream_hub.stream_topic("page:1")
    reader = storage.subscribe(topic)
    for number in range(3):
        storage.publish(topic, json.dumps({"rid": "1", "frame": number}), ttl=_stream_hub.STREAM_TOPIC_TTL)
    assert [json.loads(message)["frame"] for _, message in reader.poll()] == [0, 1, 2]
