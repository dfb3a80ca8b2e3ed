"""Work in a process of its own, which outlives its starter, watched by a second process, its guard.

Nobody else can watch it: its starter may have ended, and its own process may be killed, or run code that lets
no other thread go on.
"""

from __future__ import annotations

import ctypes
import os
import signal
import stat
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from dash_brain.errors import BrainError

#: Seconds between two looks of a guard.
PAUSE = 0.2

#: The guards that this process has started, until it is known that they have ended.
_guards: set[int] = set()

_PR_SET_PDEATHSIG = 1


def check_platform() -> None:
    """Raise unless this platform can fork."""
    if not hasattr(os, "fork"):
        raise BrainError(
            "BrainManager forks the processes of its jobs, which this system cannot. Use CeleryManager."
        )


def run_detached(
    work: Callable[[], None], is_wanted: Callable[[], bool], ended: Callable[[str], None]
) -> None:
    """Begin some work in a process of its own, and return at once.

    Parameters
    ----------
    work
        What to do. It has the memory of this process as it is now, and none of its sockets.
    is_wanted
        Called several times a second, in the guard: when it is false, the work is killed, with all processes
        that it has started.
    ended
        Called in the guard when the work is over: with how its process ended before it was done, or with "".
    """
    _forget_ended_guards()
    _flush()
    guard = os.fork()
    if guard:
        _guards.add(guard)
        return
    _guards.clear()
    _run(lambda: _guard(work, is_wanted, ended), os.setsid)


def _guard(work: Callable[[], None], is_wanted: Callable[[], bool], ended: Callable[[str], None]) -> None:
    job = os.fork()
    if not job:
        _run(work, _die_with_guard)
    while True:
        over, status = os.waitpid(job, os.WNOHANG)
        if over:
            break
        if not is_wanted():
            _kill_all(job)
        time.sleep(PAUSE)
    _kill_all(job)  # what it has started and left behind
    ended(_how(os.waitstatus_to_exitcode(status)))


def _run(work: Callable[[], None], begin: Callable[[], object]) -> NoReturn:
    """Do some work in a forked process, and end it."""
    code = 1
    try:
        _forget_parent()
        begin()
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        _flush()
        os._exit(code)


def _forget_parent() -> None:
    """Drop what a forked process has of a server: its handlers of signals, and its sockets.

    A socket that listens would keep the address in use when the server is started anew, and one of a browser
    or of a database would be used by two. Their numbers stay taken: objects of the parent know them.
    """
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in map(int, os.listdir("/dev/fd")):
        with suppress(OSError):
            if descriptor > 2 and stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                os.dup2(nothing, descriptor, inheritable=False)
    os.close(nothing)


def _die_with_guard() -> None:
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_all(job: int) -> None:
    """Kill a process, and those that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(job, signal.SIGKILL)


def _how(code: int) -> str:
    if code >= 0:
        return f"ended with the exit code {code}" if code else ""
    return f"was killed by {signal.Signals(-code).name}"


def _forget_ended_guards() -> None:
    for guard in list(_guards):
        with suppress(ChildProcessError):  # somebody else has waited for it
            if os.waitpid(guard, os.WNOHANG) == (0, 0):
                continue
        _guards.discard(guard)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
