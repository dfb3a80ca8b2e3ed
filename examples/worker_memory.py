"""What the workers hold in memory, as Linux counts it: what n processes share counts one n-th for each."""

import os
import re
from pathlib import Path

from dash import html


def workers():
    """Return the process ids of all workers: those that one parent has started with one command."""
    parent = os.getppid()
    try:
        siblings = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:  # this process is alone, as the first of a container
        return [os.getpid()]
    return [int(pid) for pid in siblings if command(pid) == command(os.getpid())]


def command(pid):
    """Return the command of a process, without numbers: uvicorn and hypercorn name pipes in it."""
    try:
        return re.sub(rb"\d+", b"", Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:  # it has ended meanwhile
        return None


def held(pid):
    """Return the bytes of shared memory, of its own memory and of everything that a process holds."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in lines)}
    return [1024 * kilobytes[name] for name in ("Pss_Shmem", "Pss_Anon", "Pss")]


def memory_table():
    """Return a row for each worker and one for their sum; the worker that answers is marked."""
    rows = [(pid, held(pid)) for pid in workers()]
    total = [sum(column) for column in zip(*(bytes_ for _, bytes_ in rows), strict=True)]
    head = [html.Th(text) for text in ("Worker", "shared memory", "its own", "in all")]
    body = [row(f"{pid}, which answers" if pid == os.getpid() else pid, bytes_) for pid, bytes_ in rows]
    return [html.Tr(head), *body, row(html.B("all of them"), total)]


def row(name, counts):
    return html.Tr([html.Td(name), *(html.Td(megabytes(count)) for count in counts)])


def megabytes(count):
    return f"{count / 1e6:,.0f}\N{NO-BREAK SPACE}MB"
