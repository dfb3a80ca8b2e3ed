"""Each system call of an operation fails, or kills, below Python: strace refuses it in the kernel's place.

``test_faults.py`` does the same at the names through which the package calls the system, and more thoroughly.
Here nothing is left out that Python or the C library does on its own account.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

import pytest

from dash_brain.errors import StoreError, ValueMissing
from dash_brain.stores import FileStore
from dash_brain.testing import Clock
from tests.needs import missing, needs
from tests.stores.places import everything
from tests.torture.sizes import SOAK

pytestmark = needs("strace", shutil.which("strace"))

SPACE = "brain/below"
OLD, NEW, LARGE = [b"old" * 100], [b"new" * 100], [b"x", os.urandom(2 << 20)]
OWN_FILES = {"key", "ledger", "locks", "remembered"}
ERRNOS = ("ENOSPC", "EIO", "EMFILE", "ENOMEM", "EINTR")
#: What is no business of the store: memory of the heap, signals, clocks, the end of the process, our marker.
NOT_OURS = {
    *("futex", "brk", "munmap", "mprotect", "madvise", "mremap", "rt_sigaction", "rt_sigprocmask"),
    *("getrandom", "clock_nanosleep", "clock_gettime", "exit_group", "restart_syscall", "gettid", "getpid"),
    "getppid",
}
#: How a child ends: what it was asked for was done, or refused with an error of ours, or neither.
DONE, REFUSED, WRONG = 0, 1, 2

OPERATIONS = {
    "put": (lambda store: store.put(SPACE, "fresh", NEW), "fresh", [None, NEW]),
    "put large": (lambda store: store.put(SPACE, "fresh", LARGE), "fresh", [None, LARGE]),
    "replace": (lambda store: store.put(SPACE, "key", NEW), "key", [OLD, NEW]),
    "get": (lambda store: store.get(SPACE, "key"), "key", [OLD, OLD]),
    "get large": (lambda store: store.get(SPACE, "large"), "large", [LARGE, LARGE]),
    "delete": (lambda store: store.delete(SPACE, "key"), "key", [OLD, None]),
    "touch": (lambda store: store.touch(SPACE, "key", 1000), "key", [OLD, OLD]),
    "sweep": (lambda store: store.sweep(), "expired", [None, None]),
}


@pytest.fixture
def folder():
    """A folder in memory: what is tortured is no disk."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        yield Path(folder)


def opened(folder):
    """Return a store with a few values, as it is an hour after they were put."""
    clock = Clock(time.time())
    store = FileStore(folder, clock=clock)
    store.put(SPACE, "key", OLD)
    store.put(SPACE, "key", OLD)
    store.put(SPACE, "large", LARGE)
    store.put(SPACE, "expired", OLD)
    store.touch(SPACE, "expired", 1)  # not put with a ttl: that would start a thread
    clock.advance(3600)
    return store


def run(folder, operation, *options):
    """Run an operation in a child under strace; return how it ended, and the calls that it made."""
    child = os.fork()
    if not child:
        live(folder, operation)
    os.waitpid(child, os.WUNTRACED)  # until it has stopped itself
    log = folder / "calls"
    command = ["strace", "-p", str(child), "-o", str(log), *options]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    attached = tracer.stderr.readline()
    if "attached" not in attached:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        missing(f"the right to trace: {attached}")
    os.kill(child, signal.SIGCONT)
    ended = os.waitpid(child, 0)[1]
    tracer.communicate(timeout=30)
    return os.waitstatus_to_exitcode(ended), log.read_text()


def live(folder, operation):
    """Do the operation between two markers, and end without ado."""
    code = WRONG
    try:
        store = opened(folder / "store")
        os.kill(os.getpid(), signal.SIGSTOP)
        os.getppid()
        try:
            OPERATIONS[operation][0](store)
            code = DONE
        except (StoreError, ValueMissing, MemoryError):
            code = REFUSED
        os.getppid()
    except BaseException:
        (folder / "wrong").write_text(traceback.format_exc())
    finally:
        os._exit(code)


def calls_of(log):
    """Yield the name of each call between the markers, and its number among those of that name."""
    made, between = Counter(), False
    for line in log.splitlines():
        name = re.match(r"\w+", line)
        if name is None or "(" not in line:
            continue
        made[name[0]] += 1
        if name[0] == "getppid":
            between = not between
        elif between and name[0] not in NOT_OURS:
            yield name[0], made[name[0]]


def faults_for(calls):
    """Yield what is to be injected: in the usual run one errno for each call, and for half of them a kill."""
    for place, (name, number) in enumerate(calls):
        errnos = ERRNOS if SOAK else [ERRNOS[place % len(ERRNOS)]]
        yield from (f"{name}:error={errno}:when={number}" for errno in errnos)
        if SOAK or place % 2:
            yield f"{name}:signal=SIGKILL:when={number}"


@pytest.mark.parametrize("operation", OPERATIONS)
def test_call_that_fails_in_the_kernel_loses_nothing_and_leaves_nothing(folder, operation):
    ended, log = run(folder, operation)
    assert ended == DONE, (folder / "wrong").read_text()
    calls = list(calls_of(log))
    assert calls
    if not SOAK and len(calls) > 24:  # those of a sweep are much the same, one folder after the other
        calls = list(itertools.islice(calls, 0, None, len(calls) // 24 + 1))
    complaints = []
    for fault in faults_for(calls):
        shutil.rmtree(folder / "store")
        ended, _ = run(folder, operation, "-e", f"inject={fault}")
        complaints += [f"{operation}: {fault}: {wrong}" for wrong in what_is_wrong(folder, operation, ended)]
    assert not complaints, "\n".join(complaints)


def what_is_wrong(folder, operation, ended):
    if ended not in (DONE, REFUSED, -signal.SIGKILL):
        yield (folder / "wrong").read_text() if (folder / "wrong").exists() else f"ended with {ended}"
    _, key, (old, new) = OPERATIONS[operation]
    clock = Clock(time.time() + 3600)
    store = FileStore(folder / "store", clock=clock)
    found = [bytes(frame) for frame in store.get(SPACE, key)] if store.exists(SPACE, key) else None
    if found != new and (ended == DONE or found != old):
        yield f"ended with {ended}, and {key} is {'missing' if found is None else found[0][:9]}"
    store.sweep()
    listed = set(store.scan(SPACE))
    left = everything(store) - OWN_FILES - {"brain", SPACE, *(f"{SPACE}/{key}" for key in listed)}
    if left:
        yield f"left {left}"
    held = sum(store.info(SPACE, key).nbytes for key in listed)
    if store.usage() != held:
        yield f"counts {store.usage()} bytes, and there are {held}"
    store.put(SPACE, key, NEW)
    if [bytes(frame) for frame in store.get(SPACE, key)] != NEW:
        yield "does not work any more"
