"""The commands that change a store, or copy it: ``clear``, ``dump`` and ``load``."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from dash_brain.cli.group import command, in_namespace, progress, say, seconds, unknown

if TYPE_CHECKING:
    from dash_brain.cli.clearing import Removal
    from dash_brain.stores import Store
    from dash_brain.stores.base import Frames


@command
@click.option("-n", "--namespace", metavar="NAMESPACE", help="What lies in this namespace, as ls shows it.")
@click.option("--session", metavar="ID", help="What lies in this session, by its id as ls shows it.")
@click.option("--all", "everything", is_flag=True, help="What lies in all namespaces.")
@click.option(
    "--older-than",
    "age",
    type=seconds,
    metavar="TIME",
    help="Of that, what was put before: 90s, 20m, 8h, 7d.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def clear(
    url: str | None,
    as_json: bool,
    namespace: str | None,
    session: str | None,
    everything: bool,
    age: float | None,
    yes: bool,
) -> None:
    """Remove values of a namespace or session, or old ones.

    It asks before. Readers keep what they hold, and a session goes on without what it had.
    """
    from dash_brain.cli.target import opened

    if (namespace is not None) + (session is not None) + everything != 1:
        raise click.UsageError("Say what to remove, by one of --namespace, --session and --all.")
    store = opened(url)
    _remove(store, _planned(store, namespace, session, age), as_json, ask=not yes)


def _planned(store: Store, namespace: str | None, session: str | None, age: float | None) -> list[Removal]:
    from dash_brain.cli import clearing

    within = clearing.chosen(store, namespace, session)
    if within is None:
        raise unknown("session" if namespace is None else "namespace", namespace or session or "")
    before = None if age is None else time.time() - age
    return list(clearing.planned(store, within, before, progress("Looking")))


def _remove(store: Store, removals: list[Removal], as_json: bool, *, ask: bool) -> None:
    from dash_brain.cli import clearing, reports, tables
    from dash_brain.metrics.stats import described

    report = reports.of_removals(described(store), removals)
    if report["removed"] and ask:
        for line in tables.unverified(report["unverified"]):
            click.echo(line, err=True)
        click.confirm(tables.question(report), abort=True, err=True)
    clearing.remove(store, progress("Removing")(removals))
    say(as_json, report, tables.removed(report))


@command
@click.argument("folder", type=click.Path(file_okay=False))
@click.argument("names", nargs=-1)
@in_namespace
def dump(url: str | None, as_json: bool, folder: str, names: Sequence[str], namespace: str) -> None:
    """Copy named values into a folder.

    All of them, or these NAMES. load stores them again, on this machine or another.
    """
    from dash_brain.brain import dumps
    from dash_brain.cli import survey
    from dash_brain.cli.target import checked_there, opened

    place = _of_brain(namespace)
    store = checked_there(opened(url))
    if place not in survey.namespaces(store, ("brain",)):  # a dump of nothing would replace an older one
        raise unknown("namespace", namespace)
    _say_copied(as_json, folder, dumps.write(store, place, folder, names or None, None, progress("Copying")))


@command
@click.argument("folder", type=click.Path(file_okay=False, exists=True))
@in_namespace
def load(url: str | None, as_json: bool, folder: str, namespace: str) -> None:
    """Store the values that dump has copied.

    The FOLDER has to be yours. Load only what you would also run.
    """
    from dash_brain.brain import dumps
    from dash_brain.cli.target import opened

    place = _of_brain(namespace)
    store = opened(url)

    def learn(name: str, frames: Frames, meta: Mapping[str, str], ttl: float | None) -> None:
        store.put(place, name, frames, ttl=ttl, meta=meta)

    _say_copied(as_json, folder, dumps.read(folder, None, learn, progress("Loading")))


def _of_brain(given: str) -> str:
    """Return the namespace of a ``Brain``; another kind is refused: no ``Brain`` would find its values."""
    from dash_brain.brain.namespaces import within
    from dash_brain.cli.names import whole_namespace

    domain, _, name = whole_namespace(given).partition("/")
    if domain != "brain":
        raise click.UsageError(
            f"Only values of a Brain can be copied, and {given!r} is none; for a Brain of that name: "
            f"-n {f'brain/{given}'!r}."
        )
    return within(name)


def _say_copied(as_json: bool, folder: str, names: Sequence[str]) -> None:
    from dash_brain.cli.names import printable

    report = {"folder": folder, "names": sorted(names)}
    say(as_json, report, map(printable, sorted(names)) if names else ["There was nothing to copy."])
