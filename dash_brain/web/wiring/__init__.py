"""Checks of how callbacks are wired to ServerStores; errors name the cause and the cure."""
