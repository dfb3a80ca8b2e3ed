"""What the log says while the far store cannot be reached, and copies are served."""

from __future__ import annotations

from dash_brain.common.log import inform, warn_of_store


class Outage:
    """Whether the far store cannot be reached, as far as this process knows."""

    def __init__(self) -> None:
        self._number = 0
        self._lasts = False

    def begin(self) -> None:
        """Note that it could not be reached; the log says so once for each outage."""
        if not self._lasts:
            self._lasts = True
            self._number += 1
            warn_of_store(
                ("outage", id(self), self._number),
                "The store cannot be reached. Values of which this host has a copy are read from that "
                "(when_down=near): they may have been replaced or removed through another host meanwhile. "
                "All else fails.",
            )

    def end(self) -> None:
        """Note that it was reached."""
        if self._lasts:
            self._lasts = False
            inform("store_back", "The store can be reached again.")
