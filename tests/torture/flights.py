"""Processes that all ask for one value at the same moment, for as many rounds as they live.

A round has a journal: a file into which every computation writes a line about itself. Its path is what is
asked for, so a computation needs nothing but its argument; how many of its makers must die is in its name.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeAlias

from tests.processes import FORKSERVER

#: Given a folder, what returns ``compute(journal)`` for a journal, by way of what is being tested.
Flight: TypeAlias = Callable[[str], Callable[[str], Any]]

PROCESSES = 8
THREADS = 8
#: Seconds after which somebody waits in vain. A lock is free 0.2 ms after its holder was killed.
LIMIT = 20


def compute(journal: str) -> dict[str, str]:
    """Return a value that tells where it comes from; a maker that must die waits for that instead."""
    line = f"{os.getpid()} {os.urandom(8).hex()}\n"
    with open(journal, "ab+", buffering=0) as file:
        file.write(line.encode())
        file.seek(0)
        makers = len(file.readlines())
    if makers <= deaths_in(journal):
        time.sleep(3 * LIMIT)
        raise AssertionError("This process should have been killed.")
    time.sleep(random.uniform(0, 0.004))
    return {"journal": journal, "made by": line.strip(), "body": line * 50}


def deaths_in(journal: str) -> int:
    """Return how many makers die, one after the other, before one of them may finish."""
    return int(journal.rpartition("-")[2])


def answer_rounds(flight: Flight, folder: str, rounds: Connection) -> None:
    """Ask in eight threads for each value that is named, and send what they got."""
    ask = flight(folder)
    with ThreadPoolExecutor(THREADS) as pool:
        while True:
            journal = rounds.recv()
            turns = [pool.submit(ask, journal) for _ in range(THREADS)]
            rounds.send([turn.exception() or turn.result() for turn in turns])


class Crew:
    """Eight processes that live over many rounds; who is killed has a successor in the next one.

    Parameters
    ----------
    flight
        What is tested.
    folder
        Where its store lies, and the journals.
    """

    def __init__(self, flight: Flight, folder: Path) -> None:
        self._run = partial(answer_rounds, flight, str(folder))
        self._folder = folder
        self._members: dict[int, tuple[BaseProcess, Connection]] = {}

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in list(self._members):
            self._kill(pid)

    def fly(
        self, number: int, *, makers_die: int = 0, somebody_dies: bool = False
    ) -> tuple[list[Any], list[str]]:
        """Let everybody ask for one new value; return what those got who lived, and who made it."""
        journal = self._folder / f"{number}-{makers_die}"
        journal.touch()
        self._call_all(str(journal))
        for turn in range(makers_die):
            pid = maker(journal, turn)
            time.sleep(random.uniform(0, 0.006))
            self._kill(pid)
        if somebody_dies:
            time.sleep(random.uniform(0, 0.006))
            self._kill(random.choice(list(self._members)))
        answers = [answer for _, rounds in self._members.values() for answer in received(rounds)]
        return answers, lines(journal)

    def _call_all(self, journal: str) -> None:
        while len(self._members) < PROCESSES:
            self._add()
        for _, rounds in random.sample(list(self._members.values()), PROCESSES):
            rounds.send(journal)

    def _add(self) -> None:
        ours, theirs = FORKSERVER.Pipe()
        member = FORKSERVER.Process(target=self._run, args=(theirs,), daemon=True)
        member.start()
        theirs.close()
        assert member.pid
        self._members[member.pid] = member, ours

    def _kill(self, pid: int) -> None:
        member, rounds = self._members.pop(pid)
        member.kill()
        member.join()
        rounds.close()


def maker(journal: Path, turn: int) -> int:
    """Return the process that makes the value, as soon as that many have begun to before it."""
    end = time.monotonic() + LIMIT
    while len(made := lines(journal)) <= turn:
        assert time.monotonic() < end, f"{turn} makers were killed, and nobody follows"
        time.sleep(0.001)
    return int(made[turn].split()[0])


def lines(journal: Path) -> list[str]:
    """Return the whole lines of a journal."""
    return journal.read_text().split("\n")[:-1]


def received(rounds: Connection) -> list[Any]:
    """Return what a process sends, and fail when it does not."""
    assert rounds.poll(LIMIT), "somebody waits for a value that nobody makes"
    answers: list[Any] = rounds.recv()
    return answers
