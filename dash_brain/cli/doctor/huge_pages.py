"""Whether the kernel gives pages of 2 MB to files in shared memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from platform import release

from dash_brain.cli.doctor.finding import Finding

_SHMEM_ENABLED = "/sys/kernel/mm/transparent_hugepage/shmem_enabled"


def check(folder: str) -> Iterator[Finding]:
    """Say whether large values in a folder in shared memory get pages of 2 MB."""
    lacking = lacks_large_pages(release(), _policy(), _mounted_huge(folder))
    if lacking is None:
        yield Finding("huge pages", "ok", "Values of 4 MB and more can have pages of 2 MB.")
    else:
        cure = f"As root on the host: mount -o remount,huge=within_size {folder}"
        yield Finding("huge pages", "note", f"Large values are slower than need be: {lacking}.", cure)


def lacks_large_pages(kernel: str, policy: str, mounted_huge: bool) -> str | None:
    """Return why files in shared memory get no pages of 2 MB; None: they do.

    Examples
    --------
    >>> lacks_large_pages("6.1.0", "never", False), lacks_large_pages("5.15.0-91", "never", True)
    (None, None)
    >>> lacks_large_pages("5.15.0-91", "never", False)
    'Linux 5.15.0-91 gives pages of 2 MB only where the mount says so, before Linux 6.1'
    """
    if policy == "deny":
        return f"{_SHMEM_ENABLED} forbids pages of 2 MB (deny)"
    if not policy:
        return "this kernel has no pages of 2 MB for shared memory"
    numbers = tuple(int(part) if part.isdigit() else 0 for part in kernel.split("-")[0].split(".")[:2])
    if numbers < (6, 1) and not mounted_huge:
        return f"Linux {kernel} gives pages of 2 MB only where the mount says so, before Linux 6.1"
    return None


def _policy() -> str:
    """Return the kernel's policy of huge pages in shared memory; empty: it has none."""
    with suppress(OSError), open(_SHMEM_ENABLED, encoding="ascii") as content:
        return content.read().partition("[")[2].partition("]")[0]
    return ""


def _mounted_huge(folder: str) -> bool:
    with suppress(OSError), open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        options = [line.split(" ")[3] for line in mounts if line.split(" ")[1] == folder]
        return bool(options) and "huge=" in options[-1] and "huge=never" not in options[-1]
    return False
