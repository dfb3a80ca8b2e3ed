"""Every system call of the package can be counted, and any of them made to fail, once or from then on.

Calls are met where the package makes them: at the names in the modules ``os``, ``fcntl`` and ``mmap``.
``test_faults.py`` reads the package's source and fails when it uses a name that is not listed here.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

#: What asks the system for something, and can be refused.
CALLS: dict[ModuleType, set[str]] = {
    os: {
        *(
            "open",
            "close",
            "read",
            "pread",
            "preadv",
            "write",
            "writev",
            "pwrite",
            "pwritev",
            "posix_fallocate",
        ),
        *("fstat", "stat", "lstat", "statvfs", "fstatvfs", "access", "listdir", "scandir", "readlink"),
        *("link", "symlink", "rename", "replace", "unlink", "remove", "mkdir", "rmdir"),
        *("chmod", "fchmod", "utime", "fsync", "fdatasync", "ftruncate", "truncate", "lseek", "sendfile"),
        *("copy_file_range", "posix_fallocate", "dup", "pipe"),
    },
    fcntl: {"fcntl", "flock"},
    mmap: {"mmap"},
}
#: What cannot fail, is made of the calls above, or asks nothing of the system.
HARMLESS = {
    os: {
        *("fspath", "fsencode", "fsdecode", "strerror", "environ", "path", "makedirs", "walk", "stat_result"),
        *("getpid", "geteuid", "getuid", "uname", "urandom", "cpu_count", "register_at_fork"),
        *("major", "minor", "sysconf"),
        *("supports_dir_fd", "PathLike", "DirEntry"),
    },
    fcntl: set(),
    mmap: set(),
}

ERRNOS = (errno.ENOSPC, errno.EIO, errno.EMFILE, errno.ENOMEM, errno.EINTR, errno.EACCES)
SHORT, KILLED = "short", "killed"

#: What writes or reads as much as it likes, and may do less than it was asked to.
MAY_BE_SHORT = {"write", "writev", "pwrite", "pwritev", "read", "pread", "preadv"}
#: What leaves the system another than before: a process that is killed between two others is the same.
CHANGING = {"open", "posix_fallocate", "link", "symlink", "rename", "replace", "unlink", "remove", "mkdir"}
CHANGING |= {"rmdir", "chmod", "fchmod", "utime", "truncate", "ftruncate", "fcntl", "flock"}
CHANGING |= {"write", "writev", "pwrite", "pwritev", "sendfile", "copy_file_range"}


@dataclass(frozen=True)
class Fault:
    """What happens to the system call ``number``, counted from 0.

    ``kind`` is the errno that it fails with, or that it writes or reads less than it was asked to, or that
    the process is killed instead. With ``for_ever`` all later calls of its name fail too.
    """

    number: int
    kind: int | str
    for_ever: bool = False

    def __str__(self) -> str:
        kind = errno.errorcode[self.kind] if isinstance(self.kind, int) else self.kind
        return f"call {self.number}: {kind}{' for ever' if self.for_ever else ''}"


@dataclass
class Calls:
    """The system calls that were made, by name, and the one that was made to fail."""

    made: list[str] = field(default_factory=list)
    failed: str | None = None


@contextmanager
def intercepted(fault: Fault | None = None) -> Iterator[Calls]:
    """Record all system calls while the block runs, and let the fault happen."""
    calls = Calls()
    names = [(module, name) for module in CALLS for name in CALLS[module] if hasattr(module, name)]
    real = [getattr(*name) for name in names]
    try:
        for (module, name), call in zip(names, real, strict=True):
            setattr(module, name, _stand_in(name, call, calls, fault))
        yield calls
    finally:
        for (module, name), call in zip(names, real, strict=True):
            setattr(module, name, call)


def _stand_in(name: str, real: Callable[..., Any], calls: Calls, fault: Fault | None) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        number = len(calls.made)
        calls.made.append(name)
        if fault is None or not (number == fault.number or (fault.for_ever and name == calls.failed)):
            return real(*args, **kwargs)
        calls.failed = name
        return _fail(name, real, fault.kind, args, kwargs)

    return call


def _fail(name: str, real: Callable[..., Any], kind: int | str, args: Any, kwargs: Any) -> Any:
    if kind == KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == SHORT:
        return real(*_shortened(name, args), **kwargs)
    if _gives_back(name, args):
        real(*args, **kwargs)
    assert isinstance(kind, int)
    if name == "access":
        return False
    raise OSError(kind, os.strerror(kind))


def _gives_back(name: str, args: Any) -> bool:
    # Linux closes a descriptor and frees a lock whatever it says about it.
    if name == "fcntl":
        return isinstance(args[2], bytes) and args[2][:2] == fcntl.F_UNLCK.to_bytes(2, "little")
    return name == "close"


def _shortened(name: str, args: Any) -> Any:
    file, what, *rest = args
    if name in ("read", "pread"):
        return (file, max(1, what // 2), *rest)
    if name in ("write", "pwrite"):
        return (file, what[: max(1, len(what) // 2)], *rest)
    first = next((piece for piece in what if len(piece)), what[0])
    return (file, [memoryview(first)[: max(1, len(first) // 2)]], *rest)
