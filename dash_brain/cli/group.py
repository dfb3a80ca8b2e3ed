"""What all commands have in common: options, errors, JSON, and how far they are."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from dash_brain.common.version import VERSION
from dash_brain.errors import BrainError

if TYPE_CHECKING:
    from dash_brain.cli.reports import Report


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="dash-brain")
def main() -> None:
    """See what the stores of dash_brain hold, and whether all is well.

    No command prints a value, a key or a token; ids of sessions are shortened.

    Exit status: 0 when all is well, 1 when something is broken or could not be done, 2 for a wrong call.
    """


def command(work: Callable[..., None]) -> click.Command:
    """Make a command of a function, with the options that all have. An error of dash_brain ends it."""

    @wraps(work)
    def run(**given: Any) -> None:
        try:
            work(**given)
        except BrainError as error:
            raise click.ClickException(str(error)) from error

    made = main.command(work.__name__)(run)
    store = click.Option(
        ["--store", "url"],
        envvar="DASH_BRAIN_STORE",
        metavar="URL",
        help="The store: shm://name, file:///folder, redis://host. [default: DASH_BRAIN_STORE, else shm://]",
    )
    made.params += [store, click.Option(["--json", "as_json"], is_flag=True, help="Print JSON.")]
    return made


in_namespace = click.option(
    *("-n", "--namespace"),
    default="default",
    show_default=True,
    metavar="NAMESPACE",
    help="As ls shows it, or the name of a Brain.",
)


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """Return a span of time as people write it, in seconds.

    Examples
    --------
    >>> seconds("90s"), seconds("1.5h")
    (90.0, 5400.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no span of time like 90s, 20m, 8h or 7d.")
    return float(found[1]) * _UNITS[found[2]]


def say(as_json: bool, report: Report, lines: Iterable[str]) -> None:
    """Print a report, or the lines for people."""
    for line in [json.dumps(report, indent=2)] if as_json else lines:
        click.echo(line)


def progress(label: str) -> Callable[[Iterable[Any]], Iterable[Any]]:
    """Return what passes things on, and shows a person how many are left."""

    def watched(things: Iterable[Any]) -> Iterator[Any]:
        if not sys.stderr.isatty():
            yield from things
            return
        with click.progressbar(things, label=label, file=sys.stderr) as bar:
            yield from bar

    return watched


def unknown(what: str, given: str) -> click.ClickException:
    """Return the error for a namespace or session that holds nothing."""
    return click.ClickException(
        f"There is no {what} {given!r} that holds anything; `dash-brain ls` lists them."
    )
