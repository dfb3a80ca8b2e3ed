"""A local store on a system that has neither unnamed files nor byte-range locks."""

from __future__ import annotations

from functools import partial

from dash_brain.stores import FileStore
from dash_brain.stores.mapped.system.locks import FlockedFiles
from dash_brain.stores.mapped.volume.folder import Volume
from dash_brain.stores.mapped.volume.publish import publish_named


class FallbackVolume(Volume):
    """A folder that takes what every POSIX system has."""

    def _best_locks(self):
        return FlockedFiles(self.descriptor)

    def _best_publish(self):
        return partial(publish_named, self.descriptor, self.locks)


class FallbackStore(FileStore):
    """A ``FileStore`` that was told the system lacks what Linux has, in any process that opens it."""

    _Volume = FallbackVolume


class SmallSharedMemory(FileStore):
    """Shared memory that lies in another tmpfs than ``/dev/shm``, in any process that opens it."""

    _spills = True


class SmallFallback(FallbackStore):
    """The same, without what Linux has."""

    _spills = True
