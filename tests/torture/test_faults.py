"""Every system call of every operation fails once, and for ever, in every way that the system knows."""

from __future__ import annotations

import ast
import errno
import gc
import os
import shutil
import signal
import sys
import traceback
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from unittest import mock

import pytest

import dash_brain.stores
from dash_brain.errors import StoreError
from dash_brain.stores.mapped.volume.paths import path_of
from tests.stores.places import ledger_of, place
from tests.torture.children import Child
from tests.torture.faults import (
    CALLS,
    CHANGING,
    ERRNOS,
    HARMLESS,
    KILLED,
    MAY_BE_SHORT,
    SHORT,
    Fault,
    intercepted,
)
from tests.torture.grounds import KINDS, ground, objects, spilling_to, stale_locks
from tests.torture.operations import DEAR, OPERATIONS, World, listed, lying, spilled_files
from tests.torture.sizes import SOAK, size

#: What may fail when the change is done: closing, freeing a lock. And a process may be killed then.
MAY_BE_LATE = {"close", "fcntl", "flock", "a process"}
#: An operation of more system calls than this is tried less thoroughly, but for the soak.
MANY = 40
#: A lock that nobody frees keeps the next one waiting this long, in seconds.
STUCK_AFTER = 20


def test_every_name_through_which_the_package_calls_the_system_is_intercepted():
    known = {module.__name__: CALLS[module] | HARMLESS[module] for module in CALLS}
    for path in Path(dash_brain.stores.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                names = known.get(node.value.id)
                assert names is None or node.attr in names or node.attr.isupper(), f"{path}: {node.attr}"


class Stuck(BaseException):
    """Somebody waits for a lock that nobody frees."""


def _stuck(*_):
    raise Stuck


class Trial:
    """One operation in a world of its own, a fault in the middle of it, and what is wrong afterwards."""

    def __init__(self, kind, folder, operation, fault=None):
        self.kind, self.operation, self.fault = kind, operation, fault
        self.wrong, self.failed = [], None
        self.world = World(kind, folder, spills=operation.spills)

    def complain(self, what):
        self.wrong.append(f"{self.kind.__name__}: {self.operation.name}: {self.fault}: {what}")

    def run(self, clean=None):
        """Let the operation meet the fault; return the calls that it made, and its result."""
        undone, result = False, None
        with intercepted(self.fault) as calls:
            try:
                result = self.operation(self.world)
            except StoreError:
                undone = True
            except BaseException:
                self.complain(f"raised\n{traceback.format_exc()}")
        self.failed = calls.failed
        if not undone and not self.wrong and self.fault and result != clean and not self.refused():
            self.complain(f"returned {result!r} and not {clean!r}")
        self.check(undone)
        return calls.made, result

    def die(self):
        """Let a process be killed by the fault in the middle of the operation."""
        child = Child(self.work_and_die)
        self.failed = "a process"
        with pytest.raises(AssertionError, match="SIGKILL"):
            child.result()
        self.check(undone=True)

    def work_and_die(self):
        self.world.store.secret()  # so that it is open, as it was when the calls were counted
        with intercepted(self.fault):
            self.operation(self.world)

    def refused(self):
        """Say whether what failed is how POSIX lets a system say that somebody else holds a lock."""
        return self.failed == "fcntl" and self.fault.kind == errno.EACCES

    def is_full(self):
        """Say whether the fault asks for room to be made."""
        return self.fault is not None and self.fault.kind in (errno.ENOSPC, errno.ENOMEM)

    def check(self, undone):
        self.check_values(undone)
        self.check_that_all_works_again()
        for store in self.stores():
            self.check_that_nothing_is_left(store)
        self.world.aside.close()

    def stores(self):
        return [self.world.store, self.world.aside] if self.operation.aside else [self.world.store]

    def check_values(self, undone):
        operation = self.operation
        both = ((self.world.values, operation.changes), ({}, operation.aside))
        for store, (old, changes) in zip(self.stores(), both, strict=False):
            new = {where: frames for where, frames in {**old, **changes}.items() if frames is not None}
            found = dict(lying(store))
            if DEAR not in found and (operation.evicts or self.is_full()):
                old, new = (
                    {where: frames for where, frames in all.items() if where != DEAR} for all in (old, new)
                )
            fine = found == new or (undone and found == old)
            if undone and self.failed not in MAY_BE_LATE:
                fine = found == old
            if undone and operation.stepwise:
                fine = new.items() <= found.items() <= old.items()
            if not fine:
                self.complain(f"{self.failed} {undone=} left {found == old=}, {found == new=}")

    def check_that_all_works_again(self):
        self.world.store.resize(64 << 20)
        for where in [*self.operation.changes, ("brain/again", "again")]:
            for store in (self.world.open(), self.world.store):
                store.put(*where, [b"again"])
                assert bytes(store.get(*where)[0]) == b"again"
                with store.lock("key"):
                    pass
        self.world.put_what_is_dear()
        self.world.store.sweep()  # which puts counts right that the fault left wrong
        self.operation(self.world)

    def check_that_nothing_is_left(self, store):
        store.sweep()
        extra = objects(store) - {path_of(*where) for where in listed(store)}
        if extra or stale_locks(store):
            self.complain(f"left {extra} {stale_locks(store)}")
        held = sum(store.info(*where).nbytes for where in listed(store))
        counted = store.usage() + ledger_of(store).spilled()
        if counted != held:
            self.complain(f"counts {counted} bytes, and there are {held}")
        on_disk = [path for path in objects(store) if (place(store) / path).is_symlink()]
        if len(spilled_files(store)) != len(on_disk):
            self.complain(f"left on disk {spilled_files(store)}, and there are links {on_disk}")
        store.close()


def faults_for(made, turn=0):
    """Yield the faults of all these calls: with every errno, once and for ever.

    In the usual run every fourth call fails once, with one errno in turn, and every twelfth for ever. Of an
    operation of many calls every eighth one fails: most of them are made by others too.
    """
    step = 1 if SOAK else 4 if len(made) <= MANY else 8
    for count, number in enumerate(range(turn % step, len(made), step), turn):
        in_turn = [ERRNOS[(count + more) % len(ERRNOS)] for more in range(len(ERRNOS))]
        for kind in in_turn if SOAK else in_turn[:1]:
            yield Fault(number, kind)
        for kind in in_turn if SOAK else in_turn[2:3] * (count % 3 == 0):
            yield Fault(number, kind, for_ever=True)
        if made[number] in MAY_BE_SHORT:
            yield from (Fault(number, SHORT), Fault(number, SHORT, for_ever=True))


def kills_for(made, turn=0):
    """Yield a kill before each call that changes anything; in the usual run before every twelfth."""
    changing = [number for number, name in enumerate(made) if name in CHANGING]
    yield from (Fault(number, KILLED) for number in (changing if SOAK else changing[turn % 12 :: 12]))


class Trials:
    """Every fault of every operation, one after the other."""

    def __init__(self, kind, folder):
        self.kind, self.folder = kind, folder
        self.number, self.wrong, self.lost = 0, [], []

    def run_all(self, operations, *, deadly):
        """Return how many there were, and what was wrong."""
        gc.freeze()  # what the parent made need not be looked through again and again
        signal.signal(signal.SIGALRM, _stuck)
        sys.unraisablehook = lambda lost: self.lost.append(repr(lost.exc_value))
        for turn, operation in enumerate(operations):
            gc.collect()  # else what the last trials left may be closed, and counted, in this one
            with self.ground("clean") as folder:
                made, clean = Trial(self.kind, folder, operation).run()
            if deadly:
                for fault in kills_for(made, turn):
                    self.run_one(operation, fault, Trial.die)
            else:
                for fault in faults_for(made, turn):
                    self.run_one(operation, fault, partial(Trial.run, clean=clean))
        return self.number, self.wrong

    def run_one(self, operation, fault, run):
        self.number += 1
        before = len(os.listdir("/proc/self/fd"))
        with self.ground(str(self.number)) as folder:
            signal.alarm(STUCK_AFTER)
            trial = Trial(self.kind, folder, operation, fault)
            try:
                run(trial)
            except BaseException:
                trial.complain(f"afterwards\n{traceback.format_exc()}")
            signal.alarm(0)
        if trial.failed != "close":  # on Linux a descriptor is closed whatever close says
            self.check_that_nothing_is_kept(trial, before)
        self.lost.clear()
        self.wrong += trial.wrong

    @contextmanager
    def ground(self, name):
        """Yield a folder for a world that spills to a disk of its own: no sweep sees what others left."""
        folder = self.folder / name
        (folder / "disk").mkdir(parents=True)
        with spilling_to(folder / "disk"):
            yield folder / "world"
        shutil.rmtree(folder)

    def check_that_nothing_is_kept(self, trial, before):
        if self.lost:
            trial.complain(f"nobody was told of {self.lost}")
        if len(os.listdir("/proc/self/fd")) > before:
            gc.collect()
            if len(os.listdir("/proc/self/fd")) > before:
                trial.complain("kept a descriptor")


def run_all(kind, folder, *, deadly):
    """Run the trials in two processes, and fail with all that was wrong."""
    parts = [OPERATIONS[0::2], OPERATIONS[1::2]]
    children = [
        Child(partial(Trials(kind, folder / str(number)).run_all, part, deadly=deadly))
        for number, part in enumerate(parts)
    ]
    results = [child.result() for child in children]
    wrong = [complaint for _, complaints in results for complaint in complaints]
    assert not wrong, "\n".join([f"{len(wrong)} complaints", *wrong])
    return sum(number for number, _ in results)


def anything_is_a_disk():
    """Let stores spill to folders that lie in memory, too."""
    return mock.patch("dash_brain.stores.mapped.spill.roots.is_disk", return_value=True)


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_is_typed_loses_nothing_and_leaves_nothing(tmp_path, kind):
    with ground(tmp_path) as folder, anything_is_a_disk():
        assert run_all(kind, folder, deadly=False) > size(225, 900)


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_any_system_call_loses_nothing_and_leaves_nothing(tmp_path, kind):
    with ground(tmp_path) as folder, anything_is_a_disk():
        assert run_all(kind, folder, deadly=True) > size(25, 100)
