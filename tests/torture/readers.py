"""Processes that read a shared value again and again; one that is killed is followed by the next.

    python -m tests.torture.readers <number>

It ends, with status 1, when one of them has read what nobody wrote.
"""

from __future__ import annotations

import os
import signal
import sys

from dash_brain import Brain
from tests.torture.marks import seen

NAME = "shared"


def main() -> None:
    """Keep the readers alive."""
    number = int(sys.argv[1])
    readers = {_reader() for _ in range(number)}
    while True:
        pid, status = os.wait()
        readers.remove(pid)
        if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
            sys.exit(f"a reader ended with status {status}")
        readers.add(_reader())


def _reader() -> int:
    pid = os.fork()
    if pid:
        return pid
    brain = Brain()
    try:
        while True:
            mark, _, whole = seen(brain[NAME])
            if mark != NAME or not whole:
                os._exit(1)
    except BaseException as error:
        print("a reader failed:", repr(error), file=sys.stderr, flush=True)
        os._exit(1)


if __name__ == "__main__":
    main()
