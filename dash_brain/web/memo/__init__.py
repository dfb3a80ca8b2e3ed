"""Memoized callbacks: their results are kept by their arguments."""
