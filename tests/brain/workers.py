"""What the processes of a test do, in a module that they can import."""

from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from dash_brain.brain import Brain
from dash_brain.singleflight import deadlock
from dash_brain.stores import FileStore


def learn_once_in_threads(folder, name, made_in):
    """Ask for one name in four threads; every making leaves a file in ``made_in``."""
    brain = Brain(path=folder)

    def make():
        with open(f"{made_in}/{os.getpid()}-{time.monotonic_ns()}", "w"):
            time.sleep(0.5)
        return {"made by": os.getpid()}

    with ThreadPoolExecutor(4) as pool:
        return [turn.result() for turn in [pool.submit(brain.get_or_learn, name, make) for _ in range(4)]]


def make_for_ever(folder, name, begun):
    """Begin to make a value, and never finish."""

    def make():
        begun.set()
        time.sleep(600)

    Brain(path=folder).get_or_learn(name, make)


def read_value(folder, name):
    """Read a value in another process."""
    return Brain(path=folder)[name]


def learn_in_namespace(folder, namespace):
    """Learn a name in a namespace, and return which namespaces this process sees."""
    brain = Brain(path=folder)
    brain.set_namespace(namespace)
    brain["a"] = 2
    return brain.namespaces()


def learn_times(folder, count):
    """Learn what time it is, over and over, with pauses in which a waiter grows lazy."""
    brain = Brain(path=folder)
    for _ in range(count):
        time.sleep(0.3)
        brain["time"] = time.time()


def overwrite(folder, name, writer, count):
    """Learn a name many times over, and return how often that went well."""
    brain = Brain(path=folder)
    return sum(bool(brain.learn(name, (writer, b"%d" % writer * 1000))) for _ in range(count))


def read_until(folder, name, done):
    """Recall a name until another is there; return how often, and what was wrong with it."""
    brain, reads, faults = Brain(path=folder), 0, []
    while not brain.exists(done):
        reads += 1
        try:
            writer, content = brain[name]
            assert content == b"%d" % writer * 1000
        except Exception as error:
            faults.append(repr(error))
    return reads, faults


def dump_for_ever(folder, dump, begun):
    """Begin to dump, and never finish."""

    def names():
        yield "a"
        begun.set()
        time.sleep(600)

    Brain(path=folder).dump(dump, names())


def fail_once_all_wait(folder, error, waiting, number, made):
    """Ask for a value whose maker fails when all others wait for it; return what came out."""

    def make():
        made.append(os.getpid())
        for _ in range(number):
            waiting.acquire()
        time.sleep(0.3)  # those who said that they are coming get to the lock
        raise error(1, 2)

    brain = Brain(path=folder)
    waiting.release()
    try:
        brain.get_or_learn("name", make)
    except Exception as raised:
        return type(raised).__name__


def call_slow_square(folder, x):
    """Call a memoized function; every computation leaves a file."""

    @Brain(path=folder).memoize()
    def square(x):
        with open(f"{folder}/made/{os.getpid()}-{time.monotonic_ns()}", "w"):
            time.sleep(0.5)
        return x * x

    return square(x)


def preload_at_once(folder, start):
    """Preload when all are ready, and note what was seen."""
    brain = Brain(path=folder)

    def make():
        brain["made by"] = [*brain.get("made by", []), os.getpid()]
        time.sleep(0.3)
        return os.getpid()

    start.wait(60)
    brain[f"seen by {os.getpid()}"] = brain.preload("name", make)


def preload_for_ever(folder):
    """Preload what takes until somebody says "go on"."""
    brain = Brain(path=folder)

    def make():
        brain["begun by"] = os.getpid()
        brain.wait("go on", None)
        return os.getpid()

    brain[f"seen by {os.getpid()}"] = brain.preload("name", make)


def preload_with_waste(folder):
    """Preload what takes 100 MB to make, and note what this process holds alone when it is done."""
    brain, kept = Brain(path=folder), []

    def make():
        for _ in range(2):  # the first large block that is freed makes glibc put the next ones into its heap
            blocks = [np.ones(1_000_000) for _ in range(12)]
            kept.append(np.ones(10_000))
            del blocks
        return "made"

    before = private()
    brain.preload("name", make)
    brain["grown"] = private() - before


def private():
    """Return the bytes of memory that only this process has."""
    with open("/proc/self/smaps_rollup") as lines:
        return sum(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:"))


def call_what_does_not_fit(folder, kind, number, waiting, made, together):
    """Call a memoized function whose result the store has no room for; return its size.

    The first maker goes on when all others wait for it, and the others when all of them make it.
    """
    brain = Brain(store=FileStore(folder, size="4MiB"))

    def make():
        made.append(os.getpid())
        if made[0] == os.getpid():
            for _ in range(number):
                waiting.acquire()
            time.sleep(0.3)  # those who said that they are coming get to the lock
        else:
            together.wait(30)
        return bytes(8 << 20)

    async def make_async():
        return await asyncio.to_thread(make)

    large = brain.memoize(key=lambda: "large")(make if kind == "threads" else make_async)
    waiting.release()
    return len(large() if kind == "threads" else asyncio.run(large()))


def need_one_another(folder, name, wanted, all_make):
    """Make one name, and ask for another that somebody else makes; return what came out."""
    brain, deadlock.LONGEST_WAIT = Brain(path=folder), 1.0

    def make():
        all_make.wait(30)
        return brain.get_or_learn(wanted, lambda: "made")

    try:
        brain.get_or_learn(name, make)
    except Exception as error:
        return type(error).__name__, str(error)


def learn_numbers(folder, count):
    """Learn the numbers below a count under one name, one in place of the other."""
    brain = Brain(path=folder)
    for number in range(count):
        brain["job"] = number


def offer_jobs(folder, jobs):
    """Learn each job under one name, as soon as that is free."""
    brain = Brain(path=folder)
    for job in jobs:
        while brain.setdefault("job", job) != job:
            time.sleep(0.0002)


def take_jobs(folder, count, popitem):
    """Pop jobs, so many, and return them."""
    brain, taken = Brain(path=folder), []
    while len(taken) < count:
        try:
            taken.append(brain.popitem()[1] if popitem else brain.pop("job"))
        except KeyError:
            time.sleep(0.0002)
    return taken


def make_when_told(folder, how, begun, go_on):
    """Make a value of a name that others learn meanwhile; return what came out."""
    brain = Brain(path=folder)

    def make():
        begun.set()
        go_on.wait(60)
        return "older"

    return getattr(brain, how)("name", make)


def recall_x(brain):
    """Return what a Brain that came by pickle finds."""
    return brain["x"], brain.namespace


def double_x(brain, number):
    """Call a memoized function that closes over a Brain; every computation counts."""

    @brain.memoize()
    def doubled(number):
        brain.learn(f"computed by {os.getpid()} at {time.monotonic_ns()}", number)
        return 2 * brain["x"] + number

    return doubled(number)
