"""Write down what operations cost now, as what they may cost from now on: ``python -m tests.costs``."""

from __future__ import annotations

import json
import sys

from tests.costs.measure import BASELINE, measured

if __name__ == "__main__":
    if sys.version_info[:2] != (3, 11):
        sys.exit("Counts differ between releases of Python: the baseline is of Python 3.11.")
    BASELINE.write_text(json.dumps(measured(), indent=2, sort_keys=True) + "\n")
