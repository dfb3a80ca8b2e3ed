"""Keeping results by their arguments: of functions, and of callbacks."""
