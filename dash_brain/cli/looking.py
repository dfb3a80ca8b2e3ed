"""The commands that look: ``ls``, ``inspect``, ``stats`` and ``top``."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import click

from dash_brain.cli.group import command, in_namespace, progress, say, unknown

if TYPE_CHECKING:
    from dash_brain.cli.reports import Report
    from dash_brain.stores import Store


@command
@click.argument("namespace", required=False)
@click.option("--all", "everything", is_flag=True, help="Also the notes on sessions, pages and workers.")
def ls(url: str | None, as_json: bool, namespace: str | None, everything: bool) -> None:
    """List namespaces, or the names in one.

    With the bytes, the age and the time to live of their values.
    """
    from dash_brain.cli import survey
    from dash_brain.cli.target import opened

    store = opened(url)
    if namespace is None:
        _list_namespaces(store, survey.VALUES + survey.NOTES * everything, as_json)
    else:
        _list_values(store, namespace, as_json)


def _list_namespaces(store: Store, domains: Sequence[str], as_json: bool) -> None:
    from dash_brain.cli import reports, survey, tables
    from dash_brain.cli.target import nothing_there
    from dash_brain.metrics.stats import described

    report = reports.of_spaces(described(store), survey.spaces(store, domains, progress("Looking")))
    there = report["namespaces"]
    say(as_json, report, tables.of_spaces(report, time.time()) if there else [nothing_there(store)])


def _list_values(store: Store, given: str, as_json: bool) -> None:
    from dash_brain.cli import names, reports, survey, tables
    from dash_brain.metrics.stats import described

    namespace = names.find_namespace(given, survey.namespaces(store, survey.VALUES + survey.NOTES))
    if namespace is None:
        raise unknown("namespace", given)
    report = reports.of_values(described(store), namespace, survey.listed(store, namespace))
    say(as_json, report, tables.of_values(report, time.time()))


@command
@click.argument("name")
@in_namespace
def inspect(url: str | None, as_json: bool, name: str, namespace: str) -> None:
    """Show what is known of a value, without reading it."""
    from dash_brain.cli import names, reports, survey, tables
    from dash_brain.cli.target import checked_there, opened
    from dash_brain.metrics.stats import described

    store = checked_there(opened(url))
    there = survey.namespaces(store, survey.VALUES + survey.NOTES)
    within = names.find_namespace(namespace, there) or names.whole_namespace(namespace)
    # What is missing is asked for too: the store may know why it is.
    info = store.info(within, survey.find_key(store, within, name) or name)
    report = reports.of_object(described(store), info)
    say(as_json, report, tables.of_object(report, time.time()))


@command
def stats(url: str | None, as_json: bool) -> None:
    """Show how full the store is, what was done, and who holds most."""
    from dash_brain.cli.target import opened

    store = opened(url)
    report = _stats(store, progress("Looking"))
    say(as_json, report, _lines(store, report))


@command
@click.option("--every", type=click.FloatRange(min=0.1), default=2.0, show_default=True, help="Seconds.")
def top(url: str | None, as_json: bool, every: float) -> None:
    """Show what stats shows, again and again.

    Until Ctrl-C. As JSON it is one line each time.
    """
    from dash_brain.cli.target import opened

    store = opened(url)
    try:
        while True:
            _show_once(store, _stats(store, iter), as_json)
            time.sleep(every)
    except KeyboardInterrupt:
        pass


def _show_once(store: Store, report: Report, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(report))
    else:
        screen = "\n".join(_lines(store, report))
        click.clear()
        click.echo(screen)


def _lines(store: Store, report: Report) -> Iterable[str]:
    from dash_brain.cli import tables
    from dash_brain.cli.target import is_there, nothing_there

    return tables.of_store(report, time.time()) if is_there(store) else [nothing_there(store)]


def _stats(store: Store, watched: Callable[[Sequence[str]], Iterable[str]]) -> Report:
    from dash_brain.cli import reports, survey
    from dash_brain.cli.target import is_there
    from dash_brain.metrics.stats import described
    from dash_brain.metrics.stats import stats as counted

    spaces = survey.spaces(store, survey.VALUES, watched)
    return reports.of_store(described(store), counted(store) if is_there(store) else None, spaces)
