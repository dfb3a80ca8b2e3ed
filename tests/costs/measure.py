"""Count what operations cost, in a process of their own and without a clock: load changes nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.costs.operations import LIBRARIES
from tests.programs import REPOSITORY

BASELINE = Path(__file__).with_name("baseline.json")
SYSTEM = "system calls"

Costs = dict[str, dict[str, Any]]


def baseline() -> Costs:
    """Return what operations may cost."""
    costs: Costs = json.loads(BASELINE.read_text())
    return costs


def measured() -> Costs:
    """Return what operations cost now; system calls are those of their own thread."""
    with TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder:
        log = Path(folder, "log")
        command = ["strace", "-o", log, sys.executable, "-m", "tests.costs.operations", folder]
        done = subprocess.run(command, check=True, cwd=REPOSITORY, stdout=subprocess.PIPE)
        costs: Costs = json.loads(done.stdout)
        for name, made in marked(log.read_text()):
            known = costs[name].setdefault(SYSTEM, made)
            costs[name][SYSTEM] = min(known, made, key=Counter.total)
    return costs


def marked(log: str) -> Iterator[tuple[str, Counter[str]]]:
    """Yield what each marked run of an operation has called."""
    for name, lines in re.findall(r'"/marked/([^"]+)".*\n((?s:.*?)).*"/marked/"', log):
        yield name, Counter(re.findall(r"^(\w+)\(", lines, re.MULTILINE))


def excesses(now: Costs, allowed: Costs) -> list[str]:
    """Return what costs more than it may; calls of libraries differ a little between their releases."""
    found = []
    for name, costs in allowed.items():
        for what, limit in costs.items():
            slack = limit // 10 if what == LIBRARIES else 0
            if number(now[name][what]) > number(limit) + slack:
                found.append(f"{name}: {what}: {shown(now[name][what])}, not {shown(limit)}")
    return found


def number(cost: int | dict[str, int]) -> int:
    return sum(cost.values()) if isinstance(cost, dict) else cost


def shown(cost: int | dict[str, int]) -> str:
    return f"{number(cost)} {dict(cost)}" if isinstance(cost, dict) else str(cost)
