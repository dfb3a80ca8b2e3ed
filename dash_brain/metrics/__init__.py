"""What a store holds and what was done with it, as numbers: for people, Prometheus and OpenTelemetry.

All of them show what :func:`~dash_brain.metrics.stats.stats` returns.
"""
