"""Metrics for OpenTelemetry, by its API alone: which SDK exports them where is up to the application."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING, Any

from dash_brain.errors import NotInstalled
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

    Raises
    ------
    NotInstalled
        When the API of OpenTelemetry is not installed.

    Examples
    --------
    >>> from dash_brain.metrics.opentelemetry import observe
    >>> observe()
    """
    try:
        from opentelemetry import metrics
    except ImportError as error:
        raise NotInstalled(
            "observe() needs the API of OpenTelemetry, which is not installed. Install it: pip install "
            "opentelemetry-api"
        ) from error

    asked, reading = meter or metrics.get_meter("dash_brain"), _Reading(store)
    for metric in METRICS:
        counts = metric.type == "counter"
        create: Any = asked.create_observable_counter if counts else asked.create_observable_gauge
        create(
            f"dash_brain.{metric.name}",
            callbacks=[_callback(metric, reading)],
            unit=_UNITS[metric.unit],
            description=metric.help,
        )


class _Reading:
    """What the instruments of one export observe: the numbers are read anew when one asks again.

    Parameters
    ----------
    store
        As :func:`observe` takes it.
    """

    def __init__(self, store: StoreLike | None) -> None:
        self._store = store
        self._alone = Lock()
        self._asked: set[Metric] = set()

    def of(self, metric: Metric) -> Stats:
        with self._alone:
            if not self._asked or metric in self._asked:
                self._asked.clear()
                self._stats = stats(self._store)
            self._asked.add(metric)
            return self._stats


def _callback(metric: Metric, reading: _Reading) -> Callable[[Any], Iterable[Any]]:
    from opentelemetry.metrics import Observation

    def observations(_: Any) -> Iterable[Any]:
        return [Observation(value, labels) for labels, value in metric.samples(reading.of(metric))]

    return observations
