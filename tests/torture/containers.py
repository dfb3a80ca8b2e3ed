"""Containers as an engine makes them: a control group, namespaces, and a shared memory of their own.

All of it is made by hand, by root, and is gone after the test: what runs inside is killed, mounts end with
their namespace, and the control group lies below the one that the tests themselves run in.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.needs import needs
from tests.programs import REPOSITORY

#: Seconds that anybody waits for what runs inside.
PATIENCE = 120.0

_CGROUPS = Path("/sys/fs/cgroup")


class Files(NamedTuple):
    """The names of a memory group's files, which differ between the two versions."""

    limit: str
    kills: str


FIRST = Files("memory.limit_in_bytes", "memory.oom_control")
SECOND = Files("memory.max", "memory.events")


def _above() -> tuple[Path, Files] | None:
    """Return the group in which a group with a memory limit can be made, None if there is no such."""
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            return _CGROUPS / "memory" / path.lstrip("/"), FIRST
        if not controllers:
            # Groups with processes have no groups below them that bound memory: one above has.
            own = _CGROUPS / path.lstrip("/")
            for folder in (own, *own.parents):
                if "memory" in _words(folder / "cgroup.subtree_control"):
                    return folder, SECOND
    return None


def _words(file: Path) -> list[str]:
    try:
        return file.read_text().split()
    except OSError:
        return []


def _lacks() -> str:
    if os.geteuid() != 0:
        return "root"
    if not (shutil.which("unshare") and shutil.which("mount")):
        return "unshare and mount"
    above = _above()
    if above is None:
        return "a memory controller to make a group with"
    return "" if os.access(above[0], os.W_OK) else f"the right to write to {above[0]}"


needs_containers = needs(_lacks(), not _lacks())


class Group:
    """A control group that bounds the memory of what runs in it, and tells how that went."""

    def __init__(self, above: Path, files: Files, limit: int | None) -> None:
        self.folder, self.files = above / f"dash_brain-test-{secrets.token_hex(4)}", files
        self.folder.mkdir()
        if limit is not None:
            (self.folder / files.limit).write_text(str(limit))

    def killed(self) -> int:
        """Return how many processes the kernel killed because memory was used up."""
        lines = (self.folder / self.files.kills).read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.split()[0] == "oom_kill")

    def join(self) -> None:
        """Let the calling process be in it."""
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self) -> None:
        """Remove it; those who were killed in it may need a moment to be gone."""
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return self.folder.rmdir()
            except OSError:
                if time.monotonic() > end:
                    raise
            time.sleep(0.01)


@contextmanager
def memory_group(limit: int | None, within: Group | None = None) -> Iterator[Group]:
    """Make a control group with a limit in bytes, below the tests' own or ``within`` another."""
    above = _above()
    assert above is not None
    group = Group(within.folder if within else above[0], above[1], limit)
    try:
        yield group
    finally:
        group.remove()


class Container:
    """A group, a mount and a process namespace, and what is seen there.

    Parameters
    ----------
    group
        What bounds its memory.
    shm
        The size of its ``/dev/shm``, or a folder that several containers share as such.
    disk
        What it sees as ``/var/tmp``; None for memory: then there is no disk to spill to.
    """

    def __init__(self, group: Group, shm: str | Path, disk: Path | None) -> None:
        self.group = group
        self._started: list[subprocess.Popen[str]] = []
        self._mounts = list(_mounts(shm, disk))

    def open(self) -> None:
        """Start its first process, with which all others end."""
        script = " && ".join([*self._mounts, "echo ready", "exec sleep infinity"])
        namespaces = ["--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"]
        first = self._start("unshare", *namespaces, "sh", "-c", script)
        assert first.stdout is not None
        assert first.stdout.readline() == "ready\n", first.communicate()
        self._first = _child_of(first)

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command inside; what it prints can be read."""
        entered = ["nsenter", f"--target={self._first}", "--mount", "--pid"]
        return self._start(*entered, "sh", "-c", f'cd {REPOSITORY} && exec "$@"', "sh", *command)

    def call(self, name: str, *arguments: Any) -> Any:
        """Call a function of :mod:`tests.torture.contained` in a process inside, and return its result."""
        return told(self.begin(name, *arguments))

    def begin(self, name: str, *arguments: Any) -> subprocess.Popen[str]:
        """Begin such a call; :func:`told` gives its result."""
        return self.start(sys.executable, "-m", "tests.torture.contained", name, json.dumps(arguments))

    def end(self) -> None:
        """Kill all that runs inside: with the first process of a process namespace all others go."""
        for started in self._started:
            with started:  # waits for it, and closes what it printed to
                started.kill()

    def _start(self, *command: str) -> subprocess.Popen[str]:
        started = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "TMPDIR": "/var/tmp"},
            preexec_fn=self.group.join,
        )
        self._started.append(started)
        return started


def _mounts(shm: str | Path, disk: Path | None) -> Iterator[str]:
    if isinstance(shm, Path):
        yield f"mount --bind {shm} /dev/shm"
    else:
        yield f"mount -t tmpfs -o size={shm} tmpfs /dev/shm"
    yield "mount -t tmpfs -o size=8m tmpfs /var/tmp" if disk is None else f"mount --bind {disk} /var/tmp"


def _child_of(process: subprocess.Popen[str]) -> int:
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)


def kill(begun: subprocess.Popen[str]) -> None:
    """Kill what was started in a container."""
    os.kill(_child_of(begun), signal.SIGKILL)
    begun.wait()


def told(begun: subprocess.Popen[str]) -> Any:
    """Return the result of a call that was begun in a container."""
    said, _ = begun.communicate(timeout=PATIENCE)
    assert begun.returncode == 0, f"exit code {begun.returncode}:\n{said}"
    return json.loads(said.splitlines()[-1])


@contextmanager
def container(
    disk: Path | None, *, shm: str | Path, limit: int | None = None, within: Group | None = None
) -> Iterator[Container]:
    """Make a container that is gone, with all that ran inside, when the block is over."""
    with memory_group(limit, within) as group:
        made = Container(group, shm, disk)
        try:
            made.open()
            yield made
        finally:
            made.end()
