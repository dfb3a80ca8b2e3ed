"""Metrics for Prometheus: as text, and as a collector of ``prometheus_client``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dash_brain.errors import NotInstalled
from dash_brain.metrics.stats import Stats, stats
from dash_brain.metrics.table import METRICS, Metric
from dash_brain.stores.registry import StoreLike

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

#: The type of the text, version 0.0.4 of the format.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def text(found: Stats) -> str:
    r"""Return numbers in the text format of Prometheus.

    Examples
    --------
    >>> from dash_brain import stats
    >>> print("\n".join(text(stats("memory://")).splitlines()[:3]))
    # HELP dash_brain_reachable 1 if the store can be used, else 0.
    # TYPE dash_brain_reachable gauge
    dash_brain_reachable 1
    """
    return "".join(f"{line}\n" for metric in METRICS for line in _lines(metric, found))


def register(registry: CollectorRegistry | None = None, store: StoreLike | None = None) -> None:
    """Show the metrics of a store in a registry of ``prometheus_client``.

    They are read when the registry is. They count all processes of the store, so they need no multiprocess
    directory: register them in each process, and ask any of them. A registry takes one store, as the names of
    the metrics are the same for all.

    Parameters
    ----------
    registry
        By default ``prometheus_client.REGISTRY``.
    store
        As :func:`~dash_brain.open_store` takes it; by default the store of this process's settings.

    Raises
    ------
    NotInstalled
        When prometheus_client is not installed.
    ValueError
        When this registry shows the metrics of a store already.

    Examples
    --------
    >>> from prometheus_client import CollectorRegistry, generate_latest
    >>> registry = CollectorRegistry()
    >>> register(registry, "memory://")
    >>> b"dash_brain_used_bytes" in generate_latest(registry)
    True
    """
    try:
        from prometheus_client import REGISTRY
    except ImportError as error:
        raise NotInstalled(
            "register() needs prometheus_client, which is not installed. Install it: pip install "
            "'dash-brain[prometheus]'"
        ) from error

    (registry or REGISTRY).register(_Collector(store))


class _Collector:
    """What a registry asks; not a subclass of its collector, which need not be installed."""

    def __init__(self, store: StoreLike | None) -> None:
        self._store = store

    def collect(self) -> Iterator[Any]:
        """Yield all metrics with their numbers."""
        found = stats(self._store)
        for metric in METRICS:
            yield _family(metric, found)

    def describe(self) -> Iterator[Any]:
        """Yield all metrics without numbers: no store is opened when they are registered."""
        return (_family(metric, None) for metric in METRICS)


def _family(metric: Metric, found: Stats | None) -> Any:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    kind: Any = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
    family = kind(f"dash_brain_{metric.name}", metric.help)
    for labels, value in metric.samples(found) if found else ():
        family.add_sample(_name(metric), labels, value)
    return family


def _name(metric: Metric) -> str:
    return f"dash_brain_{metric.name}{'_total' if metric.type == 'counter' else ''}"


def _lines(metric: Metric, found: Stats) -> Iterator[str]:
    name = _name(metric)
    yield f"# HELP {name} {metric.help}"
    yield f"# TYPE {name} {metric.type}"
    for labels, value in metric.samples(found):
        shown = ",".join(f'{label}="{of}"' for label, of in labels.items())
        yield f"{name}{{{shown}}} {value}" if shown else f"{name} {value}"
