"""Values in Redis or Valkey, for an app on several machines."""

from __future__ import annotations

from dash_brain.stores.redis.store import RedisStore

__all__ = ["RedisStore"]
