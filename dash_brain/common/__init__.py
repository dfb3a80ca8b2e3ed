"""Helpers for all other packages; they import nothing from those."""
