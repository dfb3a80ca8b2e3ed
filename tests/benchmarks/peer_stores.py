"""What keeps values for several processes, each with ``put`` and ``get``: ``peer_contender.py`` runs one.

Nothing of ``tests`` is imported, and nothing that one of their Pythons lacks.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd


class Unable(Exception):
    """This keeps no such value."""


class Pickle:
    """Pickle, protocol 5, in files that take each other's place."""

    def __init__(self, folder: Path, redis: str) -> None:
        self.folder, self.redis = folder, redis
        self.open()

    def open(self) -> None:
        """Open what is needed once in a process."""

    def put(self, name: str, value: Any) -> None:
        with (self.folder / "new").open("wb") as file:
            pickle.dump(value, file, protocol=5)
        (self.folder / "new").replace(self.folder / name)

    def get(self, name: str) -> Any:
        with (self.folder / name).open("rb") as file:
            return pickle.load(file)

    def close(self) -> None:
        """Remove what is not in the folder."""


class Mapping(Pickle):
    """What is written and read by ``kept[name]``."""

    kept: Any

    def put(self, name: str, value: Any) -> None:
        self.kept[name] = value

    def get(self, name: str) -> Any:
        return self.kept[name]


class DashBrain(Mapping):
    def open(self) -> None:
        from dash_brain import Brain

        self.kept = Brain(path=self.folder)


class DashBrainInRedis(Mapping):
    """With near copies, as is usual."""

    def open(self) -> None:
        from dash_brain import Brain
        from dash_brain.stores import CopyStore, NearCopy
        from dash_brain.stores.redis import RedisStore

        self._near = CopyStore(f"bench-{self.folder.parent.name}")
        far = RedisStore(self.redis, key=sha256(bytes(self.folder)).hexdigest())
        self.kept = Brain("bench", store=NearCopy(far, self._near))

    def close(self) -> None:
        import shutil

        self._near.close()
        shutil.rmtree(self._near.place, ignore_errors=True)


class BrainPlasma(Mapping):
    def open(self) -> None:
        from brain_plasma import Brain

        self.kept = Brain(path=str(self.folder / "socket"))


class DiskCache(Mapping):
    def open(self) -> None:
        import diskcache

        self.kept = diskcache.Cache(self.folder, size_limit=4 << 30)


class Setting(Pickle):
    """What is written and read by ``set`` and ``get``."""

    kept: Any

    def put(self, name: str, value: Any) -> None:
        self.kept.set(name, value)

    def get(self, name: str) -> Any:
        return self.kept.get(name)


class FlaskCaching(Setting):
    def open(self) -> None:
        self.of({"CACHE_TYPE": "FileSystemCache", "CACHE_DIR": str(self.folder)})

    def of(self, config: dict[str, Any]) -> None:
        from flask import Flask
        from flask_caching import Cache

        self.kept = Cache(Flask("peer"), config={"CACHE_DEFAULT_TIMEOUT": 3600, **config})


class FlaskCachingInRedis(FlaskCaching):
    def open(self) -> None:
        self.of({"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": self.redis})


class DashExtensions(Setting):
    def open(self) -> None:
        from dash_extensions.enrich import FileSystemBackend

        self.kept = FileSystemBackend(cache_dir=str(self.folder))


class DashExtensionsInRedis(Setting):
    def open(self) -> None:
        from dash_extensions.enrich import RedisBackend

        self.kept = RedisBackend(host=client(self.redis))


class Redis(Setting):
    """Pickle in Redis."""

    def open(self) -> None:
        self.kept = client(self.redis)

    def put(self, name: str, value: Any) -> None:
        self.kept.set(f"pickle {name}", pickle.dumps(value, protocol=5))

    def get(self, name: str) -> Any:
        return pickle.loads(self.kept.get(f"pickle {name}"))


class DccStore(Pickle):
    """JSON of the frame, as one writes it for a ``dcc.Store``; a file takes the place of wire and page."""

    def put(self, name: str, value: Any) -> None:
        (self.folder / name).write_text(json.dumps({"data": as_json(value)}))

    def get(self, name: str) -> Any:
        return of_json(json.loads((self.folder / name).read_text())["data"])


class SharedStorage(Setting):
    """The shared storage of Dash 4.5 in Redis, which takes what JSON can hold."""

    def open(self) -> None:
        import dash

        self.kept = dash.RedisSharedStorage(client=client(self.redis))

    def put(self, name: str, value: Any) -> None:
        self.kept.set(name, as_json(value))

    def get(self, name: str) -> Any:
        return of_json(self.kept.get(name))


#: What the function returns whose results joblib keeps.
COMPUTED: dict[str, Any] = {}


def computed(name: str) -> Any:
    return COMPUTED[name]


class Joblib(Pickle):
    """The result of a function, mapped into memory; an overwrite is a computation that is forced."""

    def open(self) -> None:
        import joblib

        self._cached = joblib.Memory(self.folder, mmap_mode="r", verbose=0).cache(computed)

    def put(self, name: str, value: Any) -> None:
        known, COMPUTED[name] = name in COMPUTED, value
        self._cached.call(name) if known else self._cached(name)  # the first call writes what others look for

    def get(self, name: str) -> Any:
        return self._cached(name)


class Lmdb(Pickle):
    """Pickle in LMDB, which does not wait for the disk."""

    def open(self) -> None:
        import lmdb

        self._kept = lmdb.open(str(self.folder), map_size=4 << 30, sync=False, writemap=True)

    def put(self, name: str, value: Any) -> None:
        with self._kept.begin(write=True) as transaction:
            transaction.put(name.encode(), pickle.dumps(value, protocol=5))

    def get(self, name: str) -> Any:
        with self._kept.begin(buffers=True) as transaction:
            return pickle.loads(transaction.get(name.encode()))


class Feather(Pickle):
    """Feather without compression, mapped."""

    def put(self, name: str, value: Any) -> None:
        from pyarrow import feather

        if not isinstance(value, pd.DataFrame):
            raise Unable("frames only")
        feather.write_feather(value, str(self.folder / "new"), compression="uncompressed")
        (self.folder / "new").replace(self.folder / name)

    def get(self, name: str) -> Any:
        from pyarrow import feather

        return feather.read_feather(self.folder / name, memory_map=True)


class SharedMemory(Pickle):
    """A segment of shared memory by name: a pickle, and behind it the numbers, which readers do not copy."""

    def open(self) -> None:
        self._segments: dict[str, Any] = {}  # of the writer, which removes them
        self._read: dict[str, Any] = {}

    def put(self, name: str, value: Any) -> None:
        from multiprocessing.shared_memory import SharedMemory as Segment

        buffers: list[pickle.PickleBuffer] = []
        head = pickle.dumps(value, protocol=5, buffer_callback=buffers.append)
        pieces = [head, *(buffer.raw() for buffer in buffers)]
        self.close(name)
        sizes = [len(piece) for piece in pieces]
        segment = Segment(self._name(name), create=True, size=sum(sizes))
        (self.folder / name).write_text(json.dumps(sizes))
        start = 0
        for piece in pieces:
            segment.buf[start : start + len(piece)] = piece
            start += len(piece)
        self._segments[name] = segment

    def get(self, name: str) -> Any:
        from multiprocessing.resource_tracker import unregister
        from multiprocessing.shared_memory import SharedMemory as Segment

        self._read[name] = segment = Segment(self._name(name))
        unregister(segment._name, "shared_memory")  # else it would be removed when this process ends
        pieces, start = [], 0
        for size in json.loads((self.folder / name).read_text()):
            pieces.append(segment.buf[start : start + size])
            start += size
        return pickle.loads(pieces[0], buffers=pieces[1:])

    def _name(self, name: str) -> str:
        return f"{self.folder.parent.name}-{name}"

    def close(self, *names: str) -> None:
        for name in names or [*self._segments]:
            if segment := self._segments.pop(name, None):
                segment.unlink()
                segment.close()


class Ray(Pickle):
    """Ray's object store; an actor knows the names. The first process brings Ray up, the second one joins."""

    def open(self) -> None:
        token, address = self.folder / "token", self.folder / "address"
        if not token.exists():
            token.write_text(secrets.token_hex(32))
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token.read_text()}
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        import ray

        self._ray, options = ray, {"namespace": "bench", "log_to_driver": False, "logging_level": "ERROR"}
        if address.exists():
            ray.init(address.read_text(), **options)
        else:
            about = ray.init(num_cpus=2, object_store_memory=1 << 30, include_dashboard=False, **options)
            address.write_text(about.address_info["gcs_address"])
        self._names = ray.remote(Names).options(name="names", get_if_exists=True).remote()

    def put(self, name: str, value: Any) -> None:
        self._ray.get(self._names.put.remote(name, [self._ray.put(value)]))

    def get(self, name: str) -> Any:
        [kept] = self._ray.get(self._names.get.remote(name))
        return self._ray.get(kept)

    def close(self) -> None:
        self._ray.shutdown()


class Names:
    """What each name stands for."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {}

    def put(self, name: str, kept: Any) -> None:
        self._kept[name] = kept

    def get(self, name: str) -> Any:
        return self._kept[name]


def client(url: str) -> Any:
    import redis

    return redis.Redis.from_url(url)


def as_json(value: Any) -> Any:
    return value.to_json(orient="split", date_format="iso") if isinstance(value, pd.DataFrame) else value


def of_json(value: Any) -> Any:
    return pd.read_json(io.StringIO(value), orient="split") if isinstance(value, str) else value
