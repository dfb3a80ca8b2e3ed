"""A ``Brain`` goes to other processes as what it opens, and never with a secret."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import joblib
import pytest

from dash_brain.brain import Brain, opening
from dash_brain.errors import EncodeError, StoreUnavailable
from dash_brain.settings import Settings, current
from dash_brain.stores import FileStore, MemoryStore, SharedMemoryStore, Store
from tests.brain.workers import double_x, recall_x
from tests.conftest import STORE_NAME
from tests.processes import FORKSERVER


@pytest.fixture(autouse=True)
def _leave_no_settings() -> Iterator[None]:
    """What a Brain is unpickled with is what is configured; the next test begins anew."""
    yield
    current.forget()


METHODS = multiprocessing.get_all_start_methods()


class OwnBrain(Brain):
    """Its constructor takes something else."""

    def __init__(self, folder):
        super().__init__("own", path=folder)


OPENED = {
    "path": lambda folder: Brain("orders", path=folder),
    "path with marks": lambda folder: Brain("orders/ü", path=folder / "with % ü?#&size=1"),
    "url": lambda folder: Brain("orders", url=f"file://{folder}?size=5MB"),
    "shared memory": lambda _: Brain("orders", url=f"shm://{STORE_NAME}"),
    "configured": lambda _: Brain("orders"),
    "file store": lambda folder: Brain("orders", store=FileStore(folder)),
    "shared memory store": lambda _: Brain("orders", store=SharedMemoryStore(STORE_NAME)),
    "view": lambda folder: Brain("default", path=folder).view("orders"),
    "own": OwnBrain,
}


@pytest.fixture(params=OPENED)
def brain(request, tmp_path):
    brain = OPENED[request.param](tmp_path)
    yield brain
    brain.clear()


def test_pickled_brain_opens_the_same_names(brain):
    brain["x"] = 3
    for again in (pickle.loads(pickle.dumps(brain)), pickle.loads(pickle.dumps(brain, 2))):
        assert type(again) is type(brain)
        assert dict(again) == {"x": 3}
        assert again.namespace == brain.namespace
        assert pickle.dumps(again) == pickle.dumps(brain)


def test_what_a_subclass_keeps_goes_with_it(tmp_path):
    brain = OwnBrain(tmp_path)
    brain.unit = "m"
    assert pickle.loads(pickle.dumps(brain)).unit == pickle.loads(pickle.dumps(brain.view("b"))).unit == "m"


def test_brain_that_went_to_a_spawned_process_opens_the_same_names(brain):
    brain["x"] = 3
    with FORKSERVER.Pool(1) as pool:
        assert pool.map(recall_x, [brain]) == [(3, brain.namespace)]


@pytest.fixture
def local(tmp_path):
    local = Brain("orders", path=tmp_path)
    local["x"] = 3
    return local


@pytest.mark.parametrize("method", METHODS)
def test_brain_goes_to_a_pool(local, method):
    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        assert pool.map(recall_x, [local] * 4) == [(3, "orders")] * 4
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(recall_x, [local] * 4)) == [(3, "orders")] * 4
    process = context.Process(target=local.learn, args=("of the child", 1))
    process.start()
    process.join(60)
    assert local["of the child"] == 1


@pytest.mark.parametrize("backend", ["loky", "threading", "multiprocessing"])
def test_brain_goes_to_joblib(local, backend):
    if backend == "loky":
        pytest.importorskip("joblib.externals.loky")
    work = [joblib.delayed(recall_x)(local)] * 4
    assert joblib.Parallel(n_jobs=2, backend=backend)(work) == [(3, "orders")] * 4


def test_one_process_opens_the_store_of_a_path_once_however_often_it_gets_a_brain(local):
    stores = {id(pickle.loads(pickle.dumps(local))._store) for _ in range(5)}
    assert len(stores) == 1


def test_time_to_live_goes_with_it(tmp_path):
    again = pickle.loads(pickle.dumps(Brain(path=tmp_path, ttl=60)))
    again["x"] = 3
    assert again.metadata("x")["expires"] == pytest.approx(again.metadata("x")["created"] + 60, abs=1)


def test_brain_that_is_asleep_arrives_awake(local):
    local.sleep()
    assert pickle.loads(pickle.dumps(local))["x"] == 3


def test_brain_is_a_value_too(local):
    local["another"] = local.view("another")
    local["another"]["y"] = 4
    assert local.view("another")["y"] == 4


@pytest.mark.parametrize("twin_of", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("store", [MemoryStore, None])
def test_copy_opens_the_same_names(tmp_path, twin_of, store):
    brain = Brain(store=store()) if store else Brain(path=tmp_path)
    twin = twin_of({"brain": brain})["brain"] if twin_of is copy.deepcopy else twin_of(brain)
    brain["x"] = 3
    assert twin["x"] == 3
    twin.set_namespace("other")
    twin.sleep()
    assert brain["x"] == 3


@pytest.mark.parametrize("memory", [{"url": "memory://"}, {"url": "memory://x"}, {"store": MemoryStore()}])
def test_brain_in_the_memory_of_one_process_is_refused_with_the_reason(memory):
    brain = Brain(**memory)
    with pytest.raises(EncodeError, match=r"memory of this process.*file://"):
        pickle.dumps(brain)
    with FORKSERVER.Pool(1) as pool, pytest.raises(TypeError, match="memory://"):
        pool.map(recall_x, [brain])


@pytest.fixture
def remote(monkeypatch):
    """Let any URL be one of a store, which is never used."""
    stores = {}

    def open_remote(url):
        return url if isinstance(url, Store) else stores.setdefault(url, FileStore("/nowhere"))

    monkeypatch.setattr(opening, "open_store", open_remote)
    return open_remote


SECRET_URLS = [
    "redis://me:hunter2@cache:6379/0",
    "redis://:hunter2@cache:6379/0?timeout=5",
    "redis://hunter2@cache:6379/0",
    "rediss://cache:6379/0?password=hunter2",
    "other://cache/name?api_token=hunter2&timeout=5",
    "other://a@hunter2@cache/name",
]


@pytest.mark.parametrize("url", SECRET_URLS)
def test_credentials_are_not_pickled_and_come_from_the_configuration_of_the_receiver(
    remote, url, monkeypatch
):
    pickled = pickle.dumps(Brain("orders", url=url))
    assert b"hunter2" not in pickled
    with pytest.raises(StoreUnavailable, match="without its credentials") as caught:
        pickle.loads(pickled)
    assert "hunter2" not in str(caught.value)
    configured = Settings(store_or_url=url.replace("hunter2", "hunter3"))
    vars(configured)["store"] = FileStore("/configured")
    monkeypatch.setattr(current, "use", lambda: configured)
    again = pickle.loads(pickled)
    assert again._store is configured.store
    assert pickle.dumps(again) == pickled


def test_url_without_credentials_is_opened_as_it_is(remote):
    url = "redis://cache:6379/0?timeout=5"
    assert pickle.loads(pickle.dumps(Brain(url=url)))._store is remote(url)


def test_memoized_function_may_close_over_a_brain(local):
    with ProcessPoolExecutor(2, mp_context=FORKSERVER) as pool:
        results = list(pool.map(partial(double_x, local), [1, 1, 1, 1]))
    assert results == [7] * 4
    assert len([name for name in local if name.startswith("computed")]) == 1
