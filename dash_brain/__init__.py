"""Share data between Dash callbacks, workers and processes without a copy."""

__version__ = "0.1.0"
