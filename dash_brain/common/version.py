"""The release of this package, where every other module may read it."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
