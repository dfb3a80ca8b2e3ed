"""A local store on a system that has neither unnamed files nor byte-range locks."""

from __future__ import annotations

from dash_brain.stores import FileStore
from dash_brain.stores.folder import Root
from dash_brain.stores.kernel_locks import FlockedFiles
from dash_brain.stores.publishing import publish_named


class FallbackRoot(Root):
    """A folder that takes what every POSIX system has."""

    def _best_locks(self):
        return FlockedFiles(self.descriptor)

    def _best_publish(self):
        return publish_named


class FallbackStore(FileStore):
    """A ``FileStore`` that was told the system lacks what Linux has, in any process that opens it."""

    _Root = FallbackRoot


class SmallSharedMemory(FileStore):
    """Shared memory that lies in another tmpfs than ``/dev/shm``, in any process that opens it."""

    _spills = True


class SmallFallback(FallbackStore):
    """The same, without what Linux has."""

    _spills = True
