"""Redis: its release, and whether it evicts by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dash_brain.cli.doctor.finding import Finding
from dash_brain.common.sizes import shown_size

_OLDEST = (6, 2)
_FULL = 0.95


def check(said: Mapping[str, Any]) -> Iterator[Finding]:
    """Say what is wrong with a Redis, by what INFO says."""
    release = str(said.get("redis_version", "0"))
    memory, used = int(said.get("maxmemory", 0)), int(said.get("used_memory", 0))
    policy = said.get("maxmemory_policy", "noeviction")
    if tuple(int(part) for part in release.split(".")[:2]) < _OLDEST:
        says = f"Redis {release} is older than 6.2, which dash_brain needs."
        yield Finding("redis", "error", says, "Use Redis 6.2 or later, or Valkey.")
    if policy != "noeviction":
        says = f"Redis evicts by itself ({policy}), and does not know what pages hold."
        yield Finding("redis", "warning", says, "Set it: redis-cli config set maxmemory-policy noeviction")
    if memory and used > _FULL * memory:
        says = f"Redis has used {shown_size(used)} of its maxmemory of {shown_size(memory)}."
        yield Finding(
            "redis",
            "warning",
            says,
            "Raise maxmemory, or keep less: `dash-brain stats` shows who holds most.",
        )
    if not memory:
        says = "Redis has no maxmemory, so its host may run out of memory."
        yield Finding("redis", "note", says, "Set it, for instance: redis-cli config set maxmemory 4gb")
    limit = shown_size(memory) if memory else "no limit"
    yield Finding("redis", "ok", f"Redis {release} answers; {shown_size(used)} used, {limit}.")
