"""The keys that sign tokens, cookies and what lies in Redis: whether all who work together have the same."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from dash_brain.cli import survey
from dash_brain.cli.doctor import remedies
from dash_brain.cli.doctor.contents import unverified
from dash_brain.cli.doctor.finding import Finding
from dash_brain.cli.names import short_key
from dash_brain.settings import Settings
from dash_brain.stores import Store

_SAME = "Give all processes the same DASH_BRAIN_KEY, the old one after the new one while a key is replaced."


def check(settings: Settings, store: Store) -> Iterator[Finding]:
    """Say which key signs, whether the workers of each app agree on theirs, and whether ours is theirs."""
    ours = [key.kid for key in settings.keys]
    workers = workers_of(store)
    yield from disagreeing(workers)
    yield from foreign(ours, workers, configured=bool(settings.secrets))
    if store.shared == "network":
        yield from unreadable(sum(1 for _ in unverified(store, (*survey.VALUES, "workers"))))
    given = "DASH_BRAIN_KEY" if settings.secrets else "the store, which made it for itself"
    yield Finding("keys", "ok", f"Key {ours[0]} signs here; it comes from {given}.")


def missing() -> Finding:
    """Return the finding for a store beyond a network and no key."""
    return Finding(
        "keys",
        "error",
        "Values in Redis are signed, and this process has no key; an app may have that of its Flask server.",
        "Set DASH_BRAIN_KEY, the same in all processes, to what this prints: "
        'python -c "import secrets; print(secrets.token_urlsafe(32))"',
        remedies.KEY,
    )


def workers_of(store: Store) -> dict[str, list[list[str]]]:
    """Return the ids of the keys of each worker that served in the last minute, by its app."""
    found: dict[str, list[list[str]]] = {}
    for namespace in survey.namespaces(store, ("workers",)):
        noted = [one.info.meta.get("kids", "") for one in survey.listed(store, namespace) if one.info]
        found[namespace.partition("/")[2]] = [kids.split(",") for kids in noted]
    return found


def disagreeing(workers: Mapping[str, Sequence[Collection[str]]]) -> Iterator[Finding]:
    """Say which apps have workers without a common key: each refuses what the other signed."""
    for app, kids in workers.items():
        if any(not set(one) & set(other) for one in kids for other in kids):
            newest = sorted({next(iter(one)) for one in kids})
            says = f"Workers of app {short_key('', app)} sign with different keys: {', '.join(newest)}."
            yield Finding(
                "keys", "error", f"{says} Each refuses the sessions of the other.", _SAME, remedies.KEY
            )


def foreign(
    ours: Collection[str], workers: Mapping[str, Sequence[Collection[str]]], *, configured: bool
) -> Iterator[Finding]:
    """Say when the key that this process was given is not one of the workers'."""
    theirs = {kid for kids in workers.values() for one in kids for kid in one}
    if configured and theirs and not theirs & set(ours):
        says = f"Workers have {', '.join(sorted(theirs))}, and DASH_BRAIN_KEY is {next(iter(ours))} here."
        yield Finding("keys", "warning", says, _SAME, remedies.KEY)


def unreadable(namespaces: int) -> Iterator[Finding]:
    """Say how many namespaces begin with a value that another key signed."""
    if namespaces:
        where = "1 namespace" if namespaces == 1 else f"{namespaces} namespaces"
        says = f"Values in {where} are signed with a key that this process does not have."
        yield Finding("keys", "error", says, _SAME, remedies.KEY)
