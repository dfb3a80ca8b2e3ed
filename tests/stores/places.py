"""Where stores of tests lie, and what is in there."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dash_brain.stores.mapped.spill.roots import remove_folders_of
from tests.needs import missing, needs


def place(store) -> Path:
    """Return the folder of a local store."""
    return Path(store.place)


def remove(store) -> None:
    """Remove a store with what it spilled."""
    if place(store).exists():
        opened = os.open(place(store), os.O_RDONLY)
        remove_folders_of(opened)
        os.close(opened)
        remove_in_use(place(store))


def remove_in_use(folder: Path) -> None:
    """Remove a folder in which others may be writing, who may also make it anew."""
    while folder.exists():
        with suppress(OSError):  # something came, or went, meanwhile
            shutil.rmtree(folder)
            return


def file_of(store, domain="brain") -> Path:
    """Return the file of the only object of a domain."""
    (file,) = (path for path in (place(store) / domain).rglob("*") if path.is_file())
    return file


def damage(file: Path, at: int = -8) -> None:
    """Change some bytes of an object, and nothing else of its file: its times say when it expires."""
    state = file.stat()
    file.chmod(0o600)
    content = bytearray(file.read_bytes())
    content[at : at + 8 or None] = b"damaged!"
    file.write_bytes(content)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))


def everything(store) -> set[str]:
    """Return the paths of all files and folders of a store, below its own."""
    return {str(path.relative_to(place(store))) for path in place(store).rglob("*")}


needs_disk = needs("root and mkfs.ext4", os.geteuid() == 0 and shutil.which("mkfs.ext4"))


@contextmanager
def mounted_disk(folder: Path, megabytes: int, *options: str) -> Iterator[Path]:
    """Mount a disk of its own, made with these options of ``mkfs.ext4``; needs root and a loop device."""
    folder.mkdir()
    image = disk_image(folder.with_suffix(".image"), megabytes, *options)
    with mounted_image(image, folder):
        yield folder


def disk_image(image: Path, megabytes: int, *options: str) -> Path:
    """Make what can be mounted as a disk."""
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", *options, str(image)], check=True)
    return image


@contextmanager
def mounted_image(image: Path, folder: Path) -> Iterator[None]:
    """Mount a disk over a folder."""
    if subprocess.run(["mount", "-o", "loop", str(image), str(folder)], capture_output=True).returncode:
        missing("the right to mount a disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Mount a tmpfs of its own; needs root."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def inventory(store):
    """Return what an open local store knows of what lies in it."""
    store.usage()
    return store._space.inventory


def near_of(store):
    """Return the local store in which copies of a far one lie."""
    return store._copies.store


def volume_of(store):
    """Return the open folder of a local store."""
    return inventory(store).volume


def ledger_of(store):
    """Return the counts of an open local store."""
    return inventory(store).ledger


def bytes_taken(store) -> int:
    """Return the bytes of all objects of a local store, and of those that are being written."""
    return ledger_of(store).used() + ledger_of(store).reserved()
