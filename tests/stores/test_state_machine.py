"""Every store behaves like a dictionary with lifetimes."""

from __future__ import annotations

import shutil
import tempfile

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dash_brain.errors import ValueMissing
from dash_brain.stores import FileStore, MemoryStore
from dash_brain.testing import Clock
from tests.stores.fallbacks import FallbackStore

NAMESPACES = st.sampled_from(["brain/a", "brain/A", "brain/ab", "app/a", "brain/" + "x" * 300])
KEYS = st.sampled_from(["", "a", "A", "a/b", "%41", "k" * 300, "\ud800"])
FRAMES = st.lists(st.binary(max_size=100), min_size=1, max_size=4) | st.sampled_from([[b"s", b"x" * 300_000]])
TTLS = st.none() | st.sampled_from([0, 1, 5, 1000])


class StoreAsDictionary(RuleBasedStateMachine):
    """A store and a dictionary from (namespace, key) to (frames, expiry) are told the same."""

    def open(self, clock):
        raise NotImplementedError

    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.folder = tempfile.mkdtemp()
        self.store = self.open(self.clock)
        self.model = {}

    def teardown(self):
        shutil.rmtree(self.folder)

    def living(self):
        return {
            place: frames
            for place, (frames, expires) in self.model.items()
            if expires is None or expires > self.clock()
        }

    def expires(self, ttl):
        return None if ttl is None else self.clock() + ttl

    @rule(namespace=NAMESPACES, key=KEYS, frames=FRAMES, ttl=TTLS)
    def put(self, namespace, key, frames, ttl):
        self.store.put(namespace, key, frames, ttl=ttl, meta={"key": key})
        self.model[namespace, key] = (frames, self.expires(ttl))

    @rule(namespace=NAMESPACES, key=KEYS)
    def get(self, namespace, key):
        try:
            found = [bytes(frame) for frame in self.store.get(namespace, key)]
            assert self.store.info(namespace, key).meta == {"key": key}
        except ValueMissing:
            found = None
        assert found == self.living().get((namespace, key))

    @rule(namespace=NAMESPACES, key=KEYS)
    def delete(self, namespace, key):
        assert self.store.delete(namespace, key) == ((namespace, key) in self.living())
        self.model.pop((namespace, key), None)

    @rule(namespace=NAMESPACES, key=KEYS, ttl=TTLS)
    def touch(self, namespace, key, ttl):
        if (namespace, key) not in self.living():
            with pytest.raises(ValueMissing):
                self.store.touch(namespace, key, ttl)
        else:
            self.store.touch(namespace, key, ttl)
            self.model[namespace, key] = (self.model[namespace, key][0], self.expires(ttl))

    @rule(namespace=NAMESPACES)
    def drop(self, namespace):
        self.store.drop(namespace)
        self.model = {place: value for place, value in self.model.items() if place[0] != namespace}

    @rule(seconds=st.sampled_from([0.5, 1, 4, 100]))
    def pass_time(self, seconds):
        self.clock.advance(seconds)

    @rule()
    def sweep(self):
        self.store.sweep()
        self.model = {place: self.model[place] for place in self.living()}

    @rule()
    def reopen(self):
        self.store.close()
        if type(self.store) is not MemoryStore:
            self.store = self.open(self.clock)

    @invariant()
    def lists_are_those_of_the_dictionary(self):
        for domain in ("brain", "app"):
            here = {namespace for namespace, _ in self.living() if namespace.startswith(f"{domain}/")}
            assert set(self.store.namespaces(domain)) == here
            for namespace in here:
                keys = sorted(key for place, key in self.living() if place == namespace)
                assert sorted(self.store.scan(namespace)) == keys


class FilesAsDictionary(StoreAsDictionary):
    def open(self, clock):
        return FileStore(self.folder, clock=clock)


class FallbackAsDictionary(StoreAsDictionary):
    def open(self, clock):
        return FallbackStore(self.folder, clock=clock)


class MemoryAsDictionary(StoreAsDictionary):
    def open(self, clock):
        return MemoryStore(clock=clock)


TestFileStore = FilesAsDictionary.TestCase
TestFallbackStore = FallbackAsDictionary.TestCase
TestMemoryStore = MemoryAsDictionary.TestCase
TestFileStore.settings = TestFallbackStore.settings = TestMemoryStore.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None
)
