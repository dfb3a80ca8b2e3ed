"""Metrics for OpenTelemetry, by its API alone: which SDK exports them where is up to the application."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dash_brain.metrics.stats import Stats, stats
from dash_brain.metrics.table import METRICS, Metric
from dash_brain.stores.registry import StoreLike

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

#: Units as OpenTelemetry writes them.
_UNITS = {"bytes": "By", "seconds": "s", "": "1"}


def observe(meter: Meter | None = None, store: StoreLike | None = None) -> None:
    """Let a meter observe the metrics of a store.

    They count all processes of the store: let one process of a host export them, or take the largest number
    in queries.

    Parameters
    ----------
    meter
        By default that of the global provider, named ``dash_brain``.
    store
        As :func:`~dash_brain.open_store` takes it; by default the store of this process's settings.

    Examples
    --------
    >>> from dash_brain.metrics.opentelemetry import observe
    >>> observe()
    """
    from opentelemetry import metrics

    asked = meter or metrics.get_meter("dash_brain")

    @lru_cache(maxsize=1)
    def read(_: int) -> Stats:
        return stats(store)

    for metric in METRICS:
        counts = metric.type == "counter"
        create: Any = asked.create_observable_counter if counts else asked.create_observable_gauge
        create(
            f"dash_brain.{metric.name}",
            callbacks=[_callback(metric, read)],
            unit=_UNITS[metric.unit],
            description=metric.help,
        )


def _callback(metric: Metric, read: Callable[[int], Stats]) -> Callable[[Any], Iterable[Any]]:
    from opentelemetry.metrics import Observation

    def observations(_: Any) -> Iterable[Any]:
        # All instruments of one export are read from the same numbers.
        found = read(int(time.monotonic()))
        return [Observation(value, labels) for labels, value in metric.samples(found)]

    return observations
